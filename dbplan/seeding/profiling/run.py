"""The verb: a live database in, a Report of what its tables hold out. It reads and never writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbplan.encryption import rehearsal
from dbplan.errors import UsageError
from dbplan.plan import Plan
from dbplan.report import Report

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dbplan.seeding.profiling.measuring import Profile


@rehearsal()
def profile(target: Any, plan: Plan | None = None) -> Report:
    """Say what the tables of a database hold: rows, violations, sizes, NULLs, fan-out, rows over time, samples.

    `target` is a Stage, an Engine or a URL (the latter two need the `plan`); nothing is written to it. Of a table of
    more than 10,000 rows about as many are looked at. In a production environment no value of a row is shown.
    Raises UsageError where none of the plan's tables is there.
    """
    from dbplan.connection import connect, is_missing
    from dbplan.seeding.constraints.views import without_views
    from dbplan.seeding.run import _target, in_production

    engine, intended, server = _target(target, plan)
    if is_missing(engine.url):
        raise UsageError(f"no file {engine.url.database}; name a database that is there")
    intended = without_views(intended)
    with connect(engine.execution_options(postgresql_readonly=True)) as connection, connection.begin():
        found, broken, missing = _measured(connection, intended, show=not in_production(target))
    return _judged(intended, found, broken, missing, server)


def _measured(connection: Connection, plan: Plan, *, show: bool) -> tuple[Profile, dict[str, int], list[str]]:
    from sqlalchemy import inspect

    from dbplan.seeding.constraints.violations import violations
    from dbplan.seeding.profiling.measuring import measure

    catalog = inspect(connection)
    there = {schema: set(catalog.get_table_names(schema)) for schema in {t.schema for t in plan.tables}}
    tables = [table for table in plan.tables if table.name in there[table.schema]]
    missing = [str(table.key) for table in plan.tables if table.name not in there[table.schema]]
    if not tables:
        url = connection.engine.url.render_as_string()
        raise UsageError(f"{url} has none of the tables of plan {plan.name}, such as {missing[0]}")
    found = measure(connection, tables, asked(plan), show=show)
    rows = {measured.table: measured.rows for measured in found.tables}
    names = {str(table.key): table for table in tables}
    whole = {n: t for n, t in names.items() if all(str(f.column.table.key) in names for f in t.foreign_keys)}
    return found, {name: violations(connection, table, rows[name]) for name, table in whole.items()}, missing


def asked(plan: Plan) -> dict[tuple[str, str], float]:
    """Return the shares of NULLs that a plan's recipe asks for outright."""
    from dbplan.seeding.recipe.reading import recipe_of

    return shares(recipe_of(plan))


def shares(recipe: Any) -> dict[tuple[str, str], float]:
    """Return the shares of NULLs that a recipe asks for outright: not where a condition decides as well."""
    return {
        (name, column): float(rule["null"])
        for name, of_table in recipe.tables.items()
        for column, rule in of_table.columns.items()
        if "null" in rule and "only_when" not in rule
    }


def _judged(plan: Plan, found: Profile, broken: dict[str, int], missing: list[str], server: Any) -> Report:
    from dbplan.evidence import RowCount
    from dbplan.report.blocks import Text, table
    from dbplan.seeding.profiling.judging import odd, section
    from dbplan.seeding.recipe.reading import recipe_of

    lines = [(t.table, t.rows, broken.get(t.table), t.size) for t in found.tables]
    total, wrong = sum(t.rows for t in found.tables), sum(broken.values())
    hidden = found.tables and any(t.rows and not t.shown for t in found.tables)
    return Report(
        title=f"Profile of {plan.name}",
        verdict=f"{total:,} rows in {len(lines)} table{'s' if len(lines) != 1 else ''}, {wrong:,} violations",
        ok=wrong == 0,
        blocks=(
            table({"table": "text", "rows": "count", "violations": "count", "size": "bytes"}, lines, "Rows"),
            *((Text(f"Not in the database: {', '.join(missing)}."),) if missing else ()),
            *((Text("No values are shown: the environment is production."),) if hidden else ()),
            *odd(found, recipe_of(plan)),
            section(found, folded=False),
        ),
        evidence=(
            *(RowCount(t.table, t.rows, None, broken.get(t.table), t.size) for t in found.tables),
            *found.evidence,
        ),
        server=server,
    )
