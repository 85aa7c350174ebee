"""The set-up guides: every file on the page is written and every command run, in the order of the page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dbplan import read, sandbox

GUIDES = Path(__file__).parents[2] / "docs" / "orm"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ENGINE = {"PRISMA_SCHEMA_ENGINE_BINARY": "/bin/false", "CHECKPOINT_DISABLE": "1", "npm_config_prefer_offline": "true"}
QUICK = {"npm_config_audit": "false", "npm_config_fund": "false", "PIP_COMPILE": "false"}
"""Nothing that a guide shows depends on these."""


@pytest.fixture
def database():
    with sandbox(read("store"), create=False) as stage:
        url = stage.engine.url
        yield f"postgresql://{url.username}@localhost/{url.database}?host={url.query['host']}&port={url.query['port']}"


@pytest.mark.parametrize("guide", ["prisma", "typeorm", "drizzle", "peewee", "sqlalchemy"])
def test_every_command_of_a_guide_runs(guide, database, tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | ENGINE | QUICK | {"DATABASE_URL": database, "PATH": path}
    printed = ""
    for language, file, text in BLOCK.findall((GUIDES / f"{guide}.md").read_text()):
        if language == "sh":
            printed += shell(text, tmp_path, environment)
        else:
            (tmp_path / file).write_text(text)
    assert re.search(r"^(.+ sells .+\n){2}", printed, re.MULTILINE), printed


def shell(commands, folder, environment):
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout
