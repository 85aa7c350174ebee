"""Models in folders: what is exported, what Prisma and TypeScript make of it, and what Prisma refuses."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from dbplan import read
from dbplan.errors import NotCovered
from dbplan.exports.study import export
from dbplan.orms import preparing
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.installing import Absent, installed, node_program
from dbplan.orms.preparing import prepare
from dbplan.report.blocks import Code

OWN = """
generator client {
  provider        = "prisma-client"
  output          = "../generated/prisma"
  previewFeatures = ["views"]
}

generator pictures {
  provider = "a-generator-that-is-not-here"
}

datasource db {
  provider = "postgresql"
}

model User {
  id    Int    @id
  "words"
}
"""
SCHEMA = OWN.replace('  "words"\n', "  posts Post[]\n") + (
    "\nmodel Post {\n  a Int\n  b Int\n  userId Int\n  user User @relation(fields: [userId], references: [id])\n"
    '  @@id([a, b], name: "both")\n}\n'
)


def needs(name):
    absent = installed(CONTESTANTS[name])
    return pytest.mark.skipif(isinstance(absent, Absent), reason=f"{name} is not installed: {absent}")


def exporting(monkeypatch, file, text):
    """Let every plan be exported as one text."""
    report = SimpleNamespace(blocks=(Code(text, "prisma", file, file),))
    monkeypatch.setattr(preparing, "export", lambda *_, **__: report)


def test_a_raw_driver_has_no_models(tmp_path):
    assert prepare(CONTESTANTS["psycopg"], read("credits"), tmp_path / "none") == ()
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["sqlalchemy", "sqlmodel", "django"])
def test_models_are_those_that_a_user_takes_away(tmp_path, name):
    plan, contestant = read("credits"), CONTESTANTS[name]
    written = prepare(contestant, plan, tmp_path / "new" / name)
    files = {b.file: b.source for b in export(plan, contestant.export).blocks if isinstance(b, Code) and b.file}
    assert {path.name: path.read_text() for path in written} == files


@needs("prisma")
def test_prisma_generates_its_client_once_for_a_schema(tmp_path, monkeypatch):
    exporting(monkeypatch, "schema.prisma", SCHEMA)
    prepare(CONTESTANTS["prisma"], read("credits"), tmp_path)
    client = tmp_path / "client" / "index.js"
    first = client.stat().st_mtime_ns
    prepare(CONTESTANTS["prisma"], read("credits"), tmp_path)
    assert client.stat().st_mtime_ns == first
    exporting(monkeypatch, "schema.prisma", SCHEMA.replace("model Post", "/// What users write\nmodel Post"))
    prepare(CONTESTANTS["prisma"], read("credits"), tmp_path)
    assert client.stat().st_mtime_ns > first


@needs("prisma")
def test_a_schema_brings_preview_features_and_no_generators(tmp_path, monkeypatch):
    exporting(monkeypatch, "schema.prisma", SCHEMA)
    prepare(CONTESTANTS["prisma"], read("credits"), tmp_path)
    made = (tmp_path / "client.prisma").read_text()
    assert 'previewFeatures = ["views"]' in made
    assert "a-generator-that-is-not-here" not in made
    models = {one["name"]: one for one in json.loads((tmp_path / "dmmf.json").read_text())["datamodel"]["models"]}
    assert models["Post"]["primaryKey"] == {"name": "both", "fields": ["a", "b"]}
    user = next(field for field in models["Post"]["fields"] if field["name"] == "user")
    assert (user["relationFromFields"], user["relationToFields"]) == (["userId"], ["id"])


@needs("prisma")
def test_what_prisma_refuses_is_said_in_its_words(tmp_path, monkeypatch):
    exporting(monkeypatch, "schema.prisma", OWN)
    with pytest.raises(NotCovered, match="Prisma refuses the schema: .*not a valid field") as refused:
        prepare(CONTESTANTS["prisma"], read("credits"), tmp_path)
    assert str(tmp_path) not in str(refused.value)


@needs("typeorm")
def test_entities_become_javascript_with_their_decorators(tmp_path):
    prepare(CONTESTANTS["typeorm"], read("credits"), tmp_path)
    script = (
        "import 'reflect-metadata'; import { getMetadataArgsStorage } from 'typeorm';"
        "await import('./entities.mjs');"
        "console.log(getMetadataArgsStorage().tables.map((one) => one.name).sort().join())"
    )
    (tmp_path / "tables.mjs").write_text(script)
    program = str(node_program().program)
    said = subprocess.run([program, "tables.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.strip().split(",") == sorted(table.name for table in read("credits").tables)
