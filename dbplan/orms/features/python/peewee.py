"""Peewee."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

from peewee import fn
from playhouse.migrations import main
from playhouse.postgres_ext import ServerSide

from dbplan.orms.features.judging import NO, YES
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import decimal_seen, enum_seen, refusal, typed_seen


def _model(db: Any, table: str = "accounts") -> Any:
    return db.models.face(table).model


def _made(db: Any, number: int = 1, **values: Any) -> Any:
    return _model(db).create(**account(number, **values))


def enums(db: Any) -> dict[str, Any]:
    """Write a label, and one that there is not."""
    model = _model(db, "members")
    model.create(id=1, status="paused")
    return enum_seen(model.get().status, refusal(lambda: model.create(id=2, status="nonsense")))


def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    _made(db, balance=EXACT)
    return decimal_seen(_model(db).get().balance)


def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    _made(db, profile=DOCUMENT)
    _made(db, 2)
    model = _model(db)
    found = model.select().where(model.profile["city"] == DOCUMENT["city"])
    return {"read": model.get_by_id(1).profile, "found": [one.id for one in found]}


def composite_keys(db: Any) -> dict[str, Any]:
    """Get by a key of two columns; Peewee has no foreign key to it."""
    found = _model(db, "entries").get_by_id((1, 2))
    related = getattr(found, "parts", None)
    return {"note": found.note, "related": related and [part.id for part in related]}


def upsert(db: Any) -> dict[str, Any]:
    """Insert, on conflict keep the new value."""
    model = _model(db)
    rows = [account(number, balance=Decimal(balance)) for number, balance in ((1, 2), (2, 3))]
    model.insert_many(rows).on_conflict(conflict_target=[model.id], preserve=[model.balance]).execute()
    return {}


def bulk_insert(db: Any) -> dict[str, Any]:
    """Insert many."""
    _model(db).insert_many([account(number) for number in range(1, MANY + 1)]).execute()
    return {}


def streaming(db: Any) -> dict[str, Any]:
    """Iterate by a cursor on the server."""
    with db.pool.atomic():
        return {"rows": sum(1 for _ in ServerSide(_model(db).select()))}


def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    _model(db).get_by_id(1).delete_instance()
    return {}


def _undone(db: Any, number: int) -> None:
    with db.pool.atomic():
        _made(db, number)
        raise RuntimeError("undo")


def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    return {"raised": refusal(lambda: _undone(db, 1)) is not None}


def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone."""
    with db.pool.atomic():
        _made(db)
        refusal(lambda: _undone(db, 2))
        _made(db, 3)
    return {}


def soft_delete(db: Any) -> dict[str, Any]:
    """Have a model's own select() leave out what is gone."""
    model = _model(db)

    class Present(model):  # type: ignore[misc, valid-type]
        class Meta:
            table_name = model._meta.table_name

        @classmethod
        def select(cls, *fields: Any) -> Any:
            return super().select(*fields).where(cls.gone_at.is_null())

    model.update(gone_at=fn.now()).where(model.id == 1).execute()
    visible = [one.id for one in Present.select().order_by(Present.id)]
    return {"visible": visible, "built_in": False, "how": "by a select() of one's own"}


def migrations(_: Any) -> dict[str, Any]:
    """Have its command write a first migration."""
    said = io.StringIO()
    with redirect_stdout(said):
        main(["models.database", "initial", "models", "-d", "migrations"])
    written = sorted(path.name for path in Path("migrations").glob("*.py"))
    how = f"pwmigrate initial wrote {', '.join(written)}" if written else " ".join(said.getvalue().split())
    return {"answer": YES if written else NO, "how": how}


def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    rows = db.pool.execute_sql("SELECT id, email FROM accounts WHERE id = %s", (1,)).fetchall()
    objects = list(_model(db).raw("SELECT * FROM accounts"))
    return {"rows": [list(row) for row in rows], "objects": len(objects) == 2}


def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    return typed_seen("from models import Account\none = Account.get_by_id(1)")
