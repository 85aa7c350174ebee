"""Django."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import connection, models, transaction

from dbplan.orms.features.judging import PARTLY, YES
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import decimal_seen, enum_seen, refusal, typed_seen


def model(db: Any, table: str = "accounts") -> Any:
    """Return the model of a table."""
    return db.models.face(table).model


def _made(db: Any, number: int = 1, **values: Any) -> Any:
    return model(db).objects.create(**account(number, **values))


def enums(db: Any) -> dict[str, Any]:
    """Write a label, and one that there is not."""
    members = model(db, "members").objects
    members.create(id=1, status="paused")
    return enum_seen(members.get().status, refusal(lambda: members.create(id=2, status="nonsense")))


def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    _made(db, balance=EXACT)
    return decimal_seen(model(db).objects.get().balance)


def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    _made(db, profile=DOCUMENT)
    _made(db, 2)
    found = model(db).objects.filter(profile__city=DOCUMENT["city"])
    return {"read": model(db).objects.get(pk=1).profile, "found": [one.id for one in found]}


def composite_keys(db: Any) -> dict[str, Any]:
    """Get by a key of two columns; Django has no foreign key to it."""
    found = model(db, "entries").objects.get(pk=(1, 2))
    related = getattr(found, "parts", None)
    return {"note": found.note, "related": related and [part.id for part in related.all()]}


CONFLICT = {"update_conflicts": True, "unique_fields": ["id"], "update_fields": ["balance"]}


def upsert(db: Any) -> dict[str, Any]:
    """Create in bulk, and update on conflict."""
    model(db).objects.bulk_create(richer(db), **CONFLICT)
    return {}


def richer(db: Any) -> list[Any]:
    """Return an account that is there, and one that is not."""
    return [model(db)(**account(number, balance=Decimal(balance))) for number, balance in ((1, 2), (2, 3))]


def bulk_insert(db: Any) -> dict[str, Any]:
    """Create in bulk."""
    model(db).objects.bulk_create([model(db)(**account(number)) for number in range(1, MANY + 1)])
    return {}


def streaming(db: Any) -> dict[str, Any]:
    """Iterate by a cursor on the server."""
    return {"rows": sum(1 for _ in model(db).objects.iterator(chunk_size=100))}


def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    model(db).objects.get(pk=1).delete()
    return {}


def _undone(db: Any, number: int) -> None:
    with transaction.atomic():
        _made(db, number)
        raise RuntimeError("undo")


def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    return {"raised": refusal(lambda: _undone(db, 1)) is not None}


def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone."""
    with transaction.atomic():
        _made(db)
        refusal(lambda: _undone(db, 2))
        _made(db, 3)
    return {}


def soft_delete(db: Any) -> dict[str, Any]:
    """Have a manager leave out what is gone, as the default one of a proxy."""
    return without_gone([one.id for one in present(db).objects.all()])


def without_gone(visible: list[int]) -> dict[str, Any]:
    """Tell what a manager of one's own lets be seen."""
    return {"visible": visible, "built_in": False, "how": "by a manager of one's own"}


def present(db: Any) -> Any:
    """Have one account gone, and return a proxy of the model whose manager leaves it out."""

    class Present(models.Manager):  # type: ignore[misc]
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(gone_at__isnull=True)

    whole = model(db)
    whole.objects.filter(pk=1).update(gone_at=models.functions.Now())
    meta = type("Meta", (), {"proxy": True, "app_label": whole._meta.app_label})
    return type("PresentAccount", (whole,), {"objects": Present(), "Meta": meta, "__module__": __name__})


def migrations(db: Any) -> dict[str, Any]:
    """Have Django write a first migration, and print it."""
    said = io.StringIO()
    label = model(db)._meta.app_label
    call_command("makemigrations", label, dry_run=True, verbosity=1, stdout=said)
    made = [line.strip(" +") for line in said.getvalue().splitlines() if "Create model" in line]
    whole = f"makemigrations {label} --dry-run: {', '.join(made)}"
    return {"answer": YES if len(made) == 4 else PARTLY, "how": whole}


ALL = "SELECT * FROM accounts"


def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    return {"rows": rows(db), "objects": len(list(model(db).objects.raw(ALL))) == 2}


def rows(_: Any) -> list[list[Any]]:
    """Return rows by a cursor."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, email FROM accounts WHERE id = %s", [1])
        return [list(row) for row in cursor.fetchall()]


UNTYPED = "without django-stubs"


def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object, without the plug-in that others give for it."""
    return typed_seen("from models import Account\none = Account.objects.get(pk=1)", UNTYPED)
