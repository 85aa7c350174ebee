"""SQLAlchemy's ORM."""

from __future__ import annotations

import importlib.metadata
from decimal import Decimal
from typing import Any

from sqlalchemy import event, insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, with_loader_criteria

from dbplan.orms.features.judging import PARTLY
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import decimal_seen, enum_seen, refusal, typed_seen


def _entity(db: Any, table: str = "accounts") -> Any:
    return db.models.mapped(table).entity


def _made(db: Any, number: int = 1, **values: Any) -> Any:
    return _entity(db)(**account(number, **values))


def _add(db: Any, *made: Any) -> None:
    with db.writes.begin() as session:
        session.add_all(made)


def _first(db: Any) -> Any:
    with db.reads() as session:
        return session.get(_entity(db), 1)


def enums(db: Any) -> dict[str, Any]:
    """Write a member, and a label that there is not."""
    entity = _entity(db, "members")
    member = entity.__table__.c.status.type.python_type("paused")
    _add(db, entity(id=1, status=member))
    with db.reads() as session:
        held = session.get(entity, 1).status
    return enum_seen(held, refusal(lambda: _add(db, entity(id=2, status="nonsense"))))


def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    _add(db, _made(db, balance=EXACT))
    return decimal_seen(_first(db).balance)


def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    _add(db, _made(db, profile=DOCUMENT), _made(db, 2))
    with db.reads() as session:
        entity = _entity(db)
        found = session.scalars(select(entity).where(entity.profile["city"].astext == DOCUMENT["city"])).all()
        return {"read": _first(db).profile, "found": [one.id for one in found]}


def composite_keys(db: Any) -> dict[str, Any]:
    """Get by a key of two columns, and what refers to it."""
    with db.reads() as session:
        found = session.get(_entity(db, "entries"), (1, 2))
        return {"note": found.note, "related": [part.id for part in found.parts]}


def upsert(db: Any) -> dict[str, Any]:
    """Insert on conflict do update."""
    with db.writes.begin() as session:
        for number, balance in ((1, 2), (2, 3)):
            row = account(number, balance=Decimal(balance))
            made = postgresql.insert(_entity(db)).values(**row)
            session.execute(made.on_conflict_do_update(index_elements=["id"], set_={"balance": made.excluded.balance}))
    return {}


def bulk_insert(db: Any) -> dict[str, Any]:
    """Insert a list."""
    rows = [account(number) for number in range(1, MANY + 1)]
    with db.writes.begin() as session:
        session.execute(insert(_entity(db)), rows)
    return {"batched": "psycopg's executemany, which sends them in a pipeline"}


def streaming(db: Any) -> dict[str, Any]:
    """Read in parts of 100 by a cursor on the server."""
    query = select(_entity(db)).execution_options(yield_per=100)
    with db.writes() as session:
        return {"rows": sum(1 for _ in session.scalars(query))}


def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    with db.writes.begin() as session:
        session.delete(session.get(_entity(db), 1))
    return {}


def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    return {"raised": refusal(lambda: _undone(db)) is not None}


def _undone(db: Any) -> None:
    with db.writes.begin() as session:
        session.add(_made(db))
        session.flush()
        raise RuntimeError("undo")


def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone."""
    with db.writes.begin() as session:
        session.add(_made(db))
        session.flush()
        refusal(lambda: _nested(db, session))
        session.add(_made(db, 3))
    return {}


def _nested(db: Any, session: Any) -> None:
    with session.begin_nested():
        session.add(_made(db, 2))
        session.flush()
        raise RuntimeError("undo")


def soft_delete(db: Any) -> dict[str, Any]:
    """Have every query leave out what is gone, by an event and a criterion on the entity."""
    entity = _entity(db)

    def without_gone(state: Any) -> None:
        state.statement = state.statement.options(with_loader_criteria(entity, entity.gone_at.is_(None)))

    with db.writes.begin() as session:
        session.execute(text("UPDATE accounts SET gone_at = now() WHERE id = 1"))
    event.listen(Session, "do_orm_execute", without_gone)
    try:
        with db.reads() as session:
            visible = [one.id for one in session.scalars(select(entity))]
    finally:
        event.remove(Session, "do_orm_execute", without_gone)
    return {"visible": visible, "built_in": False, "how": "by a do_orm_execute event with with_loader_criteria"}


def migrations(db: Any) -> dict[str, Any]:
    """Compare the models with the database by Alembic, which is a package of its own."""
    return {"answer": PARTLY, "how": compared(db.engine, _entity(db).metadata)}


def compared(engine: Any, metadata: Any) -> str:
    """Return what Alembic's autogenerate sees."""
    with engine.connect() as connection:
        return changes(connection, metadata)


def changes(connection: Any, metadata: Any) -> str:
    """Return what Alembic's autogenerate sees through a connection."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    found = compare_metadata(MigrationContext.configure(connection), metadata)
    alembic = f"Alembic {importlib.metadata.version('alembic')}"
    return f"a package of its own, {alembic}: its autogenerate saw {len(found)} changes"


def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    with db.reads() as session:
        query = text("SELECT id, email FROM accounts WHERE id = :id")
        rows = [list(row) for row in session.execute(query, {"id": 1})]
        objects = session.scalars(select(_entity(db)).from_statement(text("SELECT * FROM accounts"))).all()
    return {"rows": rows, "objects": len(objects) == 2}


def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    return typed_seen(
        "from models import Account\nfrom sqlalchemy.orm import Session\nsession: Session\n"
        "one = session.get_one(Account, 1)"
    )
