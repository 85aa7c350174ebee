"""Schemas full of what Prisma can say: the database that we make of each is the one that Prisma makes."""

from pathlib import Path

import pytest
from prisma_equality import prisma_ddl, unequal

SCHEMAS = sorted((Path(__file__).parent / "equal").glob("*.prisma"))


@pytest.fixture(scope="module")
def ddl():
    return dict(zip(SCHEMAS, prisma_ddl(SCHEMAS), strict=True))


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_our_database_is_prismas(path, ddl):
    assert unequal(path, ddl[path]) == ()
