"""SQLModel: its own Session, select and exec; SQLAlchemy's words where it has none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import event, insert, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import with_loader_criteria
from sqlmodel import Session, col, select

from dbplan.orms.features.python import sqlalchemy
from dbplan.orms.features.questions import DOCUMENT, EXACT, MANY, account
from dbplan.orms.features.seeing import decimal_seen, enum_seen, refusal, typed_seen


def _entity(db: Any, table: str = "accounts") -> Any:
    return db.models.mapped(table).entity


def _session(engine: Any) -> Any:
    return Session(engine)


def _add(db: Any, *made: Any) -> None:
    with _session(db.engine) as session:
        session.add_all(made)
        session.commit()


def _made(db: Any, number: int = 1, **values: Any) -> Any:
    return _entity(db)(**account(number, **values))


def _first(db: Any, table: str = "accounts") -> Any:
    with _session(db.reads) as session:
        return session.get(_entity(db, table), 1)


def enums(db: Any) -> dict[str, Any]:
    """Write a member, and a label that there is not."""
    entity = _entity(db, "members")
    _add(db, entity(id=1, status=entity.__table__.c.status.type.python_type("paused")))
    return enum_seen(_first(db, "members").status, refusal(lambda: _add(db, entity(id=2, status="nonsense"))))


def decimals(db: Any) -> dict[str, Any]:
    """Write many digits."""
    _add(db, _made(db, balance=EXACT))
    return decimal_seen(_first(db).balance)


def documents(db: Any) -> dict[str, Any]:
    """Write a document, and find it by a key."""
    _add(db, _made(db, profile=DOCUMENT), _made(db, 2))
    entity = _entity(db)
    with _session(db.reads) as session:
        found = session.exec(select(entity).where(entity.profile["city"].astext == DOCUMENT["city"])).all()
        return {"read": _first(db).profile, "found": [one.id for one in found]}


def composite_keys(db: Any) -> dict[str, Any]:
    """Get by a key of two columns, and what refers to it."""
    with _session(db.reads) as session:
        found = session.get(_entity(db, "entries"), (1, 2))
        return {"note": found.note, "related": [part.id for part in found.parts]}


def upsert(db: Any) -> dict[str, Any]:
    """Insert on conflict do update, in SQLAlchemy's words."""
    with _session(db.engine) as session:
        for number, balance in ((1, 2), (2, 3)):
            made = postgresql.insert(_entity(db)).values(**account(number, balance=Decimal(balance)))
            session.exec(made.on_conflict_do_update(index_elements=["id"], set_={"balance": made.excluded.balance}))
        session.commit()
    return {}


def bulk_insert(db: Any) -> dict[str, Any]:
    """Insert a list, in SQLAlchemy's words."""
    with _session(db.engine) as session:
        session.exec(insert(_entity(db)), params=[account(number) for number in range(1, MANY + 1)])
        session.commit()
    return {"batched": "psycopg's executemany, which sends them in a pipeline"}


def streaming(db: Any) -> dict[str, Any]:
    """Read in parts of 100 by a cursor on the server."""
    with _session(db.engine) as session:
        query = select(_entity(db)).execution_options(yield_per=100)
        return {"rows": sum(1 for _ in session.exec(query))}


def cascades(db: Any) -> dict[str, Any]:
    """Delete an object."""
    with _session(db.engine) as session:
        session.delete(session.get(_entity(db), 1))
        session.commit()
    return {}


def transactions(db: Any) -> dict[str, Any]:
    """Raise within a transaction, after a write."""
    return {"raised": refusal(lambda: _undone(db)) is not None}


def _undone(db: Any) -> None:
    with _session(db.engine) as session:
        session.add(_made(db))
        session.flush()
        raise RuntimeError("undo")


def savepoints(db: Any) -> dict[str, Any]:
    """Undo a nested part alone."""
    with _session(db.engine) as session:
        session.add(_made(db))
        session.flush()
        refusal(lambda: _nested(db, session))
        session.add(_made(db, 3))
        session.commit()
    return {}


def _nested(db: Any, session: Any) -> None:
    with session.begin_nested():
        session.add(_made(db, 2))
        session.flush()
        raise RuntimeError("undo")


def soft_delete(db: Any) -> dict[str, Any]:
    """Have every query leave out what is gone, by SQLAlchemy's event and a criterion on the entity."""
    entity = _entity(db)

    def without_gone(state: Any) -> None:
        state.statement = state.statement.options(with_loader_criteria(entity, col(entity.gone_at).is_(None)))

    with _session(db.engine) as session:
        session.exec(text("UPDATE accounts SET gone_at = now() WHERE id = 1"))
        session.commit()
    with _session(db.reads) as session:
        event.listen(session, "do_orm_execute", without_gone)
        visible = [one.id for one in session.exec(select(entity))]
    return {"visible": visible, "built_in": False, "how": "by SQLAlchemy's do_orm_execute with with_loader_criteria"}


migrations = sqlalchemy.migrations


def raw_sql(db: Any) -> dict[str, Any]:
    """Select by SQL, as rows and as objects."""
    with _session(db.reads) as session:
        query = text("SELECT id, email FROM accounts WHERE id = :id")
        rows = [list(row) for row in session.exec(query, params={"id": 1})]
        objects = session.exec(select(_entity(db)).from_statement(text("SELECT * FROM accounts"))).all()
    return {"rows": rows, "objects": len(objects) == 2}


def typed_results(_: Any) -> dict[str, Any]:
    """Ask mypy for the type of an object."""
    return typed_seen(
        "from models import Account\nfrom sqlmodel import Session, select\nsession: Session\n"
        "one = session.exec(select(Account)).one()"
    )
