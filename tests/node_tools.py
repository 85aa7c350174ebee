"""The tools of Node that tests hand exported schemas to."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "node"


def node(script, *arguments, cwd=None, timeout=120, **environment):
    """Run a script of tests/node (or a path) and return what it prints; its error is the test's."""
    program = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program, "node is missing: make .venv/.developing installs it"
    done = subprocess.run(
        [program, str(FOLDER / script), *map(str, arguments)],
        cwd=cwd or FOLDER, timeout=timeout, capture_output=True, text=True, env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, f"{script} {arguments}: {done.stdout}\n{done.stderr}"
    return done.stdout


def prisma(verb, *files):
    """Return what Prisma itself makes of schema files: validate, format, ddl or dmmf; AssertionError for its errors."""
    answer = json.loads(node("prisma.mjs", verb, *files))
    assert answer["ok"], answer["text"]
    return answer["text"]
