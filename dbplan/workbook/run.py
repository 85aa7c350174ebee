"""Execute a notebook from its paired percent script, with other parameters where asked."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbplan.errors import CannotWrite, DbplanError, NotCovered, UnknownName, UsageError


def run(path: Path, parameters: Mapping[str, str] | None = None, folder: Path | None = None) -> Path:
    """Execute the notebook at `path` in its own folder and return where it was written: in place, or in `folder`.

    `parameters` replace the values of the cell tagged `parameters`. The paired `.py` is the source of the cells.
    Raises UnknownName for a parameter that the notebook does not have, UsageError when a cell fails.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ModuleNotFoundError as error:
        raise NotCovered(f'{error.name} is not installed; notebooks need: pip install "dbplan[workbook]"') from None

    notebook = paired(path)
    _set_parameters(notebook, parameters or {}, path)
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute(env=os.environ | {"PYTHONPATH": os.pathsep.join(_module_path())})
    except CellExecutionError as error:
        raise UsageError(f"{path.name} stops: {error.ename}: {error.evalue}".splitlines()[0]) from None
    target = (folder or path.parent) / path.with_suffix(".ipynb").name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        text: str = nbformat.writes(_without_machine(notebook))  # type: ignore[no-untyped-call]
        target.write_text(text.rstrip() + "\n", "utf-8")
    except OSError as error:
        raise CannotWrite(f"{target}: {error.strerror}") from None
    return target


def _module_path() -> list[str]:
    """Return where the kernel finds modules: in the current folder too, as commands do, though it runs elsewhere."""
    return [str(Path.cwd()), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]


def paired(path: Path) -> Any:
    """Return the cells of the percent script beside a notebook, as a notebook without outputs."""
    import jupytext

    script = path.with_suffix(".py")
    source = script if script.is_file() else path
    if not source.is_file():
        raise UsageError(f'no notebook "{path}" and no "{script.name}" beside it')
    try:
        notebook = jupytext.read(source)
    except Exception as error:
        raise DbplanError(f"{source.name} is no notebook: {error}".splitlines()[0]) from None
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02}"
    return notebook


def _set_parameters(notebook: Any, parameters: Mapping[str, str], path: Path) -> None:
    cell = next((cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])), None)
    body = ast.parse(cell.source).body if cell else []
    values = {
        node.targets[0].id: node.value
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for name, value in parameters.items():
        if name not in values:
            raise UnknownName("parameter", name, values, where=path.name)
        values[name] = ast.Constant(_literal(value))
    if cell and parameters:
        cell.source = "\n".join(f"{name} = {ast.unparse(value)}" for name, value in values.items())


def _literal(value: str) -> Any:
    """Read a parameter as the number or literal that it looks like, else as text."""
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _without_machine(notebook: Any) -> Any:
    """Leave out of the stored notebook what differs from machine to machine."""
    notebook.metadata.pop("widgets", None)
    language = notebook.metadata.get("language_info", {})
    notebook.metadata["language_info"] = {"name": language.get("name", "python")}
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return notebook
