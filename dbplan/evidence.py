"""Evidence: frozen facts with a place. No fact here knows how it will be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs; only errors make a report fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, order=True)
class Place:
    """Where a fact holds; empty strings where a part does not apply.

    `table` is schema-qualified where the schema is not the default one.
    """

    table: str = ""
    column: str = ""
    index: str = ""
    constraint: str = ""
    revision: str = ""
    statement: str = ""

    def __str__(self) -> str:
        """Return the place as people write it: `users.email`, `users (ix_users_email)`, `0002 …`."""
        inner = self.index or self.constraint
        table = f"{self.table}.{self.column}" if self.column else self.table
        text = f"{table} ({inner})" if table and inner else table or inner
        return " · ".join(part for part in (self.revision, text, self.statement) if part)


@dataclass(frozen=True)
class Finding:
    """What a rule has found: one fault in one place.

    `message` is one sentence about this place; `mend` the command or DDL that mends it, or "".
    """

    rule: str
    severity: Severity
    place: Place
    message: str
    mend: str = ""
    why: str = ""

    @property
    def key(self) -> str:
        """Return a stable identity, for baselines and anchors."""
        return f"{self.rule}:{self.place}"


@dataclass(frozen=True)
class PlanNode:
    """One node of a query plan as the server ran it; `rows` and `loops` are actual counts, None where unknown."""

    kind: str
    relation: str = ""
    index: str = ""
    rows: float | None = None
    loops: float | None = None
    estimated_rows: float | None = None
    detail: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Timing:
    """How long one named query takes: seconds; the median with a 95 % bootstrap interval.

    `n` measured executions (warm-up excluded); `rows` returned or changed by the median call.
    """

    query: str
    n: int
    median: float
    low: float
    high: float
    p95: float
    rows: float | None = None
    per_second: float = 0.0
    indexes: tuple[str, ...] = ()
    plan: tuple[PlanNode, ...] = ()


@dataclass(frozen=True)
class IndexVerdict:
    """What one index is for, as seen on a server: the named queries that used it, its size in bytes."""

    place: Place
    verdict: str
    used_by: tuple[str, ...] = ()
    size: int | None = None
    definition: str = ""


@dataclass(frozen=True)
class RowCount:
    """The rows of one table, the seconds it took to write them where that was measured, and its bytes on disk."""

    table: str
    rows: int
    seconds: float | None = None
    violations: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds, seen in `n` rows: `null` is a share of them, `asked` the share that the recipe asks for.

    `low` and `high` are the ends of numbers and times, `shortest` and `longest` those of texts in characters;
    `common` are the most common values of those that are there more than once, with their shares of what is not NULL.
    """

    place: Place
    n: int
    null: float | None = None
    asked: float | None = None
    distinct: int | None = None
    low: str | None = None
    high: str | None = None
    shortest: int | None = None
    longest: int | None = None
    common: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class FanOut:
    """How many children the parents of one foreign key have, seen at `n` parents.

    `classes` are pairs of the fewest children of a class and how many of the n parents are in it.
    """

    place: Place
    parent: str
    n: int
    childless: int
    median: float
    most: int
    classes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class RowsOverTime:
    """When the rows of one table came to be, seen in `n` rows: pairs of when a period begins and the rows in it."""

    place: Place
    n: int
    period: str
    counts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Difference:
    """One place where two schemas are not the same; "" stands for absent on that side."""

    place: Place
    what: str
    left: str
    right: str


@dataclass(frozen=True)
class SchemaObject:
    """One object of a schema: its kind (table, column, index, …), its place, its properties in the server's words."""

    kind: str
    place: Place
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Catalog:
    """A schema as its server writes it back; two equal schemas on one kind of server give equal catalogs."""

    dialect: str
    objects: tuple[SchemaObject, ...] = ()


