"""Which tables become collections, which are embedded in their parent, which become arrays of references, and why.

A child is embedded where everything speaks for it: it has one parent, always, and goes with it (ON DELETE CASCADE);
nothing else refers to it; a parent has few of them (planned rows, or a key that allows one), which together stay far
below the 16 MB of a document; no key makes it unique across parents, none of its rows expires by itself, and no named
query reaches it without its parent. A table that only joins two others becomes an array of references in the one that
is read more. All else is referenced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Table, UniqueConstraint

from dbplan.exports.facts import is_unique
from dbplan.exports.mongodb.access import alone, read_by
from dbplan.exports.mongodb.bounds import of_texts
from dbplan.exports.mongodb.kinds import own_dialect, told
from dbplan.exports.relations import Naming, Relation, plural, singular
from dbplan.plan import Plan

_FEW = 20
_SAID = 3
_FEW_REFERENCES = 200
_SKEW = 10
"""How many times the average the largest parent may well have."""
_ROOM = 1 << 20
"""What the children of one parent may take: a sixteenth of a document."""
_WIDTHS = {"uuid": 16, "text": 2000, "json": 1000, "jsonb": 1000, "bytea": 2000}


@dataclass(frozen=True)
class Embedded:
    """A child within its parent: one object, or an array of them, under the name of the way back."""

    relation: Relation
    why: str

    @property
    def field(self) -> str:
        """The field of the parent."""
        return self.relation.back


@dataclass(frozen=True)
class References:
    """A join table as an array of keys: in the parent of `kept`, of the keys of the parent of `other`."""

    kept: Relation
    other: Relation
    field: str
    why: str


@dataclass(frozen=True)
class Shape:
    """The documents: embedded tables and join tables by key, and why the rest are collections of their own."""

    embedded: Mapping[str, Embedded]
    joins: Mapping[str, References]
    reasons: Mapping[str, str]

    def within(self, table: Table) -> list[Embedded]:
        """Return what is embedded in a table."""
        return [one for _, one in sorted(self.embedded.items()) if one.relation.parent.key == table.key]

    def arrays(self, table: Table) -> list[References]:
        """Return the arrays of references in a table."""
        return [one for _, one in sorted(self.joins.items()) if one.kept.parent.key == table.key]


def shape(plan: Plan, naming: Naming) -> Shape:
    """Decide by the evidence of the plan how its tables become documents."""
    joins = {found.key: made for found in plan.tables if (made := _join(plan, found, naming))}
    embedded: dict[str, Embedded] = {}
    reasons: dict[str, str] = {}
    for found in plan.tables:
        ways = [way for way in naming.out_of(found) if way.parent.key != found.key]
        if found.key in joins or not ways or found.info.get("is_view"):
            continue
        if why := _against(plan, found, ways, naming):
            reasons[found.key] = why
        else:
            embedded[found.key] = Embedded(ways[0], _why(plan, ways[0]))
    in_place = {key: one for key, one in embedded.items() if one.relation.parent.key not in {*embedded, *joins}}
    for key in embedded.keys() - in_place.keys():
        reasons[key] = f"its parent {embedded[key].relation.parent.key} is no collection of its own"
    return Shape(in_place, joins, reasons)


def _against(plan: Plan, found: Table, ways: list[Relation], naming: Naming) -> str:
    """Return what speaks against embedding a table; "" for nothing."""
    return "; ".join([said for said in _objections(plan, found, ways, naming) if said][:_SAID])


def _objections(plan: Plan, found: Table, ways: list[Relation], naming: Naming) -> Iterator[str]:
    way = ways[0]
    if len(naming.out_of(found)) > 1:
        yield f"it has several parents: {', '.join(dict.fromkeys(one.parent.key for one in naming.out_of(found)))}"
    if children := naming.into(found):
        yield f"others refer to it: {', '.join(dict.fromkeys(one.child.key for one in children))}"
    if way.optional or not way.back:
        yield f"it may be without {way.parent.key}" if way.optional else "nothing leads from its parent to it"
    if str(way.constraint.ondelete or "").upper() != "CASCADE":
        yield f"it does not go with {way.parent.key} (ON DELETE {way.constraint.ondelete or 'NO ACTION'})"
    yield _too_many(plan, way)
    if key := _global_key(way):
        yield f"its {key} is unique across all parents, which no index guards within one document"
    if expiring := [key for key in plan.retention if key.rpartition(".")[0] == found.key]:
        yield f"its rows expire by {expiring[0].rpartition('.')[2]}, and MongoDB expires whole documents"
    if asked := alone(plan, way):
        more = f" and {len(asked) - 3} more" if len(asked) > 3 else ""
        yield f"queries reach it without {way.parent.key}: {', '.join(asked[:3])}{more}"


def _too_many(plan: Plan, way: Relation) -> str:
    if way.single:
        return ""
    rows = _rows(plan, way)
    if rows is None:
        return "no planned rows tell how many a parent has"
    if rows > _FEW:
        return f"{rows:,.0f} rows a parent on average, and more for the largest"
    width = _width(way.child)
    if rows * _SKEW * width > _ROOM:
        return f"{rows:.2g} rows a parent of up to {width:,} bytes each would let documents grow too large"
    return ""


def _rows(plan: Plan, way: Relation) -> float | None:
    children, parents = plan.rows.get(way.child.key), plan.rows.get(way.parent.key)
    return children / parents if children is not None and parents else None


def _width(found: Table) -> int:
    """Return about how many bytes a row takes at most: what its types and CHECKs let a text have, else a guess."""
    dialect = own_dialect(found.metadata.info)
    kinds = {column.name: told(column, dialect)[0] for column in found.columns}
    widths = {n: 500 if k.dimensions else _WIDTHS.get(k.name, k.length or 8) for n, k in kinds.items()}
    said = of_texts(found, dialect)
    return sum((widths | {name: told["maxLength"] for name, told in said.items() if "maxLength" in told}).values())


def _global_key(way: Relation) -> str:
    """Return a unique key of a child that leaves its parent out; "" where at most one child makes it the parent's."""
    if way.single:
        return ""
    own = {column.name for column in way.columns}
    unique = [c for c in way.child.constraints if isinstance(c, UniqueConstraint)]
    keys = [(str(c.name or "key"), set(c.columns.keys())) for c in unique]
    keys += [(str(i.name), {getattr(c, "name", "") for c in i.columns}) for i in way.child.indexes if i.unique]
    return next((name for name, columns in sorted(keys) if not own <= columns), "")


