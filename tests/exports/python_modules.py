"""Exported Python: loaded in a fresh registry, and held against ruff."""

import subprocess
import sys
import types
import warnings
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
import sqlmodel
from sqlalchemy.orm import registry

RUFF = Path(sys.executable).parent / "ruff"
NAME = "exported_models"
REAL = sqlmodel.SQLModel


def sqlmodel_anew():
    """Return SQLModel with tables and classes of its own: the real one keeps all that a process ever defined."""
    return type(REAL)("SQLModel", (REAL,), {"metadata": sa.MetaData()}, registry=registry())


@contextmanager
def loaded(text):
    """Give a module of that text; warnings are errors, and nothing stays behind."""
    module = types.ModuleType(NAME)
    sys.modules[NAME] = module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            exec(compile(text, NAME, "exec"), module.__dict__)
            yield module
    finally:
        del sys.modules[NAME]


def complaints(folder, texts):
    """Return what ruff would change in the texts, and what it says against them."""
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, "utf-8")
    said = []
    for words in (["format", "--diff"], ["check", "--select", "F,E,I", "--output-format", "concise"]):
        command = [RUFF, *words, "--isolated", folder]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        said += [ran.stdout + ran.stderr] if ran.returncode else []
    return "\n".join(said)
