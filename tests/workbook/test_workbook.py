import json
from pathlib import Path

import pytest

from dbplan.errors import UnknownName, UsageError
from dbplan.workbook import check, run

SCRIPT = """# %% [markdown]
# # A notebook

# %% tags=["parameters"]
name = "world"
count = 1

# %%
f"hello {name}" * count
"""


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    (tmp_path / "hello.py").write_text(SCRIPT)
    return tmp_path / "hello.ipynb"


def _outputs(path: Path) -> str:
    return json.dumps([cell.get("outputs") for cell in json.loads(path.read_text())["cells"]])


def test_a_notebook_is_made_from_its_script_and_is_the_same_twice(notebook: Path):
    run(notebook)
    first = notebook.read_text()
    assert "hello world" in _outputs(notebook)
    assert check([notebook]).ok
    run(notebook)
    assert notebook.read_text() == first


def test_parameters_are_replaced_and_the_original_stays(notebook: Path, tmp_path: Path):
    run(notebook)
    before = notebook.read_text()
    other = run(notebook, {"name": "moon", "count": "2"}, tmp_path / "other")
    assert "hello moonhello moon" in _outputs(other)
    assert notebook.read_text() == before


def test_modules_of_the_current_folder_are_found(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "my_words.py").write_text('WORD = "found"')
    notebook.with_suffix(".py").write_text("# %%\nfrom my_words import WORD\n\nWORD\n")
    monkeypatch.chdir(tmp_path / "project")
    run(notebook)
    assert "found" in _outputs(notebook)


def test_an_unknown_parameter_says_which_there_are(notebook: Path):
    with pytest.raises(UnknownName, match="parameters are: count, name"):
        run(notebook, {"nam": "x"})


def test_a_failing_cell_is_one_line(notebook: Path):
    notebook.with_suffix(".py").write_text("# %%\n1 / 0\n")
    with pytest.raises(UsageError, match=r"hello.ipynb stops: ZeroDivisionError"):
        run(notebook)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({"source": "1"}, "never executed"),
        ({"source": "def f(): pass", "execution_count": 1}, "holds logic"),
        ({"source": "x", "execution_count": 1, "outputs": [{"output_type": "error"}]}, "ends in an error"),
    ],
)
def test_faults_are_found(tmp_path: Path, cell: dict[str, object], said: str):
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "metadata": {}, **cell}]}))
    report = check([path])
    assert not report.ok
    assert any(said in finding.message for finding in report.evidence)
    assert any("has no paired n.py" in finding.message for finding in report.evidence)


def test_a_script_that_moved_on_is_found(notebook: Path):
    run(notebook)
    notebook.with_suffix(".py").write_text(SCRIPT.replace("hello", "bye"))
    assert [finding.message for finding in check([notebook]).evidence] == [
        "differs from hello.py; run: dbplan notebook run hello.ipynb"
    ]


def test_what_is_no_notebook_is_said(tmp_path: Path):
    (tmp_path / "x.ipynb").write_text("{}")
    with pytest.raises(UsageError, match="is no notebook"):
        check([tmp_path / "x.ipynb"])
    with pytest.raises(UsageError, match="no notebook"):
        run(tmp_path / "none.ipynb")
