"""What a server's refusal means, in one line with what was kept and the mend."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from dbplan.errors import CannotWrite, ConnectionFailed, Unsatisfiable

NOTHING = "nothing was kept"
PART = "what was written before it is kept, and the same command goes on from there"


@contextmanager
def explained(engine: Engine, kept: str = NOTHING) -> Iterator[None]:
    """Raise what a server refuses as an error of dbplan; `kept` says what stays of the work."""
    try:
        yield
    except _refusals(engine) as error:
        raise _of_default(error, engine, kept) or _explained(error, kept, _triggers(engine)) from None


def _refusals(engine: Engine) -> tuple[type[Exception], ...]:
    """Return what a server's refusal arrives as: through SQLAlchemy, or from the driver's own COPY."""
    driver = getattr(engine.dialect.dbapi, "Error", DBAPIError)
    return DBAPIError, driver


def _triggers(engine: Engine) -> str:
    """Name the triggers of a SQLite database, which cannot rest while rows are written."""
    if engine.dialect.name != "sqlite":
        return ""
    try:
        with engine.connect() as connection:
            asked = "SELECT tbl_name || '.' || name FROM sqlite_master WHERE type = 'trigger' ORDER BY 1"
            names = connection.exec_driver_sql(asked).scalars().all()
    except DBAPIError:
        return ""
    return f", or drop the triggers meanwhile, which write as well: {', '.join(names)}" if names else ""


def _of_default(error: Any, engine: Engine, kept: str) -> Exception | None:
    """Name the columns of a SQLite database whose default calls a function that it does not have."""
    missing = re.search(r"unknown function: (\w+)\(\)", str(getattr(error, "orig", error)))
    if missing is None or engine.dialect.name != "sqlite":
        return None
    asked = (
        "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c "
        "WHERE t.type = 'table' AND instr(lower(c.dflt_value), lower(?)) ORDER BY t.name, c.cid"
    )
    try:
        with engine.connect() as connection:
            names = connection.exec_driver_sql(asked, (f"{missing[1]}(",)).scalars().all()
    except DBAPIError:
        return None
    if not names:
        return None
    several = "these columns" if len(names) > 1 else "the column"
    return Unsatisfiable(
        f"the default of {', '.join(names)} calls {missing[1]}(), which SQLite does not have, and {kept}; "
        f"give {several} a rule in the recipe, or take the default out of the model"
    )


def _explained(error: Any, kept: str, triggers: str = "") -> Exception:
    said = " ".join(str(getattr(error, "orig", error)).split())[:300]
    if any(word in said.lower() for word in ("full", "no space", "readonly", "read-only", "disk i/o", "locked")):
        return CannotWrite(f"the database could not be written, and {kept}: {said}")
    if "permission denied" in said.lower() or "must be owner" in said.lower():
        return CannotWrite(f"this account may not do all that it takes, and {kept}: {said}; let the tables' owner seed")
    if "foreign key mismatch" in said.lower():
        return Unsatisfiable(f"{kept}: {said}; that key leads to columns that are not unique, which dbplan lint names")
    if "connection" in said.lower() and "constraint" not in said.lower():
        return ConnectionFailed(f"the database went away, and {kept}: {said}; has its disk room?")
    for row in getattr(error, "__notes__", ()):
        return Unsatisfiable(f"the database refused {row}, and {kept}: {said}")
    return Unsatisfiable(
        f"the database refused a generated row, and {kept}: {said}; give the column a rule in the recipe{triggers}"
    )
