import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("diagram_schemas", Path(__file__).with_name("schemas.py"))
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)


@pytest.fixture(scope="session")
def schemas():
    return _module
