"""A contestant's runner in this process, on a database of the crooked tables."""

import asyncio
from contextlib import contextmanager
from dataclasses import asdict

import pytest
import sqlmodel
from exports.python_modules import sqlmodel_anew
from orms.adapters.crooked import ALL, KEYS, ROWS

from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.kinds import kind
from dbplan.orms.runner import Runner
from dbplan.orms.scenarios import Study, TableFacts

FACTS = {
    table.key: TableFacts(
        table.name, table.schema, KEYS[table],
        {n: {"kind": kind(table.columns[n].type), "nullable": table.columns[n].nullable, "made": False} for n in names},
    )
    for table, names in ALL.items()
}  # fmt: skip


def study(stage, models, tables=FACTS):
    url = stage.engine.url
    told = {
        "host": url.query.get("host", url.host), "port": int(url.query.get("port", url.port or 5432)),
        "user": url.username, "password": url.password, "database": url.database,
    }  # fmt: skip
    return asdict(Study("crooked", "postgresql", told, str(models), 2, tables))


@contextmanager
def runner(name, stage, models, tables=FACTS):
    found = Runner(CONTESTANTS[name].adapter)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlmodel, "SQLModel", sqlmodel_anew())
        try:
            found.open(study(stage, models, tables))
            yield found
        finally:
            found.close()
            asyncio.set_event_loop(None)


def answers(found, scenario, params):
    bound = found.bind(asdict(scenario))
    return bound if bound != {"ok": True} else found.check(params)["results"]


def state(stage):
    """Return every row of every table, as PostgreSQL writes it."""
    quote = stage.engine.dialect.identifier_preparer
    with stage.engine.connect() as connection:
        texts = {
            table.key: sorted(
                connection.exec_driver_sql(f"SELECT x::text FROM {quote.format_table(table)} AS x").scalars()
            )
            for table in ROWS
        }
    stage.engine.dispose()
    return texts
