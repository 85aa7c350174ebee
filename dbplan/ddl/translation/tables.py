"""The twin of a table: its columns, keys and conditions on another server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Column, Table, literal_column
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import Constraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.sql import visitors

from dbplan.ddl.translation import columns
from dbplan.ddl.translation.clauses import sql_of
from dbplan.ddl.translation.expressions import Untranslatable
from dbplan.ddl.translation.work import Work, kept
from dbplan.evidence import Place

_OF_A_TABLE = {
    "triggers": "its triggers ({count}) are left out: what they guard or keep, the application has to",
    "rules": "its rules ({count}) are left out: the application has to do what they did",
    "policies": "its policies ({count}) are left out: every role sees every row that it may read at all",
}


def twin(table: Table, work: Work) -> Table:
    """Return a table as the target has it, without its foreign keys and indexes."""
    schema, name = work.names.tables[str(table.key)]
    place = Place(str(table.key))
    made = [columns.twin(column, work) for column in table.columns]
    new = Table(
        name,
        work.metadata,
        *(column for column, _ in made),
        schema=schema,
        comment=table.comment,
        info=_information(table, work, place),
        prefixes=_prefixes(table, work, place),
        **_options(table, work, place),
    )
    work.tables[str(table.key)] = new
    _say_name(table, new, work, place)
    _add_key(table, new, work)
    for constraint in in_order(table):
        _add(constraint, table, new, work)
    for column, checks in made:
        _add_checks(column, checks, new, work)
    return new


def in_order(table: Table) -> list[Constraint]:
    """Return the constraints of a table in the order of their making, the primary key left out."""
    found = (c for c in table.constraints if not isinstance(c, PrimaryKeyConstraint))
    return sorted(found, key=lambda constraint: constraint._creation_order)


def _information(table: Table, work: Work, place: Place) -> dict[str, Any]:
    """Return what a table's `.info` still holds there; say what does not."""
    if table.info.get("periods"):
        work.note(place, "its periods are left out: the application has to keep the times of its rows")
    secured = table.info.get("row_security")
    info = kept(table.info)
    for word, said in _OF_A_TABLE.items():
        found = table.info.get(word, ())
        if found:
            work.warn(place, said.format(count=len(found)))
    if secured:
        work.warn(place, "row security is left out")
    return info


def _prefixes(table: Table, work: Work, place: Place) -> list[str]:
    words = [str(prefix) for prefix in table._prefixes]
    if words and not work.as_is:
        work.note(place, f"{' '.join(words)} is left out: it is a table like any other here")
        return []
    return words


def _options(table: Table, work: Work, place: Place) -> dict[str, Any]:
    if work.as_is:
        return {name: value for name, value in table.dialect_kwargs.items() if name.startswith("postgresql_")}
    if table.dialect_kwargs.get("postgresql_partition_by"):
        work.note(place, "it is not partitioned here")
    if table.dialect_kwargs.get("postgresql_inherits"):
        work.note(place, "it inherits from no other table here")
    prefixes = ("mysql_", "mariadb_") if work.target.family == "mysql" else (f"{work.target.family}_",)
    told = {name.partition("_")[2]: value for name, value in table.dialect_kwargs.items() if name.startswith(prefixes)}
    if work.target.name == "cockroachdb":
        told = {}
    if work.target.family == "mysql" and not work.kindred:
        told = {**_MYSQL_OPTIONS, **told}
    prefix = work.target.name if work.target.family == "mysql" else work.target.family
    return {f"{prefix}_{name}": value for name, value in told.items()}


_MYSQL_OPTIONS = {"engine": "InnoDB", "default_charset": "utf8mb4", "collate": "utf8mb4_bin"}
"""Texts compare to the letter, as they do where the schema comes from."""


