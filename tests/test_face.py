import subprocess
import sys

import pytest

import dbplan


@pytest.mark.parametrize("verb", dbplan.__all__)
def test_every_verb_can_be_imported_from_the_face(verb: str):
    value = getattr(__import__("dbplan", fromlist=[verb]), verb)
    assert callable(value)
    assert value.__doc__


def test_a_verb_outranks_its_room():
    rooms = "import dbplan.sandbox, dbplan.review, dbplan"
    assert _python(f"{rooms}; print(callable(dbplan.sandbox), callable(dbplan.review))") == "True True"


def test_importing_the_face_imports_no_room():
    heavy = "{'sqlalchemy', 'pandas', 'numpy', 'faker', 'alembic', 'rich', 'typer'}"
    assert _python(f"import sys, dbplan; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_help_imports_nothing_heavy():
    heavy = "{'sqlalchemy', 'pandas', 'numpy', 'faker', 'alembic', 'pydantic'}"
    code = f"import sys, dbplan.cli; print(sorted({heavy} & set(sys.modules)))"
    assert _python(code) == "[]"


def test_an_unknown_verb_lists_the_verbs():
    with pytest.raises(AttributeError, match="its verbs are: .*lint"):
        _ = dbplan.lnt


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
