"""Names: what an ORM calls a table, a column, and the way from one table to another, as a person would."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count

from sqlalchemy import Column, ForeignKeyConstraint
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import Table

from dbplan.exports.facts import is_unique
from dbplan.plan import Plan

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+")
_KEY = re.compile(r"(?:_?(?:uuid|ulid|guid|id|fk|key|pk|ref|no|code))$", re.IGNORECASE)
_SINGULAR = {"caches": "cache", "cookies": "cookie", "leaves": "leaf", "niches": "niche", "axes": "axis", "foes": "foe"}
_SELF = {"parent": "children", "previous": "next", "next": "previous"}
_PLURAL = {"echo": "echoes", "hero": "heroes", "veto": "vetoes", "virus": "viruses", "campus": "campuses"}


@dataclass(frozen=True)
class Relation:
    """A foreign key as an ORM sees it: `name` leads from child to parent, `back` from parent to its children.

    `single`: a parent has at most one child. `label` names the relation where the two tables have several.
    """

    constraint: ForeignKeyConstraint
    child: Table
    parent: Table
    name: str
    back: str
    single: bool
    label: str = ""

    @property
    def columns(self) -> tuple[Column[object], ...]:
        """The columns of the child, in the order of the key."""
        return tuple(element.parent for element in self.constraint.elements)

    @property
    def targets(self) -> tuple[Column[object], ...]:
        """The columns of the parent that they point to."""
        return tuple(element.column for element in self.constraint.elements)

    @property
    def optional(self) -> bool:
        """Whether a child may have no parent."""
        return any(column.nullable for column in self.columns)


@dataclass(frozen=True)
class Naming:
    """The names of one export: `classes` by table key, `fields` by table key and column name, and the relations."""

    classes: Mapping[str, str]
    fields: Mapping[tuple[str, str], str]
    relations: tuple[Relation, ...]
    _from: Mapping[str, list[Relation]] = field(default_factory=dict, repr=False)
    _to: Mapping[str, list[Relation]] = field(default_factory=dict, repr=False)

    def class_of(self, table: Table) -> str:
        """Return the class of a table."""
        return self.classes[table.key]

    def field_of(self, column: Column[object]) -> str:
        """Return the attribute of a column."""
        return self.fields[column.table.key, column.name]

    def out_of(self, table: Table) -> list[Relation]:
        """Return the relations that lead from a table to its parents."""
        return self._from.get(table.key, [])

    def into(self, table: Table) -> list[Relation]:
        """Return the relations that lead from a table to its children."""
        return self._to.get(table.key, [])


def camel(text: str) -> str:
    """Return `created_at` as `createdAt`."""
    first, *rest = _parts(text) or ["field"]
    return _started(first.lower() + "".join(part[:1].upper() + part[1:].lower() for part in rest))


def snake(text: str) -> str:
    """Return `createdAt` as `created_at`."""
    return _started("_".join(part.lower() for part in _parts(text)) or "field")


def pascal(text: str) -> str:
    """Return `audit_log` as `AuditLog`; words that are written in capitals within a name keep their first alone."""
    return _started("".join(part[:1].upper() + part[1:].lower() for part in _parts(text)) or "Model", "N")


def singular(word: str) -> str:
    """Return an English noun in the singular; the last word of several."""
    import inflection

    head, last = _last(word)
    return head + (_SINGULAR.get(last.lower()) or inflection.singularize(last))


def plural(word: str) -> str:
    """Return an English noun in the plural; the last word of several."""
    import inflection

    head, last = _last(word)
    return head + (_PLURAL.get(last.lower()) or inflection.pluralize(last))


def naming(
    plan: Plan,
    style: Callable[[str], str],
    reserved: frozenset[str] = frozenset(),
    models: frozenset[str] = frozenset(),
) -> Naming:
    """Return the names of a plan's tables, columns and relations; `style` is `camel` or `snake`.

    Names that the source already has (`.info`) are kept. `reserved` are words that no class or attribute may be,
    `models` those that no class may be.
    Relations whose other table the plan does not hold are left out.
    """
    tables, kept = plan.tables, _kept(style) if "prisma" in plan.metadata.info else style
    classes = _classes(tables, reserved | models)
    fields: dict[tuple[str, str], str] = {}
    taken: dict[str, set[str]] = defaultdict(lambda: set(reserved))
    for table in tables:
        for column in table.columns:
            wanted = kept(column.info["field"]) if column.info.get("field") else style(column.name)
            fields[table.key, column.name] = _free(wanted, taken[table.key])
    relations = tuple(_relations(tables, classes, (style, kept), taken))
    outward, inward = defaultdict(list), defaultdict(list)
    for relation in relations:
        outward[relation.child.key].append(relation)
        inward[relation.parent.key].append(relation)
    return Naming(classes, fields, relations, outward, inward)


def _kept(style: Callable[[str], str]) -> Callable[[str], str]:
    """Return a style that leaves the names of a Prisma schema as they are where camels are wanted anyway."""
    return style if style is snake else lambda text: text if text.isidentifier() else style(text)


def _classes(tables: tuple[Table, ...], reserved: frozenset[str]) -> dict[str, str]:
    """Name a class after its table, with its schema where two tables have one name."""
    wanted = {table.key: str(table.info.get("model") or pascal(singular(table.name))) for table in tables}
    shared = {name for name, count in Counter(wanted.values()).items() if count > 1}
    taken, found = set(reserved), {}
    for table in tables:
        name = wanted[table.key]
        if name in shared and table.schema and "model" not in table.info:
            name = pascal(table.schema) + name
        found[table.key] = _free(name, taken)
    return found


def _relations(
    tables: tuple[Table, ...],
    classes: Mapping[str, str],
    styles: tuple[Callable[[str], str], Callable[[str], str]],
    taken: Mapping[str, set[str]],
) -> Iterator[Relation]:
    style, kept = styles
    known = [(key, key.elements[0].column.table) for table in tables for key in _keys(table) if _is_held(key)]
    pairs = Counter(frozenset((key.table.key, parent.key)) for key, parent in known)
    for key, parent in known:
        child, several = key.table, pairs[frozenset((key.table.key, parent.key))] > 1
        single = is_unique(key)
        wanted = kept(key.info["field"]) if key.info.get("field") else style(_outward(key, parent))
        name = _free(wanted, taken[child.key], style(f"{wanted}_{singular(parent.name)}"))
        back = key.info.get("back")
        back = style(_backward(key, parent, name, single)) if back is None else back and kept(back)
        if back:
            back = _free(back, taken[parent.key], style(f"{back}_of_{name}"))
        label = _label(classes[child.key], name) if several or child is parent else ""
        yield Relation(key, child, parent, name, back, single, str(key.info.get("relation") or label))


def _keys(table: Table) -> list[ForeignKeyConstraint]:
    """Return the foreign keys of a table in the order of their columns."""
    order = {column.key: place for place, column in enumerate(table.columns)}
    return sorted(table.foreign_key_constraints, key=lambda key: [order.get(name, -1) for name in key.column_keys])


def _is_held(key: ForeignKeyConstraint) -> bool:
    try:
        return all(element.column is not None for element in key.elements)
    except SQLAlchemyError:
        return False


def _outward(key: ForeignKeyConstraint, parent: Table) -> str:
    """Name the way to the parent: its key's column without what makes it a key, else the parent itself."""
    others = [k for k in _keys(key.table) if k is not key and _is_held(k) and k.elements[0].column.table is parent]
    shared = {name for k in key.table.foreign_key_constraints if k is not key for name in k.column_keys}
    own = [name for name in key.column_keys if name not in shared] or list(key.column_keys)
    stem = _KEY.sub("", own[-1]).rstrip("_")
    if len(key.column_keys) == 1 or (others and stem):
        return stem or singular(parent.name)
    return singular(parent.name)


