"""Foreign keys on another server: what they may lead to, what they may do, and of which types they must be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Integer, Table
from sqlalchemy.schema import UniqueConstraint

from dbplan.ddl.translation.work import Work, kept
from dbplan.evidence import Place


def add(table: Table, work: Work, cascades: Cascades) -> None:
    """Give the twin of a table the foreign keys of the original, as far as the target takes them."""
    for key in sorted(table.foreign_key_constraints, key=lambda key: key._creation_order):
        place = Place(str(table.key), constraint=str(key.name or ""))
        parents = _parents(key, work)
        if parents is None:
            names = ", ".join(key.column_keys)
            work.warn(place, f"the foreign key of {names} is left out: what it leads to ({_target(key)}) is not there")
            continue
        _add(key, table, parents, work, place, cascades)


def _target(key: ForeignKeyConstraint) -> str:
    return ", ".join(".".join(filter(None, element.target_tokens)) for element in key.elements)


def _parents(key: ForeignKeyConstraint, work: Work) -> list[Column[Any]] | None:
    """Return the twins of the columns that a key leads to; None where one is missing."""
    try:
        found = [element.column for element in key.elements]
    except Exception:  # SQLAlchemy has several errors for a table or column that is not there
        return None
    return [work.columns[column] for column in found] if all(column in work.columns for column in found) else None


def _add(
    key: ForeignKeyConstraint, table: Table, parents: list[Column[Any]], work: Work, place: Place, cascades: Cascades
) -> None:
    children = [work.columns[column] for column in key.columns]
    if key.info.get("enforced") is False:  # drawn, never created: no server refuses it
        work.tables[str(table.key)].append_constraint(ForeignKeyConstraint(children, parents, info=kept(key.info)))
        return
    if work.target.family in ("mysql", "mssql"):
        children, parents = _in_order_of_key(children, parents)
    refused = _refused(parents, work)
    if refused:
        work.warn(place, f"it is left out: {_target(key)} {refused}")
        return
    actions = _actions(key, children, parents, work, place, cascades)
    made = ForeignKeyConstraint(
        [column.key for column in children],
        parents,
        name=_name(key, table, work),
        **actions,
        use_alter=key.use_alter,
        match=_match(key, work, place),
        comment=key.comment,
        info=kept(key.info),
        **_late(key, work, place),
    )
    if work.as_is:
        made.dialect_options["postgresql"]["not_valid"] = key.dialect_options["postgresql"]["not_valid"]
    work.tables[str(table.key)].append_constraint(made)


def _name(key: ForeignKeyConstraint, table: Table, work: Work) -> str | None:
    """Return what a key is called; one without a name gets one where the server's own would be too long."""
    name = work.names.of(key, table, "references")
    _, own = work.names.tables[str(table.key)]
    if name is not None or work.target.family != "mysql" or len(own) + len("_ibfk_999") <= work.target.longest:
        return name
    return work.names.named(str(table.key), "references", [f"fk_{own}_{'_'.join(key.column_keys)}"])


def _refused(parents: list[Column[Any]], work: Work) -> str:
    """Return why the target has no foreign key to these columns; "" where it may have."""
    if work.target.family in ("postgresql", "mssql") and not work.as_is and not _is_key(parents):
        return f"is no key, which {work.target.product} wants one to lead to"
    return "has no index, which InnoDB wants" if work.target.family == "mysql" and not _leads(parents) else ""


def _actions(
    key: ForeignKeyConstraint,
    children: list[Column[Any]],
    parents: list[Column[Any]],
    work: Work,
    place: Place,
    cascades: Cascades,
) -> dict[str, Any]:
    """Return what a change of the parent does to the children, as far as the target lets it."""
    wanted = {"ondelete": ("ON DELETE", key.ondelete), "onupdate": ("ON UPDATE", key.onupdate)}
    found = {word: _action(action, when, children, work, place) for word, (when, action) in wanted.items()}
    spreads = [f"{when} {found[word]}" for word, (when, _) in wanted.items() if _spreads(found[word])]
    if work.target.name == "mssql" and spreads and not cascades.take(parents[0].table, children[0].table):
        said = "SQL Server refuses cycles and second paths of cascades"
        work.note(place, f"{' and '.join(spreads)} is NO ACTION here: {said}")
        return {}
    return found


def _spreads(action: str | None) -> bool:
    """Whether an action does anything to the children."""
    return bool(action) and str(action).upper() not in ("NO ACTION", "RESTRICT")


def _is_key(parents: list[Column[Any]]) -> bool:
    table: Any = parents[0].table
    wanted = {column.name for column in parents}
    uniques = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    keys: list[set[str]] = [{c.name for c in key.columns} for key in (table.primary_key, *uniques)]
    whole = [index for index in table.indexes if index.unique and not _is_partial(index)]
    return wanted in keys or wanted in [{c.name for c in index.columns} for index in whole]


def _in_order_of_key(
    children: list[Column[Any]], parents: list[Column[Any]]
) -> tuple[list[Column[Any]], list[Column[Any]]]:
    """Return the columns of a foreign key in the order of the key that they lead to, which servers insist on."""
    table: Any = parents[0].table
    found = next((names for names in _orders(table) if set(names) == {column.name for column in parents}), None)
    if found is None:
        return children, parents
    ordered = sorted(zip(children, parents, strict=True), key=lambda pair: found.index(pair[1].name))
    return [child for child, _ in ordered], [parent for _, parent in ordered]


