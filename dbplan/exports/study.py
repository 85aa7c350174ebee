"""export(): a plan as files of another tool, and what that tool cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import filterfalse
from pathlib import PurePath

from dbplan.errors import NotCovered, UnknownName
from dbplan.evidence import Finding, Place, Severity
from dbplan.exports.beyond import mended, needed_first, script
from dbplan.exports.duplicates import without_duplicates
from dbplan.exports.server_words import kept_by_server
from dbplan.exports.written import Written
from dbplan.plan import Plan
from dbplan.report import Report
from dbplan.report.blocks import Block, Code, Findings, Section

_SQL = ("postgresql", "mysql", "mariadb", "sqlite", "mssql", "cockroachdb")


@dataclass(frozen=True)
class Target:
    """A tool to write for: its name among people, the module that writes, and the servers that it can speak of."""

    name: str
    module: str
    dialects: tuple[str, ...] = _SQL


TARGETS: Mapping[str, Target] = {
    "ddl": Target("SQL", "ddl"),
    "prisma": Target("Prisma", "prisma", (*_SQL, "mongodb")),
    "drizzle": Target("Drizzle", "drizzle", ("postgresql", "mysql", "mariadb", "sqlite", "cockroachdb")),
    "typeorm": Target("TypeORM", "typeorm"),
    "models": Target("SQLAlchemy models", "models"),
    "sqlmodel": Target("SQLModel", "sqlmodel"),
    "django": Target("Django", "django", ("postgresql", "mysql", "mariadb", "sqlite")),
    "peewee": Target("Peewee", "peewee", ("postgresql", "mysql", "mariadb", "sqlite")),
    "pony": Target("Pony", "pony", ("postgresql", "mysql", "mariadb", "sqlite")),
    "tortoise": Target("Tortoise", "tortoise", ("postgresql", "mysql", "mariadb", "sqlite")),
    "piccolo": Target("Piccolo", "piccolo", ("postgresql", "sqlite")),
    "dbml": Target("DBML", "dbml"),
    "mongodb": Target("MongoDB", "mongodb", ("mongodb",)),
}
_ALIASES = {"sqlserver": "mssql", "postgres": "postgresql", "cockroach": "cockroachdb"}
_LANGUAGES = {"ts": "typescript", "py": "python", "js": "javascript"}


def export(plan: Plan, target: str, *, dialect: str | None = None) -> Report:
    """Write a plan for another tool: `.save("schema.prisma")` writes the file, the findings say what the tool cannot.

    Where SQL makes up for what the tool cannot say, a second file, `*.beyond.sql`, holds it: run after what the tool
    makes, it brings a PostgreSQL database to the plan. Extensions and schemas stand in `*.before.sql`.

    `target` is one of ddl, prisma, drizzle, typeorm, models, sqlmodel, django, peewee, pony, tortoise, piccolo, dbml,
    mongodb; `dialect` is the server to write for: postgresql, mysql, mariadb, sqlite, mssql or cockroachdb, by default
    the plan's own.
    Raises UnknownName for others, NotCovered for a target that does not speak of that server.
    """
    if target not in TARGETS:
        raise UnknownName("target", target, TARGETS)
    tool = TARGETS[target]
    server = _server(plan, tool, dialect)
    written = _written(plan, tool, server, asked=dialect is not None)
    lost = tuple(sorted(written.lost, key=lambda finding: (finding.severity.rank, str(finding.place))))
    return Report(
        f"{plan.name} as {tool.name}",
        _verdict(plan, tool, server, written),
        blocks=tuple(_blocks(written, tool, lost)),
        evidence=lost,
    )


def _server(plan: Plan, tool: Target, asked: str | None) -> str:
    """Return the server to write for: the asked one, the plan's own where the tool speaks of it, else the first."""
    if asked is not None:
        known = _ALIASES.get(asked, asked)
        if known not in (*_SQL, "mongodb"):
            raise UnknownName("dialect", asked, (*_SQL, "mongodb"))
        if known not in tool.dialects:
            raise NotCovered(f"{tool.name} does not speak of {known}; it does of {', '.join(tool.dialects)}")
        return known
    own = str(plan.metadata.info.get("dialect", ""))
    return own if own in tool.dialects else tool.dialects[0]


def _written(plan: Plan, tool: Target, server: str, *, asked: bool) -> Written:
    """Have the target's module write the plan, in the words of the server where it was written for another."""
    own = str(plan.metadata.info.get("dialect") or "postgresql")
    unseen = _unseen(plan, tool)
    plan, lost = without_duplicates(plan, tool.module, server)
    lost += kept_by_server(plan, tool.module, server)
    if server not in (own, "mongodb") and (asked or tool.module != "models"):
        from dbplan.ddl import translated

        translation = translated(plan.metadata, server)
        plan = replace(plan, metadata=translation.metadata, queries=())
        lost += translation.lost
    written: Written = import_module(f"dbplan.exports.{tool.module}").write(plan, server)
    own_lost = written.lost if tool.module == "ddl" else mended(plan, written.lost, server)
    return Written(_with_script(written.files, own_lost), (*unseen, *lost, *own_lost))


def _unseen(plan: Plan, tool: Target) -> tuple[Finding, ...]:
    """Return what the source had and the plan does not, so that no file can have it."""
    lines = plan.metadata.info.get("not_covered", ())
    said = (f"not in the plan, so not in the file: {line}" for line in lines)
    return tuple(Finding(f"export-{tool.module}", Severity.NOTE, Place(), line) for line in said)


def _with_script(files: Mapping[str, str], lost: tuple[Finding, ...]) -> Mapping[str, str]:
    """Return the files and, where SQL makes up for what the tool cannot say, a script to run before it or after."""
    stem = PurePath(next(iter(files))).stem
    before, beyond = script(filter(needed_first, lost)), script(filterfalse(needed_first, lost))
    made = {f"{stem}.before.sql": before, f"{stem}.beyond.sql": beyond}
    return {**files, **{name: sql for name, sql in made.items() if sql}}


def _verdict(plan: Plan, tool: Target, server: str, written: Written) -> str:
    tables = sum(not table.info.get("is_view") for table in plan.tables)
    lost = len(written.lost)
    said = f"{lost} thing{'s' * (lost != 1)} that {tool.name} cannot say" if lost else "nothing is lost"
    return f"{tables} table{'s' * (tables != 1)} for {server}; {said}"


def _blocks(written: Written, tool: Target, lost: tuple[Finding, ...]) -> list[Block]:
    blocks: list[Block] = [Code(text, _language(name), name, name) for name, text in written.files.items()]
    if lost:
        mends = sum(bool(finding.mend) for finding in lost)
        said = f"{len(lost)} things have no words there; for {mends} of them stands SQL that makes up for it"
        blocks.append(Section(f"What {tool.name} cannot say", said, blocks=(Findings(lost),), folded=True))
    return blocks


def _language(name: str) -> str:
    suffix = name.rpartition(".")[2]
    return _LANGUAGES.get(suffix, suffix)
