"""Schemas that nobody wrote, for tests: keys, uniques, CHECKs and types put together at random."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    literal_column,
    text,
)
from sqlalchemy.dialects import postgresql as pg

TABLES = (
    "order", "User", "größe", "order items", "a%b", "tenants", "select", "Product", "x.y", "products", "log", "a:b",
)  # fmt: skip
COLUMNS = (
    "name", "email", "status", "Mixed Case", "group", "a%b", "straße", "created_at", "updated_at", "price", "quantity",
    "title", "slug", "from", "is_default", "deleted_at", "position", "code", "low", "high", "x:y", "phone", "1st",
    'say "x"', "country", "when", "valid_from", "valid_to", "username", "total", "state", "kind", "url", "o'clock",
)  # fmt: skip

Kind = Callable[[Random], Any]
KINDS: dict[str, Kind] = {
    "int": lambda r: r.choice([Integer(), BigInteger(), SmallInteger()]),
    "number": lambda r: r.choice([Numeric(3, 1), Numeric(10, 2), Numeric(4, 4), Numeric(6, 0), Numeric(), Float()]),
    "text": lambda r: r.choice([String(1), String(3), String(8), String(12), String(20), String(60), Text()]),
    "time": lambda r: r.choice([DateTime(), DateTime(timezone=True)]),
    "date": lambda _: Date(),
    "clock": lambda _: Time(),
    "bool": lambda _: Boolean(),
    "uuid": lambda _: Uuid(),
    "json": lambda _: JSON(),
    "bytes": lambda r: LargeBinary(r.choice([1, 4, None])),
    "span": lambda _: Interval(),
    "enum": lambda r: Enum(
        *r.choice([("new", "paid", "sent"), ("a", "b'c", 'd"e'), ("on",)]), name=f"kind{r.random()}"[:12]
    ),
}
POSTGRESQL: dict[str, Kind] = {
    "array": lambda r: pg.ARRAY(r.choice([Integer(), Text()])),
    "jsonb": lambda _: pg.JSONB(),
    "range": lambda r: r.choice([pg.INT4RANGE(), pg.TSTZRANGE(), pg.DATERANGE(), pg.NUMRANGE()]),
    "inet": lambda _: pg.INET(),
    "char": lambda r: pg.CHAR(r.choice([2, 5])),
    "domain": lambda r: r.choice(
        [
            pg.DOMAIN("positive", Integer(), check="VALUE > 0"),
            pg.DOMAIN("short", String(), check="length(VALUE) BETWEEN 2 AND 6"),
            pg.DOMAIN("lowered", Text(), check="VALUE = lower(VALUE)"),
        ]
    ),
    "bit": lambda r: pg.BIT(r.choice([1, 5])),
}


def quoted(name: str) -> str:
    """Return a name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