def _leads(parents: list[Column[Any]]) -> bool:
    """Whether the columns that a key leads to are the first of an index, in their order."""
    table: Any = parents[0].table
    wanted = [column.name for column in parents]
    return any(names[: len(wanted)] == wanted for names in _orders(table))


def _orders(table: Table) -> list[list[str]]:
    """Return the column names of every key and index, in order, the primary key first."""
    uniques = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    ordered = sorted(uniques, key=lambda unique: unique._creation_order)
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    keys: tuple[Any, ...] = (table.primary_key, *ordered, *indexes)
    return [[column.name for column in key.columns] for key in keys]


def _is_partial(index: Any) -> bool:
    return any(index.dialect_kwargs.get(f"{server}_where") is not None for server in ("postgresql", "sqlite", "mssql"))


def _action(action: str | None, when: str, children: list[Column[Any]], work: Work, place: Place) -> str | None:
    """Return an action that the target takes; None is NO ACTION."""
    words = " ".join((action or "").upper().split())
    if work.as_is or not words or words == "NO ACTION":
        return action
    if "(" in words:
        work.note(place, f"{when} {action} is NO ACTION here: it sets all columns of a key or none")
        return None
    if words == "SET NULL" and work.target.family in ("mysql", "mssql") and any(not c.nullable for c in children):
        work.note(place, f"{when} SET NULL is NO ACTION here: a column of the key takes no NULL")
        return None
    if words == "SET DEFAULT" and work.target.family == "mysql":
        work.note(place, f"{when} SET DEFAULT is NO ACTION here: InnoDB does not have it")
        return None
    return None if words == "RESTRICT" and work.target.name == "mssql" else words


def _match(key: ForeignKeyConstraint, work: Work, place: Place) -> str | None:
    match = (key.match or "").upper()
    if match in ("", "SIMPLE") or work.target.family == "postgresql":
        return key.match
    work.warn(place, f"MATCH {match} is left out: a key that is NULL in part refers to nothing, and is taken")
    return None


def _late(key: ForeignKeyConstraint, work: Work, place: Place) -> dict[str, Any]:
    if work.target.deferrable:
        return {"deferrable": key.deferrable, "initially": key.initially}
    if key.deferrable:
        work.note(place, "it is not deferrable here: each statement has to meet it")
    return {}


class Cascades:
    """Which tables a change may spread to; SQL Server lets it reach each of them by one path alone."""

    def __init__(self) -> None:
        self._above: dict[Any, set[Any]] = {}
        self._below: dict[Any, set[Any]] = {}

    def take(self, parent: Any, child: Any) -> bool:
        """Let changes of `parent` spread to `child`, where no table is then reached twice; say whether they do."""
        above = self._above.setdefault(parent, {parent})
        below = self._below.setdefault(child, {child})
        if any(self._below.setdefault(table, {table}) & below for table in above):
            return False
        for table in above:
            self._below[table] |= below
        for table in below:
            self._above.setdefault(table, {table}).update(above)
        return True


def align(work: Work) -> None:
    """Give the columns of a foreign key the types of the key that they lead to, where the target wants them alike."""
    if work.target.name == "sqlite":
        _follow_numbers(work)
        return
    if work.as_is:
        return
    for _ in range(len(work.columns) + 1):
        changed = [child for child, parent in _pairs(work) if _aligned(child, parent, work)]
        if not changed:
            return


def _follow_numbers(work: Work) -> None:
    """Write what refers to a key that SQLite numbers as INTEGER too, however many keys lie between.

    SQLite itself keeps BIGINT the same way, but tools that read the tables relate only columns of one type.
    """
    ends = [(key.elements[0].parent, key.elements[0].column) for key in _keys_of_one(work)]
    followed = {column for column in work.columns.values() if _is_numbered_key(column)}
    while found := [child for child, parent in ends if parent in followed and _may_follow(child, followed, work)]:
        for child in found:
            child.type = Integer()
        followed.update(found)


def _keys_of_one(work: Work) -> Iterator[ForeignKeyConstraint]:
    for table in work.tables.values():
        yield from (key for key in table.foreign_key_constraints if len(key.elements) == 1)


def _is_numbered_key(column: Column[Any]) -> bool:
    return column.primary_key and column.autoincrement is True and type(column.type) is Integer


def _may_follow(child: Column[Any], followed: set[Column[Any]], work: Work) -> bool:
    return child not in followed and work.kinds[child].family == "integer"


def _pairs(work: Work) -> Iterator[tuple[Column[Any], Column[Any]]]:
    for table in work.tables.values():
        for key in sorted(table.foreign_key_constraints, key=lambda key: key._creation_order):
            if key.info.get("enforced") is False:
                continue
            yield from ((element.parent, element.column) for element in key.elements)


def _aligned(child: Column[Any], parent: Column[Any], work: Work) -> bool:
    """Give a child its parent's type where theirs differ; say whether they did."""
    if _plain(child, work) == _plain(parent, work) or child is parent:
        return False
    same = {"string"} == {work.kinds[child].family, work.kinds[parent].family}
    if same and work.target.family == "postgresql":
        return False
    place = work.place_of(child)
    was, now = work.target.compiled(child.type), work.target.compiled(parent.type)
    work.note(place, f"it is {now}, as the key that it refers to, where it would be {was}")
    child.type, work.kinds[child] = parent.type, work.kinds[parent]
    return True


def _plain(column: Column[Any], work: Work) -> str:
    """Return what two types must have in common to be compared."""
    if column.type.__class__.__name__ == "NullType":
        return ""
    return work.target.compiled(column.type)