def _say_name(table: Table, new: Table, work: Work, place: Place) -> None:
    if table.schema and not work.target.schemas:
        work.note(
            place, f'{work.target.product} has no schema "{table.schema}" in a database: the table is "{new.name}"'
        )
    elif str(table.name) != str(new.name):
        work.note(place, f'it is called "{new.name}" here: {work.target.product} would not take its own name')


def _add_key(table: Table, new: Table, work: Work) -> None:
    made = [work.columns[column] for column in table.primary_key.columns]
    if not made:
        return
    # MySQL numbers the first column of a key alone.
    numbered = [column for column in made if column.autoincrement is True and work.target.family == "mysql"]
    parts = [column.key for column in (*numbered, *(column for column in made if column not in numbered))]
    if numbered and made[0] is not numbered[0]:
        work.note(Place(str(table.key)), f"its key is in the order {', '.join(parts)}: MySQL numbers the first column")
    name = work.names.of(table.primary_key, table, "keys")
    key = PrimaryKeyConstraint(*parts, name=None if work.target.family == "mysql" else name)
    _say_late(table.primary_key, table, work)
    if work.as_is or work.target.deferrable:
        key.deferrable, key.initially = table.primary_key.deferrable, table.primary_key.initially
    new.append_constraint(key)


def _say_late(constraint: Constraint, table: Table, work: Work) -> None:
    if constraint.deferrable and not work.target.deferrable:
        work.note(_place(table, constraint), "it is not deferrable here: each statement has to meet it")


def _place(table: Table, constraint: Constraint) -> Place:
    name = constraint.name
    return Place(str(table.key), constraint=str(name) if isinstance(name, str) and name else "")


def _add(constraint: Constraint, table: Table, new: Table, work: Work) -> None:
    if not _is_meant(constraint, work):
        return
    if isinstance(constraint, UniqueConstraint):
        _add_unique(constraint, table, new, work)
    elif isinstance(constraint, CheckConstraint):
        _add_check(constraint, table, new, work)
    elif isinstance(constraint, ExcludeConstraint):
        _add_exclusion(constraint, table, new, work)


def _is_meant(constraint: Constraint, work: Work) -> bool:
    """Whether a constraint's `ddl_if` names the target, where it names a server at all."""
    wanted = getattr(constraint._ddl_if, "dialect", None)
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted or ())
    return not names or work.target.name in names or work.target.family in names


def _add_unique(constraint: UniqueConstraint, table: Table, new: Table, work: Work) -> None:
    place = _place(table, constraint)
    made = UniqueConstraint(
        *(work.columns[column].key for column in constraint.columns),
        name=work.names.of(constraint, table, "keys"),
        comment=constraint.comment,
        info=kept(constraint.info),
    )
    one_null = bool(constraint.dialect_kwargs.get("postgresql_nulls_not_distinct"))
    if work.target.family == "postgresql" and not (one_null and work.target.name == "cockroachdb"):
        made.dialect_options["postgresql"]["nulls_not_distinct"] = one_null or None
    elif one_null and work.target.name == "mssql":
        made.dialect_options["postgresql"]["nulls_not_distinct"] = True
    elif one_null:
        work.warn(place, "NULLs are distinct here: any number of rows may hold one")
    _say_late(constraint, table, work)
    if work.target.deferrable and work.target.name == "postgresql":
        made.deferrable, made.initially = constraint.deferrable, constraint.initially
    new.append_constraint(made)


def _add_exclusion(constraint: ExcludeConstraint, table: Table, new: Table, work: Work) -> None:
    if work.as_is:
        copied: Any = constraint
        new.append_constraint(copied._copy(target_table=new))
        return
    parts = ", ".join(f"{name or part} WITH {operator}" for part, name, operator in constraint._render_exprs)
    lacks = f"{work.target.product} has no exclusion constraints"
    work.warn(_place(table, constraint), f"{lacks}: rows may clash in {parts}, and the application has to look")


