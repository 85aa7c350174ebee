"""Our DDL of a Prisma schema and Prisma's own, both applied to empty databases of a real server, and compared."""

import json
from dataclasses import replace

from node_tools import node
from sqlalchemy import MetaData

from dbplan.comparison import differences
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.sources import read
from dbplan.sources.catalog import snapshot

EMPTY = Plan("empty", MetaData())


def prisma_ddl(paths):
    """Return Prisma's own DDL of schemas, each in a file of its own; AssertionError for one that it refuses."""
    answers = json.loads(node("prisma.mjs", "each", *paths))
    for path, answer in zip(paths, answers, strict=True):
        assert answer["ok"], f"{path}: {answer['text']}"
    return [answer["text"] for answer in answers]


def unequal(path, ddl):
    """Return where a database made of the plan differs from one made by Prisma's DDL."""
    plan = read(path)
    on = plan.metadata.info["dialect"]
    with sandbox(EMPTY, on, create=False) as theirs, sandbox(plan, on) as ours:
        _run(theirs, ddl)
        assert ours.refused == ()
        return differences(_catalog(theirs), _catalog(ours))


def _run(stage, ddl):
    raw = stage.engine.raw_connection()
    if stage.dialect == "sqlite":
        raw.executescript(ddl)
    else:
        raw.driver_connection.execute(ddl, prepare=False)
    raw.commit()
    raw.close()


def _catalog(stage):
    """Return what the server says; comments are left out, for Prisma keeps them from the database."""
    with stage.engine.connect() as connection:
        catalog = snapshot(connection)
    assert catalog.objects
    kept = (replace(o, properties=tuple(p for p in o.properties if p[0] != "comment")) for o in catalog.objects)
    return replace(catalog, objects=tuple(kept))
