"""Tortoise."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from tortoise import fields
from tortoise.connection import connections
from tortoise.manager import Manager
from tortoise.models import Model
from tortoise.transactions import in_transaction

from dbplan.orms.features.judging import NO, YES
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import awaited_refusal, decimal_seen, enum_seen, typed_seen

_CONFIGURATION = """\
TORTOISE_ORM = {
    "connections": {"default": "sqlite://:memory:"},
    "apps": {"models": {"models": ["models"], "default_connection": "default", "migrations": "probed_migrations"}},
}
"""


def _model(db: Any, table: str = "accounts") -> Any:
    return db.face(table).model


async def _made(db: Any, number: int = 1, **values: Any) -> Any:
    return await _model(db).create(**account(number, **values))


async def enums(db: Any) -> dict[str, Any]:
    """Write a label, and one that there is not."""
    model = _model(db, "members")
    await model.create(id=1, status="paused")
    return enum_seen((await model.get(id=1)).status, await awaited_refusal(_created(model)))


async def _created(model: Any) -> None:
    await model.create(id=2, status="nonsense")


async def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    await _made(db, balance=EXACT)
    return decimal_seen((await _model(db).get(id=1)).balance)


async def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    await _made(db, profile=DOCUMENT)
    await _made(db, 2)
    found = await _model(db).filter(profile__filter={"city": DOCUMENT["city"]})
    return {"read": (await _model(db).get(id=1)).profile, "found": [one.id for one in found]}


async def composite_keys(_: Any) -> dict[str, Any]:
    """Make a model with a key of two columns."""

    class Entry(Model):
        account_id = fields.BigIntField(primary_key=True)
        number = fields.IntField(primary_key=True)
        note = fields.TextField()

        class Meta:
            table = "entries"

    found = await Entry.get(pk=(1, 2))
    return {"note": found.note, "related": None}


async def upsert(db: Any) -> dict[str, Any]:
    """Create in bulk, and update on conflict."""
    rows = [_model(db)(**account(number, balance=Decimal(balance))) for number, balance in ((1, 2), (2, 3))]
    await _model(db).bulk_create(rows, on_conflict=["id"], update_fields=["balance"])
    return {}


async def bulk_insert(db: Any) -> dict[str, Any]:
    """Create in bulk."""
    await _model(db).bulk_create([_model(db)(**account(number)) for number in range(1, MANY + 1)])
    return {"batched": "asyncpg's executemany, which sends them in one go"}


async def streaming(db: Any) -> dict[str, Any]:
    """Iterate over a query."""
    return {"rows": len([None async for _ in _model(db).all()])}


async def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    await (await _model(db).get(id=1)).delete()
    return {}


async def _undone(db: Any, number: int) -> None:
    async with in_transaction():
        await _made(db, number)
        raise RuntimeError("undo")


async def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    return {"raised": await awaited_refusal(_undone(db, 1)) is not None}


async def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone."""
    async with in_transaction():
        await _made(db)
        await awaited_refusal(_undone(db, 2))
        await _made(db, 3)
    return {}


async def soft_delete(db: Any) -> dict[str, Any]:
    """Have the manager of the model leave out what is gone."""

    class Present(Manager):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(gone_at__isnull=True)

    model = _model(db)
    await connections.get("default").execute_query("UPDATE accounts SET gone_at = now() WHERE id = 1")
    before, model._meta.manager = model._meta.manager, Present(model)
    try:
        visible = [one.id for one in await model.all().order_by("id")]
    finally:
        model._meta.manager = before
    return {"visible": visible, "built_in": False, "how": "by a manager of one's own"}


async def migrations(_: Any) -> dict[str, Any]:
    """Have its command write a first migration."""
    Path("probed_settings.py").write_text(_CONFIGURATION, "utf-8")
    said = [_command("init"), _command("makemigrations")]
    written = sorted(path.name for path in Path("probed_migrations").glob("0*.py"))
    if not written:
        return {"answer": NO, "how": f"tortoise makemigrations wrote nothing: {' '.join(said[-1].split())[-120:]}"}
    return {"answer": YES, "how": f"tortoise makemigrations wrote {', '.join(written)}"}


def _command(word: str) -> str:
    program = "from tortoise.cli import main; main()"
    command = [sys.executable, "-c", program, "-c", "probed_settings.TORTOISE_ORM", word]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return ran.stdout + ran.stderr


async def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    found = await connections.get("default").execute_query_dict("SELECT id, email FROM accounts WHERE id = $1", [1])
    objects = await _model(db).raw("SELECT * FROM accounts")
    return {"rows": [list(row.values()) for row in found], "objects": len(objects) == 2}


async def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    return typed_seen(
        "from models import Account\nasync def f() -> None:\n    one = await Account.get(id=1)", indent="    "
    )
