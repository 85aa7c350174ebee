"""SQLAlchemy Core."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql

from dbplan.orms.features.judging import PARTLY
from dbplan.orms.features.python.sqlalchemy import compared
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import decimal_seen, enum_seen, refusal, typed_seen


def _table(db: Any, name: str = "accounts") -> Table:
    found = db.models.table(name).entity
    assert isinstance(found, Table)
    return found


def _add(db: Any, row: dict[str, Any], table: str = "accounts") -> None:
    with db.engine.begin() as connection:
        connection.execute(insert(_table(db, table)).values(**row))


def _all(db: Any, query: Any) -> list[Any]:
    with db.reads.connect() as connection:
        return list(connection.execute(query))


def enums(db: Any) -> dict[str, Any]:
    """Write a member, and a label that there is not."""
    members = _table(db, "members")
    kind: Any = members.c.status.type
    _add(db, {"id": 1, "status": kind.python_type("paused")}, "members")
    held = _all(db, select(members.c.status))[0].status
    return enum_seen(held, refusal(lambda: _add(db, {"id": 2, "status": "nonsense"}, "members")))


def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    _add(db, account(balance=EXACT))
    return decimal_seen(_all(db, select(_table(db).c.balance))[0].balance)


def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    _add(db, account(profile=DOCUMENT))
    _add(db, account(2))
    table: Any = _table(db)
    found = _all(db, select(table).where(table.c.profile["city"].astext == DOCUMENT["city"]))
    return {"read": _all(db, select(table.c.profile).where(table.c.id == 1))[0].profile, "found": [r.id for r in found]}


def composite_keys(db: Any) -> dict[str, Any]:
    """Select by two columns, and join what refers to them by the foreign key."""
    entries, parts = _table(db, "entries"), _table(db, "parts")
    query = select(entries.c.note, parts.c.id).join_from(entries, parts)
    rows = _all(db, query.where(entries.c.account_id == 1, entries.c.number == 2))
    return {"note": rows[0].note, "related": [row.id for row in rows]}


def upsert(db: Any) -> dict[str, Any]:
    """Insert on conflict do update."""
    with db.engine.begin() as connection:
        for number, balance in ((1, 2), (2, 3)):
            made = postgresql.insert(_table(db)).values(**account(number, balance=Decimal(balance)))
            found = made.on_conflict_do_update(index_elements=["id"], set_={"balance": made.excluded.balance})
            connection.execute(found)
    return {}


def bulk_insert(db: Any) -> dict[str, Any]:
    """Insert a list."""
    with db.engine.begin() as connection:
        connection.execute(insert(_table(db)), [account(number) for number in range(1, MANY + 1)])
    return {"batched": "psycopg's executemany, which sends them in a pipeline"}


def streaming(db: Any) -> dict[str, Any]:
    """Read in parts of 100 by a cursor on the server."""
    with db.engine.connect() as connection:
        query = select(_table(db)).execution_options(yield_per=100)
        return {"rows": sum(1 for _ in connection.execute(query))}


def cascades(db: Any) -> dict[str, Any]:
    """Delete a row."""
    table = _table(db)
    with db.engine.begin() as connection:
        connection.execute(delete(table).where(table.c.id == 1))
    return {}


def _undone(db: Any) -> None:
    with db.engine.begin() as connection:
        connection.execute(insert(_table(db)).values(**account()))
        raise RuntimeError("undo")


def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    return {"raised": refusal(lambda: _undone(db)) is not None}


def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone."""
    with db.engine.begin() as connection:
        connection.execute(insert(_table(db)).values(**account()))
        refusal(lambda: _nested(db, connection))
        connection.execute(insert(_table(db)).values(**account(3)))
    return {}


def _nested(db: Any, connection: Any) -> None:
    with connection.begin_nested():
        connection.execute(insert(_table(db)).values(**account(2)))
        raise RuntimeError("undo")


def soft_delete(db: Any) -> dict[str, Any]:
    """Select what is left once a row is marked: a table can be given no filter that its queries take."""
    accounts = _table(db)
    with db.engine.begin() as connection:
        connection.execute(update(accounts).where(accounts.c.id == 1).values(gone_at=func.now()))
    visible = [row.id for row in _all(db, select(accounts.c.id).order_by(accounts.c.id))]
    return {"visible": visible, "built_in": False, "how": ""}


def migrations(db: Any) -> dict[str, Any]:
    """Compare the tables with the database by Alembic, which is a package of its own."""
    return {"answer": PARTLY, "how": compared(db.engine, _table(db).metadata)}


def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL."""
    with db.reads.connect() as connection:
        query = text("SELECT id, email FROM accounts WHERE id = :id")
        return {"rows": [list(row) for row in connection.execute(query, {"id": 1})]}


def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of a row."""
    return typed_seen(
        "from models import Account\nfrom sqlalchemy import Connection, select\nconnection: Connection\n"
        "one = connection.execute(select(Account.__table__)).one()"
    )
