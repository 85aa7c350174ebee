"""Meanings: every table and column of a plan told in words (the data dictionary)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.schema import Constraint

from dbplan.diagram.boxes import key_marks
from dbplan.diagram.lettering import printable
from dbplan.diagram.usage import queries_of
from dbplan.diagram.wording import UNKNOWN, default_words, dialect, enum_of, index_words, sql, type_name
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report import blocks as b
from dbplan.report.cells import show

MOST_OPEN = 6
"""With more tables than this, each one is folded."""
_DAY = 86_400


def dictionary(plan: Plan) -> Report:
    """Tell of every table and column what it means and holds, with its keys, checks, indexes, queries and age."""
    tables = plan.entities
    folded = len(tables) > MOST_OPEN
    used = queries_of(plan)
    sections = [_section(plan, table, used.get(table.key, ()), folded) for table in tables]
    overview = [_overview(plan)] if tables else []
    return Report(title=f"Dictionary: {plan.name}", verdict=_verdict(tables), blocks=(*overview, *sections))


def _verdict(tables: Sequence[Table]) -> str:
    columns = [column for table in tables for column in table.columns]
    if not tables:
        return "The plan has no table."
    told = _told([column.comment for column in columns], "column")
    named = _told([table.comment for table in tables], "table")
    unknown = sum(type_name(column.type) == UNKNOWN for column in columns)
    tail = f"; the type of {unknown} is unknown" if unknown else ""
    return f"{told} and {named} have a meaning{tail}."


def _told(comments: Sequence[str | None], noun: str) -> str:
    known = sum(bool(_meaning(comment)) for comment in comments)
    return f"{known} of {len(comments)} {noun}{'' if len(comments) == 1 else 's'}"


def _overview(plan: Plan) -> b.Table:
    rows = [
        (
            table.key,
            "view" if table.info.get("is_view") else "table",
            _meaning(table.comment),
            len(table.columns),
            plan.rows.get(table.key),
            _kept(plan, table) or None,
        )
        for table in plan.entities
    ]
    headings: dict[str, b.Kind] = {"table": "code", "kind": "text", "meaning": "text", "columns": "count"}
    return b.table({**headings, "planned rows": "count", "kept": "text"}, rows, "Tables")


def _section(plan: Plan, table: Table, queries: Sequence[tuple[str, float]], folded: bool) -> b.Section:
    parts: list[b.Block] = [
        b.Text(_opening(plan, table)),
        *(b.Text(printable(str(note))) for note in _decisions(table)),
        _columns(table),
        *_values(table),
        *_constraints(table),
        *_indexes(table),
        *_queries(table, queries),
    ]
    title = f"{table.key} (view)" if table.info.get("is_view") else table.key
    return b.Section(title, blocks=tuple(parts), folded=folded)


def _opening(plan: Plan, table: Table) -> str:
    """Return the table's meaning and what is planned for it, as one sentence each."""
    planned = plan.rows.get(table.key)
    sentences = [_meaning(table.comment) or "—"]
    sentences += [f"{show(planned, 'count')} rows planned"] if planned is not None else []
    sentences += [f"kept {kept}"] if (kept := _kept(plan, table)) else []
    return "; ".join(sentences).rstrip(".") + "."


def _kept(plan: Plan, table: Table) -> str:
    """Return how long rows are kept: `183 days by created_at`."""
    spans = []
    for place, age in sorted(plan.retention.items()):
        owner, _, column = place.rpartition(".")
        if owner == table.key:
            seconds = age.total_seconds()
            span = f"{seconds / _DAY:g} days" if seconds >= _DAY or not seconds else f"{seconds:g} seconds"
            spans.append(f"until {column}" if not seconds else f"{span} by {column}")
    return ", ".join(spans)


def _decisions(table: Table) -> tuple[str, ...]:
    found = table.info.get("decisions", ())
    return (found,) if isinstance(found, str) else tuple(found)


def _columns(table: Table) -> b.Table:
    marks = key_marks(table)
    rows = [
        (
            column.name,
            type_name(column.type),
            _yes(bool(column.nullable) and not column.primary_key),
            default_words(column) or None,
            marks[column.name] or None,
            _meaning(column.comment),
        )
        for column in table.columns
    ]
    headings: dict[str, b.Kind] = {
        "column": "code",
        "type": "code",
        "null": "text",
        "default": "code",
        "key": "text",
        "meaning": "text",
    }
    return b.table(headings, rows, f"{table.key}: columns")