def _backward(key: ForeignKeyConstraint, parent: Table, name: str, single: bool) -> str:
    """Name the way back: the children, or the one child; after their part where there are several ways."""
    child = key.table
    if child is parent:
        return _SELF.get(snake(name)) or _converse(snake(name), single)
    own = snake(child.name).removeprefix(f"{snake(singular(parent.name))}_")
    word = singular(own) if single else plural(singular(own))
    ways = [k for k in _keys(child) if _is_held(k) and k.elements[0].column.table is parent]
    usual = snake(name) in (snake(singular(parent.name)), snake(parent.name))
    return word if len(ways) == 1 or usual else f"{word}_as_{snake(name)}"


def _converse(name: str, single: bool) -> str:
    """Name the way back within one table: `fee_of` → `fee` or `fees`, `manager` → `manager_of`."""
    stem = name.removesuffix("_of")
    return f"{name}_of" if stem == name else stem if single else plural(stem)


def _label(model: str, name: str) -> str:
    return f"{model}{name[:1].upper()}{name[1:]}"


def _free(wanted: str, taken: set[str], otherwise: str = "") -> str:
    """Return the wanted name, the other one, or the first with a number that nobody has; it is taken then."""
    numbered = (f"{otherwise or wanted}{number}" for number in count(2))
    name = next(name for name in chain((wanted, otherwise), numbered) if name and name not in taken)
    taken.add(name)
    return name


def _parts(text: str) -> list[str]:
    return [part for part in _HUMP.split(text) if part]


def _last(word: str) -> tuple[str, str]:
    parts = [part for part in re.split(r"(?<=[a-z0-9])(?=[A-Z])|(?<=_)", word) if part] or [word]
    return word[: len(word) - len(parts[-1])], parts[-1]


def _started(name: str, letter: str = "n") -> str:
    """Return a name that starts with a letter."""
    return name if name[:1].isalpha() else letter + name
