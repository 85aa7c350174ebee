"""What Pony makes otherwise of a table: foreign keys, comments, the order of its columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKeyConstraint, Table

from dbplan.evidence import Place
from dbplan.exports.clauses import beside, constraints, timing
from dbplan.exports.orm.mends import added, given, lose_constraint, renamed
from dbplan.exports.orm.page import Stage
from dbplan.exports.pony.keys import columns_in_order
from dbplan.exports.pony.page import PonyPage, on_server
from dbplan.exports.pony.ways import Way


def lose_of_table(page: PonyPage, table: Table) -> None:
    """Note what becomes of foreign keys, of comments and of the order of columns."""
    for found in constraints(table, page.dialect):
        if isinstance(found, ForeignKeyConstraint):
            _lose_key(page, found, table)
    _lose_comments(page, table)
    if [*columns_in_order(page, table)] != [*table.columns]:
        page.lose(Stage.REST, Place(table.key), "columns: Pony puts those of one key together")
    if page.dialect.name == "sqlite":
        _lose_counting(page, table)


def _lose_key(page: PonyPage, found: ForeignKeyConstraint, table: Table) -> None:
    way = page.ways.get(found)
    if way is None:
        lose_constraint(page, found, table, "Pony has no such foreign key: its columns are attributes without one")
        return
    own, name = on_server(way.key), given(page, found, table)
    said = [*_parts(way), *_actions(way), *_options(page, found)]
    if said:
        mend = added(page, found, name, own) if page.is_postgresql else ""
        named = "Pony " if name == own or page.dialect.name == "sqlite" else f"Pony calls it {own} and "
        page.lose(Stage.FOREIGN_KEYS, Place(table.key, constraint=name), f"{named}makes it {', '.join(said)}", mend)
    elif page.dialect.name != "sqlite" and name != own:
        place = Place(table.key, constraint=name)
        page.lose(Stage.FOREIGN_KEYS, place, f"Pony calls it {own}", renamed(page, table, own, name))
    elif page.dialect.name == "sqlite" and found.name:
        page.lose(Stage.FOREIGN_KEYS, Place(table.key, constraint=name), "Pony gives it no name")


def _parts(way: Way) -> list[str]:
    """Return what differs where Pony's key is of the columns alone that lead to the primary key."""
    if way.is_whole and [c.name for c in way.columns] == [c.name for c in way.relation.columns]:
        return []
    return [f"of {', '.join(column.name for column in way.columns)} alone" if not way.is_whole else "in another order"]


def _actions(way: Way) -> list[str]:
    constraint = way.relation.constraint
    wanted = str(constraint.ondelete or "").upper().replace("NO ACTION", "")
    said = [] if wanted == way.action else [f"ON DELETE {way.action}" if way.action else f"without ON DELETE {wanted}"]
    update = str(constraint.onupdate or "").upper().replace("NO ACTION", "")
    return [*said, *([f"without ON UPDATE {update}"] if update else [])]


def _options(page: PonyPage, found: ForeignKeyConstraint) -> list[str]:
    late: Any = timing(found)
    clauses = [*([f"DEFERRABLE {late}"] if late else []), *beside(found, page.dialect)]
    return [f"without {clause}" for clause in clauses]


def _lose_comments(page: PonyPage, table: Table) -> None:
    said = "Pony writes no comments"
    if not page.is_postgresql:
        return
    if table.comment:
        mend = f"COMMENT ON TABLE {page.whole(table)} IS {_quoted(table.comment)};"
        page.lose(Stage.REST, Place(table.key), said, mend)
    for column in table.columns:
        if column.comment:
            name = f"{page.whole(table)}.{page.quote(column.name)}"
            mend = f"COMMENT ON COLUMN {name} IS {_quoted(column.comment)};"
            page.lose(Stage.REST, Place(table.key, column.name), said, mend)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _lose_counting(page: PonyPage, table: Table) -> None:
    """Note how Pony numbers rows on SQLite, where that is another way."""
    column = table._autoincrement_column
    if column is not None and not table.dialect_options["sqlite"]["autoincrement"]:
        said = "Pony makes it AUTOINCREMENT: the number of a deleted row is never given again"
        page.lose(Stage.COLUMNS, Place(table.key, column.name), said)
