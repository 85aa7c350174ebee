import os

import pytest


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    """Leave the key of whoever runs the tests out of them."""
    monkeypatch.delenv("DBPLAN_ANONYMISE_KEY", raising=False)
    assert "DBPLAN_ANONYMISE_KEY" not in os.environ
