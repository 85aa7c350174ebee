"""Piccolo."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from piccolo.columns import BigInt, Integer, Text
from piccolo.table import Table
from piccolo.utils.encoding import dump_json

from dbplan.errors import NotCovered
from dbplan.orms.features.judging import NO, YES
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import awaited_refusal, decimal_seen, enum_seen, typed_seen

_SETTINGS = """\
from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

DB = PostgresEngine(config={})
APP_REGISTRY = AppRegistry(apps=["probed_app"])
"""
_APP = """\
import os

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="probed",
    migrations_folder_path=os.path.join(os.path.dirname(os.path.abspath(__file__)), "piccolo_migrations"),
    table_classes=table_finder(modules=["tables"]),
)
"""


def _model(db: Any, table: str = "accounts") -> Any:
    return db.face(table).model


async def _made(db: Any, number: int = 1, **values: Any) -> None:
    row = account(number, **values)
    await _model(db)(**{**row, "profile": dump_json(row["profile"])}).save()


async def _first(db: Any) -> Any:
    model = _model(db)
    return await model.objects().where(model.id == 1).first().output(load_json=True)


async def enums(db: Any) -> dict[str, Any]:
    """Write a label, and one that there is not."""
    model = _model(db, "members")
    await model.insert(model(id=1, status="paused"))
    held = (await model.objects().first()).status
    return enum_seen(held, await awaited_refusal(_wrong(model)))


async def _wrong(model: Any) -> None:
    await model.insert(model(id=2, status="nonsense"))


async def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    await _made(db, balance=EXACT)
    return decimal_seen((await _first(db)).balance)


async def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    await _made(db, profile=DOCUMENT)
    await _made(db, 2)
    model = _model(db)
    found = await model.objects().where(model.profile.arrow("city") == dump_json(DOCUMENT["city"]))
    return {"read": (await _first(db)).profile, "found": [one.id for one in found]}


async def composite_keys(db: Any) -> dict[str, Any]:
    """Make a table with a key of two columns, and remove an object of it: the key says which row that is."""
    own = _model(db, "entries")._meta

    class Entry(Table, tablename=own.tablename, db=own.db):
        account_id = BigInt(primary_key=True)
        number = Integer(primary_key=True)
        note = Text()

    await Entry.raw("INSERT INTO accounts (id, email, balance, profile) VALUES (2, '2', 1, {})", "{}")
    await Entry.raw("INSERT INTO entries (account_id, number, note) VALUES (2, 2, 'of another')")
    found: Any = await Entry.objects().get((Entry.account_id == 1) & (Entry.number == 2))
    await found.remove()
    left = await Entry.count()
    if left != 2:
        raise NotCovered(f"of a key of two columns it took one: remove() of an object left {left} of 3 rows")
    return {"note": found.note, "related": None}


async def upsert(db: Any) -> dict[str, Any]:
    """Insert, or update on a conflict."""
    model = _model(db)
    for number, balance in ((1, 2), (2, 3)):
        row = account(number, balance=Decimal(balance), profile="{}")
        query = model.insert(model(**row))
        await query.on_conflict(target=model.id, action="DO UPDATE", values=[model.balance])
    return {}


async def bulk_insert(db: Any) -> dict[str, Any]:
    """Insert objects."""
    await _model(db).insert(*(_model(db)(**account(number, profile="{}")) for number in range(1, MANY + 1)))
    return {}


async def streaming(db: Any) -> dict[str, Any]:
    """Read in batches of 100."""
    count = 0
    async with await _model(db).objects().batch(batch_size=100) as batches:
        async for batch in batches:
            count += len(batch)
    return {"rows": count}


async def cascades(db: Any) -> dict[str, Any]:
    """Remove an object."""
    await (await _first(db)).remove()
    return {}


async def _undone(db: Any) -> None:
    async with db.engine.transaction():
        await _made(db)
        raise RuntimeError("undo")


async def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    return {"raised": await awaited_refusal(_undone(db)) is not None}


async def savepoints(db: Any) -> dict[str, Any]:
    """Undo a part alone."""
    async with db.engine.transaction() as transaction:
        await _made(db)
        savepoint = await transaction.savepoint()
        await _made(db, 2)
        await savepoint.rollback_to()
        await _made(db, 3)
    return {}


async def soft_delete(db: Any) -> dict[str, Any]:
    """Have a table's own objects() leave out what is gone."""
    model = _model(db)

    class Present(model, tablename=model._meta.tablename, db=model._meta.db):  # type: ignore[misc, valid-type, call-arg]
        @classmethod
        def objects(cls, *prefetch: Any) -> Any:
            return super().objects(*prefetch).where(cls.gone_at.is_null())

    await model.raw("UPDATE accounts SET gone_at = now() WHERE id = 1")
    visible = [one.id for one in await Present.objects().order_by(Present.id)]
    return {"visible": visible, "built_in": False, "how": "by an objects() of one's own"}


async def migrations(_: Any) -> dict[str, Any]:
    """Have its command write a first migration."""
    Path("piccolo_conf.py").write_text(_SETTINGS, "utf-8")
    Path("probed_app.py").write_text(_APP, "utf-8")
    folder = Path("piccolo_migrations")
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    program = "from piccolo.main import main; main()"
    command = [sys.executable, "-c", program, "migrations", "new", "probed", "--auto"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    written = [path.name for path in folder.glob("probed*.py")]
    if not written:
        said = " ".join((ran.stdout + ran.stderr).split())
        return {"answer": NO, "how": f"piccolo migrations new --auto wrote nothing: {said[-120:]}"}
    tables = sum(path.read_text("utf-8").count("add_table(") for path in folder.glob("probed*.py"))
    return {"answer": YES, "how": f"piccolo migrations new --auto wrote a file that adds {tables} tables"}


async def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL."""
    rows = await _model(db).raw("SELECT id, email FROM accounts WHERE id = {}", 1)
    return {"rows": [list(row.values()) for row in rows]}


async def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    source = (
        "from tables import Account\nasync def f() -> None:\n"
        "    one = await Account.objects().get(Account.id == 1)\n    assert one is not None"
    )
    return typed_seen(source, indent="    ")
