"""Views on another server: their SELECT, where all of its words are that server's as well."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Index, MetaData, Table
from sqlglot import exp

from dbplan.ddl.translation.clauses import sql_of
from dbplan.ddl.translation.columns import twin as twin_of
from dbplan.ddl.translation.expressions import Untranslatable, identifier, parsed, printed, simplified
from dbplan.ddl.translation.work import Work, kept
from dbplan.evidence import Place

_SPECIFIC = (
    *(exp.JSONExtract, exp.JSONExtractScalar, exp.Array, exp.ArrayAgg, exp.Unnest, exp.RegexpLike, exp.Lateral),
    *(exp.Interval, exp.AtTimeZone, exp.Div, exp.Anonymous, exp.ILike, exp.TimestampTrunc, exp.GroupConcat),
)
"""What servers write alike and do not mean alike."""


def add_all(metadata: MetaData, work: Work) -> None:
    """Give the translation the views of a schema, those that others read first."""
    views = {str(key): table for key, table in metadata.tables.items() if table.info.get("is_view")}
    read = {key: _read(view, views, work) for key, view in views.items()}
    made: list[str] = []
    for key in _in_order(read):
        missing = sorted(other for other in read[key] if other not in work.tables)
        if missing and not work.as_is:
            work.note(Place(key), f"the view is left out: it reads {missing[0]}, which is left out as well")
        elif add(views[key], work):
            made.append(str(work.tables[key].key))
    if made and not work.metadata.info.get("order"):
        work.metadata.info["order"] = tuple(("tables", key) for key in made)


def _read(view: Table, views: Mapping[str, Table], work: Work) -> set[str]:
    """Return the views that a view reads."""
    try:
        tree = parsed(str(view.info.get("view") or "SELECT 1").strip().removesuffix(";"), work.source)
    except Untranslatable:
        return set()
    keys = {".".join(part for part in (table.db, table.name) if part) for table in tree.find_all(exp.Table)}
    return {key for key in keys if key in views and key != str(view.key)}


def _in_order(read: Mapping[str, set[str]]) -> list[str]:
    """Return views so that each comes after those that it reads."""
    done: list[str] = []

    def visit(key: str, above: frozenset[str]) -> None:
        for other in sorted(read[key] - above):
            visit(other, above | {other})
        if key not in done:
            done.append(key)

    for key in sorted(read):
        visit(key, frozenset((key,)))
    return done


def add(view: Table, work: Work) -> bool:
    """Give the translation the twin of a view, and return True; say where there is none."""
    place = Place(str(view.key))
    select = str(view.info.get("view") or "")
    try:
        words = select if work.as_is or _is_kindred(work) else _select(select, work)
    except Untranslatable as reason:
        work.note(place, f"the view is left out ({reason})")
        return False
    schema, name = work.names.tables[str(view.key)]
    materialized = bool(view.info.get("materialized"))
    new = Table(
        name,
        work.metadata,
        *_columns(view, work),
        schema=schema,
        comment=view.comment,
        info=kept(view.info) | {"view": words, "materialized": materialized and work.target.materialized},
    )
    work.tables[str(view.key)] = new
    if materialized and work.target.materialized:
        _index(view, new, work)
    elif materialized:
        work.note(place, "it is a view here, worked out at each reading, and has no indexes")
    return True


def _is_kindred(work: Work) -> bool:
    """Whether the target reads the SELECT as it is: its own language, and no table is called otherwise."""
    return work.kindred and all(key == ".".join(filter(None, name)) for key, name in work.names.tables.items())


def _columns(view: Table, work: Work) -> list[Column[object]]:
    lost = len(work.lost)
    made = [twin_of(column, work)[0] for column in view.columns]
    del work.lost[lost:]  # a view has the types that its SELECT gives it
    return made


def _select(select: str, work: Work) -> str:
    if not select.strip():
        raise Untranslatable("its SELECT is not known")
    tree = simplified(parsed(select.strip().removesuffix(";"), work.source))
    if not isinstance(tree, exp.Query):
        raise Untranslatable("it is no SELECT")
    found = next((node for node in tree.walk() if isinstance(node, _SPECIFIC)), None)
    if found is not None:
        raise Untranslatable(f"{found.sql('postgres')[:60]} may mean something else on {work.target.product}")
    if work.target.name == "mssql" and tree.args.get("order") and not tree.args.get("limit"):
        raise Untranslatable("SQL Server orders no view")
    for table in tree.find_all(exp.Table):
        _rename(table, work)
    return printed(tree, work.target)


def _rename(table: exp.Table, work: Work) -> None:
    """Call a table of a view what it is called on the target."""
    key = ".".join(part for part in (table.db, table.name) if part)
    if key not in work.names.tables:
        return
    schema, name = work.names.tables[key]
    if name != table.name and not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
    table.set("this", identifier(name, work.target))
    table.set("db", identifier(schema, work.target) if schema else None)


def _index(view: Table, new: Table, work: Work) -> None:
    """Copy the plain indexes of a materialized view."""
    for index in sorted(view.indexes, key=lambda index: str(index.name)):
        parts = [work.columns.get(each) for each in index.expressions if isinstance(each, Column)]
        if any(part is None for part in parts) or len(parts) < len(index.expressions):
            words = ", ".join(sql_of(each, work.source) for each in index.expressions)
            work.note(Place(str(view.key), index=str(index.name)), f"the index on {words} is left out")
            continue
        Index(work.names.of(index, view, "indexes"), *(part for part in parts if part is not None), unique=index.unique)
