"""Check what nbval cannot: cells never run, logic in cells, a notebook and its script drifted apart."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dbplan.errors import UsageError
from dbplan.evidence import Finding, Place, Severity
from dbplan.report import Report
from dbplan.report.blocks import Findings
from dbplan.workbook.run import paired

_LOGIC = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda)


def check(paths: Sequence[Path]) -> Report:
    """Return what is wrong with notebooks: unexecuted or failing cells, logic, drift from the paired script."""
    found = tuple(finding for path in paths for finding in findings(path))
    cells = sum(len(_code(_load(path))) for path in paths)
    verdict = f"{len(found)} faults in {cells} code cells of {len(paths)} notebook{'s' * (len(paths) != 1)}."
    return Report("Notebooks", verdict, not found, (Findings(found),) if found else (), found, found)


def findings(path: Path) -> Iterator[Finding]:
    """Yield the faults of one notebook."""
    cells = _load(path)
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code" or not "".join(cell["source"]).strip():
            continue
        for message in _cell_faults(cell):
            yield _finding(path, f"cell {number}", message)
    script = path.with_suffix(".py")
    if not script.is_file():
        yield _finding(path, "", f"has no paired {script.name}; make one with: jupytext --to py:percent {path.name}")
    elif [(c.cell_type, c.source) for c in paired(path).cells] != [
        (c["cell_type"], "".join(c["source"])) for c in cells
    ]:
        yield _finding(path, "", f"differs from {script.name}; run: dbplan notebook run {path.name}")


def _cell_faults(cell: dict[str, Any]) -> Iterable[str]:
    source = "".join(cell["source"])
    if cell.get("execution_count") is None:
        yield "was never executed, so nbval compares nothing"
    if any(isinstance(node, _LOGIC) for node in ast.walk(ast.parse(_python(source)))):
        yield "holds logic; move it into the package"
    failed = any(output.get("output_type") == "error" for output in cell.get("outputs", []))
    if failed and "raises-exception" not in cell["metadata"].get("tags", []):
        yield "ends in an error"


def _python(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))


def _finding(path: Path, where: str, message: str) -> Finding:
    return Finding("notebook", Severity.ERROR, Place(statement=f"{path.name} {where}".strip()), message)


def _load(path: Path) -> list[dict[str, Any]]:
    try:
        cells: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
        return cells
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError):
        raise UsageError(f'"{path}" is no notebook; give a path that ends in .ipynb') from None


def _code(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["cell_type"] == "code"]