class Schema:
    """Draws one schema; `on` is the server that it is for."""

    def __init__(self, random: Random, on: str = "postgresql") -> None:
        self.random, self.on = random, on
        self.kinds = KINDS | (POSTGRESQL if on == "postgresql" else {})
        self.metadata = MetaData(info={"dialect": on})
        self.of: dict[tuple[str, str], str] = {}
        """The kind of every column."""

    def chance(self, share: float) -> bool:
        """Say yes so often."""
        return self.random.random() < share

    def draw(self) -> MetaData:
        """Return the schema."""
        names = self.random.sample(TABLES, self.random.randint(1, 8))
        tables = [self.table(name) for name in names]
        for table in tables:
            for _ in range(self.random.choice([0, 1, 1, 2, 3])):
                self.reference(table, self.random.choice(tables))
        for table in tables:
            for _ in range(self.random.choice([0, 0, 1, 1, 2, 3])):
                self.unique(table)
            for _ in range(self.random.choice([0, 0, 1, 2])):
                self.check(table)
            if self.on == "postgresql" and self.chance(0.08):
                self.exclusion(table)
        return self.metadata

    def table(self, name: str) -> Table:
        """Return a table with its primary key and some columns."""
        random = self.random
        made = Table(name, self.metadata, *self.key(name))
        for column in random.sample(COLUMNS, random.randint(1, 6)):
            kind = random.choice(list(self.kinds))
            made.append_column(self.column(made, column, kind, nullable=self.chance(0.4)))
        if self.chance(0.1) and (whole := self.named(made, "int")):
            said = f"{quoted(whole[0])} * 2"
            made.append_column(Column("twice", BigInteger, Computed(said, persisted=True)))
        return made

    def column(self, table: Table | str, name: str, kind: str, **options: Any) -> Column[Any]:
        """Return a column of a kind."""
        self.of[str(getattr(table, "name", table)), name] = kind
        if kind == "bool" and self.chance(0.3):
            options["server_default"] = text("false")
        elif kind == "int" and self.chance(0.1) and not options.get("primary_key"):
            options["server_default"] = text("7")
        return Column(name, self.kinds[kind](self.random), **options)

    def key(self, table: str) -> list[Column[Any]]:
        """Return the columns of a primary key, of one sort or another."""
        sort = self.random.choice(["serial", "serial", "serial", "uuid", "text", "two", "tenant", "small", "none"])
        if sort == "serial":
            self.of[table, "id"] = "int"
            always = self.on == "postgresql" and self.chance(0.3)
            return [Column("id", Integer, *([Identity(always=True)] if always else []), primary_key=True)]
        if sort == "two":
            return [
                self.column(table, "part", "int", primary_key=True),
                self.column(table, "no", "int", primary_key=True),
            ]
        if sort == "tenant":
            self.of[table, "tenant_id"] = self.of[table, "id"] = "int"
            return [
                Column("tenant_id", Integer, primary_key=True),
                Column("id", Integer, primary_key=True, autoincrement=False),
            ]
        if sort == "small":
            self.of[table, "id"] = "int"
            return [Column("id", SmallInteger, primary_key=True)]
        if sort == "text":
            self.of[table, "code_id"] = "text"
            return [Column("code_id", String(self.random.choice([3, 12, 40])), primary_key=True)]
        return [self.column(table, "id", "uuid", primary_key=True)] if sort == "uuid" else []

    def named(self, table: Table, *kinds: str) -> list[str]:
        """Return the columns of these kinds."""
        return [c.name for c in table.columns if self.of.get((table.name, c.name)) in kinds and c.computed is None]

    def reference(self, table: Table, parent: Table) -> None:
        """Add a foreign key to the primary key, or a unique, of a parent."""
        targets = list(parent.primary_key.columns)
        wide = [c for c in parent.constraints if isinstance(c, UniqueConstraint) and len(c.columns)]
        if wide and self.chance(0.4):
            targets = list(self.random.choice(wide).columns)
        if not targets or any(c.computed is not None for c in targets):
            return
        order = list(self.metadata.tables)
        later = order.index(parent.name) >= order.index(table.name)
        deferrable = later and parent is not table and self.chance(0.3) and self.on == "postgresql"
        nullable = self.chance(0.4) or (later and not deferrable)
        columns = [self.pointing(table, parent, target, nullable) for target in targets]
        options = {"deferrable": True, "initially": "DEFERRED"} if deferrable else {}
        table.append_constraint(
            ForeignKeyConstraint(
                [c.name for c in columns], list(targets), use_alter=later and self.on != "sqlite",
                name=f"fk{len(table.constraints)}_{order.index(table.name)}_{order.index(parent.name)}", **options
            )
        )  # fmt: skip
        if self.chance(0.2):
            table.append_constraint(UniqueConstraint(*[c.name for c in columns]))

    def pointing(self, table: Table, parent: Table, target: Column[Any], nullable: bool) -> Column[Any]:
        """Return the column of a key: one that is shared, such as the tenant, or a new one."""
        if target.name == "tenant_id" and "tenant_id" in table.columns and self.chance(0.7):
            return table.columns["tenant_id"]
        name = "tenant_id" if target.name == "tenant_id" else f"{parent.name}_{target.name}"
        while name in table.columns:
            name += "2"
        self.of[table.name, name] = "key"
        table.append_column(Column(name, target.type, nullable=nullable))
        return table.columns[name]

    def unique(self, table: Table) -> None:
        """Add a unique: plain, partial, or over an expression."""
        good = [c for c in table.columns if self.of.get((table.name, c.name)) not in (None, "json", "jsonb", "enum")]
        if not good:
            return
        columns = self.random.sample(good, min(len(good), self.random.choice([1, 1, 2, 2, 3])))
        sort, name = self.random.random(), f"ux{list(self.metadata.tables).index(table.name)}_{len(table.indexes)}"
        if sort < 0.45:
            table.append_constraint(UniqueConstraint(*[c.name for c in columns]))
        elif sort < 0.75:
            where = literal_column(self.condition(table))
            Index(name, *columns, unique=True, postgresql_where=where, sqlite_where=where)
        else:
            Index(name, literal_column(self.expression(table, columns[0])), *columns[1:], unique=True)

    def condition(self, table: Table) -> str:
        """Return the condition of a partial unique."""
        options = [f"{quoted(c)}" for c in self.named(table, "bool")]
        options += [f"{quoted(c.name)} IS NULL" for c in table.columns if c.nullable]
        options += [f"{quoted(c.name)} IS NOT NULL" for c in table.columns if c.nullable]
        options += [f"{quoted(c)} > 5" for c in self.named(table, "int", "number")]
        options += [f"{quoted(c)} <> 'x'" for c in self.named(table, "text")]
        return self.random.choice(options or ["1 = 1"])

    def expression(self, table: Table, column: Column[Any]) -> str:
        """Return an expression over a column that an index can hold."""
        kind, said = self.of[table.name, column.name], quoted(column.name)
        if kind == "text":
            return self.random.choice([f"lower({said})", f"coalesce({said}, '')", f"upper({said})", f"trim({said})"])
        if kind == "int":
            return self.random.choice([f"coalesce({said}, 0)", f"({said} + 1)", f"abs({said})"])
        return f"coalesce({said}, 0)" if kind == "number" else said

    def check(self, table: Table) -> None:
        """Add a CHECK of one sort or another, where the table has columns for it."""
        sort = self.random.choice([self._one_number, self._one_text, self._two, self._implied, self._sum])
        if condition := sort(table):
            name = f"ck{self.random.randint(0, 10**6)}"
            table.append_constraint(CheckConstraint(literal_column(condition), name=name))

    def _one_number(self, table: Table) -> str:
        names = [n for n in self.named(table, "int", "number") if not table.columns[n].primary_key]
        if not names:
            return ""
        n = quoted(self.random.choice(names))
        forms = (f"{n} > 0", f"{n} BETWEEN 1 AND 5", f"{n} >= 0 AND {n} < 90", f"{n} IN (1, 2, 3)", f"{n} <> 3",
                 f"{n} IS NULL OR {n} > 2", f"NOT ({n} < 0)", f"{n} % 2 = 0", f"abs({n}) < 50")  # fmt: skip
        narrow = [
            t for t in (table.columns[x].type for x in names) if isinstance(t, Numeric) and t.scale == t.precision
        ]
        return f"{n} >= 0" if narrow or isinstance(table.columns[names[0]].type, Float) else self.random.choice(forms)

    def _one_text(self, table: Table) -> str:
        names = [n for n in self.named(table, "text") if (table.columns[n].type.length or 99) >= 3]
        names = [n for n in names if not table.columns[n].primary_key]
        if not names:
            return ""
        n = quoted(self.random.choice(names))
        forms = [f"length({n}) <= 3", f"length({n}) >= 2", f"{n} IN ('a', 'b', 'c')", f"{n} <> ''",
                 f"{n} = lower({n})", f"{n} LIKE 'a%'", f"{n} NOT IN ('x', 'y')"]  # fmt: skip
        if self.on == "postgresql":
            forms += [f"{n} ~ '^[a-z]+$'", f"{n} ~ '^[A-Z]{{2}}[0-9]?$'"]
        return self.random.choice(forms)

    def _two(self, table: Table) -> str:
        for kinds in (("time",), ("date",), ("int", "number")):
            names = [n for n in self.named(table, *kinds) if not table.columns[n].primary_key]
            if len(names) > 1:
                a, b = map(quoted, self.random.sample(names, 2))
                return self.random.choice([f"{a} < {b}", f"{a} <= {b}", f"{a} <> {b}", f"{a} IS NULL OR {a} > {b}"])
        return ""

    def _implied(self, table: Table) -> str:
        flags = self.named(table, "bool")
        optional = [c.name for c in table.columns if c.nullable and not c.computed and c.name not in flags]
        if not flags or not optional:
            return ""
        flag, other = quoted(self.random.choice(flags)), quoted(self.random.choice(optional))
        return self.random.choice([f"NOT {flag} OR {other} IS NOT NULL", f"({flag}) = ({other} IS NULL)"])

    def _sum(self, table: Table) -> str:
        names = [n for n in self.named(table, "int") if not table.columns[n].primary_key]
        if len(names) < 3:
            return ""
        a, b, c = map(quoted, self.random.sample(names, 3))
        return self.random.choice([f"{a} = {b} + {c}", f"{a} + {b} = {c}", f"{a} + {b} <= 100"])

    def exclusion(self, table: Table) -> None:
        """Add an exclusion constraint over ranges."""
        ranges, whole = self.named(table, "range"), self.named(table, "int", "key")
        if ranges:
            parts = [(table.columns[ranges[0]], "&&")]
            parts += [(table.columns[self.random.choice(whole)], "=")] if whole and self.chance(0.6) else []
            table.append_constraint(pg.ExcludeConstraint(*parts, name=f"ex_{table.name[:5]}", using="gist"))


def strange_schema(random: Random, on: str = "postgresql") -> MetaData:
    """Return a schema drawn from `random` for a server."""
    return Schema(random, on).draw()