def _values(table: Table) -> Iterator[b.Table]:
    """Yield the values of the enums that the table's columns are of."""
    rows = [
        (column.name, kind.name or None, ", ".join(map(str, kind.enums)))
        for column in table.columns
        if (kind := enum_of(column.type)) is not None
    ]
    if rows:
        yield b.table({"column": "code", "enum": "code", "values": "text"}, rows, f"{table.key}: enum values")


def _constraints(table: Table) -> Iterator[b.Table]:
    ranked = sorted(((*_rank(c), _name(c)), _words(c), _name(c)) for c in table.constraints if _words(c))
    rows = [(name or None, words) for _, words, name in ranked]
    if rows:
        yield b.table({"constraint": "code", "definition": "code"}, rows, f"{table.key}: constraints")


def _rank(constraint: Constraint) -> tuple[int, str]:
    order = (PrimaryKeyConstraint, ForeignKeyConstraint, UniqueConstraint, CheckConstraint)
    number = next((n for n, kind in enumerate(order) if isinstance(constraint, kind)), len(order))
    return number, _words(constraint)


def _name(constraint: Constraint) -> str:
    """Return the name as the database will know it, by the naming convention where there is one."""
    if constraint.name is None:
        return ""
    name = dialect().identifier_preparer.format_constraint(constraint)
    return str(name).strip('"') if name else ""


def _words(constraint: Constraint) -> str:
    """Return a constraint as PostgreSQL writes it, or "" for one that says nothing."""
    if isinstance(constraint, CheckConstraint):
        return f"CHECK ({sql(constraint.sqltext)})"
    names = ", ".join(column.name for column in getattr(constraint, "columns", ()))
    if not names:
        return ""
    if isinstance(constraint, PrimaryKeyConstraint):
        return f"PRIMARY KEY ({names})"
    if isinstance(constraint, UniqueConstraint):
        return f"UNIQUE {'NULLS NOT DISTINCT ' if _nulls_equal(constraint) else ''}({names})"
    if isinstance(constraint, ForeignKeyConstraint):
        return f"FOREIGN KEY ({names}) REFERENCES {_target(constraint)}{_actions(constraint)}"
    return f"{type(constraint).__name__} ({names})"


def _nulls_equal(constraint: UniqueConstraint) -> bool:
    return bool(constraint.dialect_kwargs.get("postgresql_nulls_not_distinct"))


def _target(constraint: ForeignKeyConstraint) -> str:
    schema, table, _ = constraint.elements[0].target_tokens
    columns = [str(element.target_tokens.column_name) for element in constraint.elements]
    return f"{f'{schema}.' if schema else ''}{table} ({', '.join(columns)})"


def _actions(constraint: ForeignKeyConstraint) -> str:
    words = [
        f"MATCH {constraint.match}" if constraint.match else "",
        f"ON DELETE {constraint.ondelete}" if constraint.ondelete else "",
        f"ON UPDATE {constraint.onupdate}" if constraint.onupdate else "",
        "DEFERRABLE" if constraint.deferrable else "",
        f"INITIALLY {constraint.initially}" if constraint.initially else "",
    ]
    return "".join(f" {word}" for word in words if word)


def _indexes(table: Table) -> Iterator[b.Table]:
    rows = sorted((index.name or "", _yes(bool(index.unique)), index_words(index)) for index in table.indexes)
    if rows:
        headings: dict[str, b.Kind] = {"index": "code", "unique": "text", "definition": "code"}
        yield b.table(headings, [(name or None, *rest) for name, *rest in rows], f"{table.key}: indexes")


def _queries(table: Table, queries: Sequence[tuple[str, float]]) -> Iterator[b.Table]:
    if queries:
        rows = [(name, per_second or None) for name, per_second in queries]
        yield b.table({"query": "text", "calls": "rate"}, rows, f"{table.key}: queries that touch it")


def _yes(holds: bool) -> str:
    """Return a plain word: neither answer is a pass or a fault."""
    return "yes" if holds else "no"


def _meaning(comment: str | None) -> str | None:
    return printable(comment) or None if comment else None
