"""The files of Node are written as Prettier writes them."""

from node_tools import FOLDER, node

from dbplan.orms.installing import SOURCES


def test_files_are_as_prettier_writes_them():
    files = [file for file in SOURCES.glob("**/*.mjs") if "node_modules" not in file.parts]
    assert len(files) > 10
    node(FOLDER / "node_modules/prettier/bin/prettier.cjs", "--print-width", "120", "--check", *files)
