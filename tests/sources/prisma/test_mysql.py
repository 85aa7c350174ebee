"""A Prisma schema for MySQL: the database that we make is the one of Prisma's words, on MariaDB, MySQL's kin."""

from pathlib import Path

import pytest

from prisma_equality import unequal

FOLDER = Path(__file__).parent / "mysql"


@pytest.mark.ci
def test_our_database_is_prismas():
    ddl = (FOLDER / "prisma.sql").read_text(encoding="utf-8")
    assert unequal(FOLDER / "schema.prisma", ddl, on="mariadb") == ()