def _add_check(constraint: CheckConstraint, table: Table, new: Table, work: Work) -> None:
    place = _place(table, constraint)
    sql = sql_of(constraint.sqltext, work.source)
    if _is_said_by_type(constraint, sql, table):
        return
    try:
        clause = _clause(constraint, sql, table, work)
    except Untranslatable as reason:
        work.warn(place, f"CHECK ({_short(sql)}) is left out ({reason}): the application has to look")
        return
    made = CheckConstraint(
        _moved(clause, work),
        name=work.names.of(constraint, table, "checks"),
        comment=constraint.comment,
        info=kept(constraint.info),
    )
    if work.as_is:
        made.dialect_options["postgresql"]["not_valid"] = constraint.dialect_options["postgresql"]["not_valid"]
    new.append_constraint(made)


def _moved(clause: Any, work: Work) -> Any:
    """Return a condition on the new table's columns; on the old ones it would be a constraint of the old table."""

    def twin(element: Any, **_: Any) -> Any:
        return work.columns.get(element) if isinstance(element, Column) else None

    return visitors.replacement_traverse(clause, {}, twin)


def _clause(constraint: CheckConstraint, sql: str, table: Table, work: Work) -> Any:
    if work.unchanged(table):
        return constraint.sqltext
    names = work.names.columns[str(table.key)]
    words = work.expressions.condition(sql, names, work.booleans(table))
    untouched = all(old == new for old, new in names.items())
    if work.portable and work.target.name == "sqlite" and untouched:
        return constraint.sqltext
    _refuse(words, table, work)
    return literal_column(words)


def _refuse(words: str, table: Table, work: Work) -> None:
    """Raise Untranslatable for a condition on what MySQL numbers or changes itself."""
    if work.target.family != "mysql":
        return
    columns.refuse_numbered(words, table, work)
    mentioned = {c for c in table.columns if c in work.columns and columns.mentions(words, work.columns[c].name)}
    if work.target.name == "mysql" and any(_changes(column) for column in mentioned):
        raise Untranslatable("MySQL allows none on a column that a foreign key sets")


def _changes(column: Column[Any]) -> bool:
    """Whether a foreign key writes the column when its parent changes or goes."""
    keys = [key.constraint for key in column.foreign_keys if key.constraint is not None]
    actions = [str(action or "").upper() for key in keys for action in (key.onupdate, key.ondelete)]
    cascades = any(str(key.onupdate or "").upper() == "CASCADE" for key in keys)
    return cascades or any(action.startswith("SET") for action in actions)


def _is_said_by_type(constraint: CheckConstraint, sql: str, table: Table) -> bool:
    """Whether a CHECK belongs to a type: SQLAlchemy's of a boolean or an enum, and MariaDB's of JSON."""
    if getattr(constraint, "_type_bound", False):
        return True
    return any(sql in (f"json_valid(`{column.name}`)", f"json_valid({column.name})") for column in table.columns)


def _add_checks(column: Column[Any], checks: Iterable[str], new: Table, work: Work) -> None:
    """Add the conditions that a type leaves open, named after table and column."""
    for name, sql in _named(column, checks, new):
        try:
            words = work.expressions_of_types.condition(sql, {"VALUE": column.name})
            _refuse_numbered(column, work)
        except Untranslatable as reason:
            place = work.place_of(column)
            work.warn(place, f"CHECK ({_short(sql)}) of its type is left out ({reason}): the application has to look")
            continue
        free = work.names.named(work.place_of(column).table, "checks", [name])
        new.append_constraint(CheckConstraint(literal_column(words), name=free))


def _refuse_numbered(column: Column[Any], work: Work) -> None:
    if work.target.family == "mysql" and column.autoincrement is True:
        raise Untranslatable("MySQL allows none on a column that it numbers")


def _named(column: Column[Any], checks: Iterable[str], new: Table) -> Iterator[tuple[str, str]]:
    for sql in checks:
        yield f"ck_{new.name}_{column.name}", sql


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= 80 else f"{text[:79]}…"
