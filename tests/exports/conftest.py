"""The databases of these tests are dropped when the last of them has run."""

import pytest
from exports import databases


@pytest.fixture(scope="session", autouse=True)
def _databases():
    yield
    databases.drop()