@dataclass(frozen=True)
class Step:
    """One rehearsed move of one revision: direction up or down, seconds, "" or the error it ended in."""

    place: Place
    direction: str
    seconds: float
    rows_before: int
    rows_after: int
    differences: tuple[Difference, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Server:
    """Where figures were measured: product and version, cores, the settings they depend on.

    `cores` is None where the server is another machine: it does not tell.
    """

    product: str
    version: str
    cores: int | None
    settings: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return one line that can stand under a table."""
        extra = "".join(f" · {name} {value}" for name, value in self.settings)
        cores = "another machine" if self.cores is None else f"{self.cores} cores"
        return f"{self.product} {self.version} · {cores}{extra}"


@dataclass(frozen=True)
class OrmTiming:
    """How long one ORM takes for one scenario: seconds, each with its 95 % bootstrap interval; None where not measured.

    `ratio` is to the raw driver `baseline` of the same table, measured side by side; `outcome` is "measured", or what
    stands in place of figures ("wrong rows", "not covered", "crashed", "hung" …), with its `reason`. `note` is what
    the ORM had to be helped with.
    """

    orm: str
    scenario: str
    outcome: str
    reason: str = ""
    note: str = ""
    n: int = 0
    rounds: int = 0
    median: float | None = None
    low: float | None = None
    high: float | None = None
    p95: float | None = None
    p95_low: float | None = None
    p95_high: float | None = None
    p99: float | None = None
    p99_low: float | None = None
    p99_high: float | None = None
    baseline: str = ""
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    memory: int | None = None


@dataclass(frozen=True)
class OrmStatements:
    """What one call of one scenario sent to the server, by the server's count; `parents` is how many it asked for."""

    orm: str
    scenario: str
    statements: int
    control: int
    transactions: int
    parents: int | None = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrmStart:
    """What it takes to start one ORM, each the median of `n` starts alone: seconds; bytes of memory once it is open.

    `imported` is the import of its library, `opened` models and connection, `first` the first query, `whole` from
    the start of the process to the first answer; its interval takes starts of all ORMs to vary alike. `size` is of what
    is installed for it, in bytes, with its `dependencies`.
    """

    orm: str
    title: str
    table: str
    version: str = ""
    driver: str = ""
    n: int = 0
    imported: float | None = None
    opened: float | None = None
    first: float | None = None
    whole: float | None = None
    whole_low: float | None = None
    whole_high: float | None = None
    memory: int | None = None
    size: int | None = None
    dependencies: int | None = None


@dataclass(frozen=True)
class OrmLoad:
    """One ORM under load: seconds of one call; `rate` is the calls due a second, None where each waits for the last.

    `kind` is "closed loop", "open loop" or "one row", where all clients write the same one. `lost` counts the writes
    that were reported as done and are not there, None where that was not looked at; `refused` those that raised. A
    closed loop is run a few times, of which `throughput`, the calls a second that came through, has its interval.
    """

    orm: str
    scenario: str
    kind: str
    clients: int
    seconds: float
    done: int
    rate: float | None = None
    median: float | None = None
    p95: float | None = None
    p99: float | None = None
    late: int | None = None
    skipped: int | None = None
    lost: int | None = None
    refused: int = 0
    errors: tuple[str, ...] = ()
    throughput_low: float | None = None
    throughput_high: float | None = None

    @property
    def throughput(self) -> float:
        """Calls a second that came through."""
        return (self.done - self.refused) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class OrmViolation:
    """What the error of one ORM tells when a row is inserted twice, by its public attributes."""

    orm: str
    raised: bool
    type: str = ""
    code: str = ""
    constraint: str = ""
    columns: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class OrmFeature:
    """Whether one ORM can do something, probed: "yes", "partly" or "no", with what was seen."""

    orm: str
    feature: str
    answer: str
    evidence: str = ""


@dataclass(frozen=True)
class OrmRank:
    """The place of one contestant in its table by the geometric mean of its ratios to the raw driver.

    `place` is None where it has a time in far fewer scenarios than others; `level_with` names those that the figures do
    not tell it from.
    """

    orm: str
    table: str
    scenarios: int
    ratio: float
    ratio_low: float
    ratio_high: float
    place: int | None = None
    level_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrmScore:
    """The weighted mean of one ORM's marks, 0 to 1, among those of a group, and where it may lie.

    `marks` are criterion, mark and the figures behind it.
    """

    group: str
    orm: str
    score: float
    low: float
    high: float
    marks: tuple[tuple[str, float, str], ...] = ()


Fact = (
    Finding
    | PlanNode
    | Timing
    | IndexVerdict
    | RowCount
    | ColumnProfile
    | FanOut
    | RowsOverTime
    | Difference
    | Step
    | OrmTiming
    | OrmStatements
    | OrmStart
    | OrmLoad
    | OrmViolation
    | OrmFeature
    | OrmRank
    | OrmScore
    | Server
)


def as_record(fact: Any) -> dict[str, Any]:
    """Return a fact as plain JSON values; `fact` says what it is."""
    from dataclasses import fields, is_dataclass

    def plain(value: Any) -> Any:
        if isinstance(value, Place):
            return {f.name: getattr(value, f.name) for f in fields(value) if getattr(value, f.name)}
        if is_dataclass(value) and not isinstance(value, type):
            return as_record(value)
        if isinstance(value, tuple | list):
            return [plain(item) for item in value]
        return str(value) if isinstance(value, StrEnum) else value

    return {"fact": type(fact).__name__} | {f.name: plain(getattr(fact, f.name)) for f in fields(fact)}