def _why(plan: Plan, way: Relation) -> str:
    rows = _rows(plan, way)
    many = "one a parent" if way.single else f"{rows:.2g} rows a parent"
    asked = "no query asks for it alone" if plan.queries else "no query is planned"
    return f"{many}, deleted with it, {asked}"


def _join(plan: Plan, found: Table, naming: Naming) -> References | None:
    """Return a table that only joins two others as an array in one of them; None for any other table."""
    ways = naming.out_of(found)
    if len(ways) != 2 or naming.into(found) or found.info.get("is_view"):
        return None
    keys = {column.name for way in ways for column in way.columns}
    key = set(found.primary_key.columns.keys()) or _unique_columns(found)
    odd = any(len(way.columns) != 1 or is_unique(way.constraint) for way in ways)
    if odd or keys != set(found.columns.keys()) or key != keys:
        return None
    kept, other = _sides(plan, ways[0], ways[1])
    rows = _rows(plan, kept)
    if not (kept.back and other.back) or (rows is not None and rows > _FEW_REFERENCES):
        return None
    read = read_by(plan, kept)
    many = f"{rows:.2g} a document" if rows is not None else "no planned rows tell how many"
    asked = f"{read:g} calls a second come from there" if read else "no query tells which side is read more"
    return References(kept, other, _field(kept, other), f"{many}, {asked}")


def _unique_columns(found: Table) -> set[str]:
    keys = [set(c.columns.keys()) for c in found.constraints if isinstance(c, UniqueConstraint)]
    keys += [{getattr(c, "name", "") for c in i.columns} for i in found.indexes if i.unique]
    return keys[0] if len(keys) == 1 else set()


def _sides(plan: Plan, one: Relation, other: Relation) -> tuple[Relation, Relation]:
    """Return the side that is read more, else the one with fewer references a document, first."""
    first, second = (read_by(plan, way) for way in (one, other))
    if first == second:
        first, second = (-(_rows(plan, way) or 0) for way in (one, other))
    return (one, other) if first >= second else (other, one)


def _field(kept: Relation, other: Relation) -> str:
    """Return the name of an array of keys: of the column that leads to the other side, in the plural."""
    column = other.columns[0].name
    name = plural(column) if column.lower().endswith("id") else f"{singular(other.parent.name)}_ids"
    taken = {column.name for column in kept.parent.columns}
    return name if name not in taken else f"{kept.child.name}_{name}"
