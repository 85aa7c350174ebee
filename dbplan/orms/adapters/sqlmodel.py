"""SQLModel on psycopg or sqlite3: its own classes, select, Session and exec.

A write is `add`, `commit` and, where the row is wanted, `refresh`, as its documentation has it. What SQLModel has no
words of its own for is SQLAlchemy's: loader options, `insert()` with a list, `on_conflict_do_update`, AUTOCOMMIT.
"""

from __future__ import annotations

from typing import Any

import sqlmodel
from sqlmodel import Session, create_engine, select

from dbplan.orms.adapters import alchemy_statements as statements
from dbplan.orms.adapters.alchemy_engines import engine
from dbplan.orms.adapters.alchemy_loading import bound, identity
from dbplan.orms.adapters.alchemy_models import Models
from dbplan.orms.adapters.alchemy_statements import Bound
from dbplan.orms.adapters.drivers import driver
from dbplan.orms.adapters.joining import Row
from dbplan.orms.scenarios import Scenario, Study

IS_ASYNC = False


class Database:
    """An engine, one that reads, and the models."""

    def __init__(self, study: Study) -> None:
        self.engine = engine(study, create_engine)
        self.reads = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.models = Models(study, self.engine.dialect)


def open(study: Study) -> Database:
    """Load the models and make an engine."""
    return Database(study)


def close(db: Database) -> None:
    """Disconnect."""
    db.engine.dispose()


def version() -> dict[str, str]:
    """Return versions."""
    return {"version": sqlmodel.__version__, "driver": driver("psycopg")}


def ping(db: Database) -> None:
    """Ask for an answer."""
    with Session(db.reads) as session:
        session.exec(select(1)).one()


def bind(db: Database, scenario: Scenario) -> Bound:
    """Find the classes, attributes and relationships of a scenario."""
    return bound(db.models, scenario, select)


def adapt(_: Database, b: Bound, params: Row) -> Row:
    """Return parameters as a user of the models holds them."""
    return statements.adapted(b, params)


def insert_one(db: Database, b: Bound, params: Row) -> Row:
    """Add an instance."""
    with Session(db.engine) as session:
        made = b.own.entity(**params["row"])
        session.add(made)
        session.commit()
        session.refresh(made)
        return dict(b.read.row(made))


def bulk_insert(db: Database, b: Bound, params: Row) -> int:
    """Insert rows by one insert with a list."""
    rows = params["rows"]
    with Session(db.engine) as session:
        session.exec(statements.bulk_insert(b), params=rows)
        session.commit()
        return len(rows)


def point_read(db: Database, b: Bound, params: Row) -> Row | None:
    """Get an instance by its key."""
    with Session(db.reads) as session:
        found = session.get(b.own.entity, identity(b, params))
        return None if found is None else b.read.row(found)


def _all(db: Database, b: Bound, statement: Any) -> list[Row]:
    with Session(db.reads) as session:
        found: list[Row] = b.read.rows(session.exec(statement))
        return found


def filtered_list(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a value."""
    return _all(db, b, statements.filtered_list(b, params))


def keyset_page(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select what comes after a row."""
    return _all(db, b, statements.keyset_page(b, params))


def json_filter(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select by a key of a document."""
    return _all(db, b, statements.json_filter(b, params))


def list_to_one(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with parents, by joinedload."""
    return _all(db, b, statements.list_to_one(b, params))


def nested_include(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select with children, by selectinload."""
    return _all(db, b, statements.include(b, params))


deep_include = nested_include


def aggregate(db: Database, b: Bound, params: Row) -> list[Row]:
    """Select counts and sums."""
    with Session(db.reads) as session:
        return statements.totals(b, session.exec(statements.aggregate(b)).all())


def update_one(db: Database, b: Bound, params: Row) -> int:
    """Update by the key."""
    with Session(db.engine) as session:
        done: Any = session.exec(statements.update_one(b, params))
        session.commit()
        return int(done.rowcount)


def upsert(db: Database, b: Bound, params: Row) -> int:
    """Insert, on conflict update."""
    with Session(db.engine) as session:
        done: Any = session.exec(statements.upsert(b, params), execution_options={"preserve_rowcount": True})
        session.commit()
        return int(done.rowcount)


def transaction(db: Database, b: Bound, params: Row) -> Row:
    """Lock an instance, change it and add another, in one transaction."""
    with Session(db.engine) as session:
        found = session.get(b.own.entity, identity(b, params), with_for_update=True)
        if found is None:
            raise LookupError("the row to lock is not there")
        row: Row = b.read.row(found)
        setattr(found, b.own.names[b.scenario.update], params["value"])
        session.add(b.target.entity(**params["row"]))
        session.commit()
        return row


def delete_cascade(db: Database, b: Bound, params: Row) -> int:
    """Delete by the key, and before it what the database would not delete with it."""
    with Session(db.engine) as session:
        done: Any = [session.exec(statement) for statement in statements.deletions(b, params)]
        session.commit()
        return int(done[-1].rowcount)
