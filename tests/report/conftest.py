"""One made-up review that has something of everything a report can hold."""

import pytest

from dbplan.evidence import Finding, Place, RowCount, Server, Severity, Timing
from dbplan.report import Report
from dbplan.report.blocks import Code, Dots, Figure, Findings, Multiples, Section, Series, Table, Text, table

SERVER = Server("PostgreSQL", "18.6", 4, (("shared_buffers", "128MB"), ("random_page_cost", "4")))

ERD = """<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="760" height="300" viewBox="0 0 760 300" font-size="12"
 font-family="DejaVu Sans Mono, monospace" fill="var(--ink, #1a1a1a)">
<defs><marker id="many" viewBox="0 0 12 12" refX="12" refY="6" markerWidth="12" markerHeight="12" orient="auto">
<path d="M0 6 12 0M0 6 12 12" stroke="var(--muted, #666666)" fill="none"/></marker></defs>
<g stroke="var(--line, #cccccc)" fill="var(--paper, #ffffff)">
<rect x="10" y="40" width="230" height="130" rx="3"/><rect x="300" y="20" width="230" height="170" rx="3"/>
<rect x="300" y="220" width="230" height="60" rx="3"/><rect x="580" y="60" width="170" height="80" rx="3"/></g>
<g><text x="22" y="62" font-weight="bold">users</text><text x="22" y="86">id              uuid</text>
<text x="22" y="106">email           text</text><text x="22" y="126">credit_balance  bigint</text>
<text x="312" y="42" font-weight="bold">transactions</text><text x="312" y="66">id             uuid</text>
<text x="312" y="86">user_id        uuid</text><text x="312" y="106">amount         bigint</text>
<text x="312" y="126">balance_after  bigint</text><text x="312" y="242" font-weight="bold">audit_logs</text>
<text x="312" y="264">actor_id       uuid</text><text x="592" y="82" font-weight="bold">idempotency</text>
<text x="592" y="106">key       text</text></g>
<g stroke="var(--muted, #666666)" fill="none"><path d="M240 100H300" marker-end="url(#many)"/>
<path d="M240 140C280 140 270 250 300 250" marker-end="url(#many)"/></g></svg>
"""

UNINDEXED = (
    "Deleting or updating a parent row makes the server look for its children; without an index on the"
    " referencing columns it reads the whole table, and holds its locks meanwhile."
)


def unindexed(table: str, column: str) -> Finding:
    return Finding(
        "unindexed-foreign-key",
        Severity.ERROR,
        Place(table, column),
        f"no index begins with `{column}`",
        f"CREATE INDEX CONCURRENTLY ix_{table}_{column} ON {table} ({column});",
        UNINDEXED,
    )


FINDINGS = (
    Finding(
        "text-without-length",
        Severity.NOTE,
        Place("audit_logs", "details"),
        "any text fits, a whole book too",
        "",
        "A length that means something is a CHECK; without one the application alone guards it.",
    ),
    unindexed("transactions", "user_id"),
    unindexed("audit_logs", "actor_id"),
    *(
        Finding(
            "timestamp-without-time-zone",
            Severity.WARNING,
            Place(table, column),
            "holds no time zone",
            f"ALTER TABLE {table} ALTER COLUMN {column} TYPE timestamptz USING {column} AT TIME ZONE 'UTC';",
            "A reader in another zone takes the value for another moment.",
        )
        for table in ("users", "transactions", "audit_logs", "idempotency_records")
        for column in ("created_at", "updated_at", "deleted_at", "expires_at")
    ),
    Finding(
        "money-in-floats",
        Severity.ERROR,
        Place("transactions", "amount_in_the_currency_of_the_receiving_account"),
        "0.1 + 0.2 is not 0.3 in <double precision> & the sum drifts",
        "ALTER TABLE transactions\n  ALTER COLUMN amount_in_the_currency_of_the_receiving_account TYPE bigint;",
        "Binary fractions cannot hold tenths of a cent.",
    ),
)

TIMINGS = (
    Timing("user by email", 200, 0.000142, 0.000139, 0.000147, 0.000211, 1, 120.0, ("uq_users_email",)),
    Timing("recent transactions", 200, 0.00123, 0.00119, 0.00131, 0.0034, 50, 50.0, ("ix_transactions_user_created",)),
    Timing("charge credits, with its idempotency key and both balances", 200, 0.0041, 0.0037, 0.0046, 0.0092, 3, 20.0),
    Timing("audit trail of a month", 40, 0.318, 0.302, 0.341, 0.52, 12_480, 0.01),
)


@pytest.fixture
def timings():
    return TIMINGS


@pytest.fixture
def findings():
    return FINDINGS


def figure() -> Figure:
    alt = "Diagram of 4 tables: users has many transactions and many audit_logs; idempotency stands alone."
    return Figure(ERD, alt, "4 tables, 2 foreign keys", {"mmd": "erDiagram\n  users ||--o{ transactions : has"})


def linting() -> Section:
    wide: Table = table(
        {"rule": "code", "severity": "severity", "checked": "count", "found": "count", "ok": "flag"},
        [
            ("unindexed-foreign-key", "error", 3, 2, False),
            ("money-in-floats", "error", 14, 1, False),
            ("timestamp-without-time-zone", "warning", 16, 16, False),
            ("text-without-length", "note", 9, 1, False),
            ("no-primary-key", "error", 4, 0, True),
        ],
        "Every rule that looked",
    )
    about = Text("22 rules looked at **4 tables**. Views are not looked at; `citext` counts as text.")
    return Section(
        "Lint", "18 of 22 rules pass; 2 foreign keys have no index", False, (about, Findings(FINDINGS), wide)
    )


def measuring() -> Section:
    sizes = table(
        {"index": "code", "verdict": "text", "size": "bytes", "share": "percent", "scans": "rate", "gain": "ratio"},
        [
            ("ix_transactions_user_created", "earns its keep", 22_462_464, 0.4412, 50.0, 118.4),
            ("uq_users_email", "guards a constraint", 8192, 0.0201, 120.0, None),
            ("ix_transactions_created", "unused", 18_743_296, 0.381, 0, None),
        ],
        "Every index, at the planned volume",
    )
    rows = table(
        {"table": "code", "rows": "count", "seconds": "seconds", "rows a second": "rate"},
        [
            ("users", 100_000, 0.812, 123_152.7),
            ("transactions", 1_000_000, 6.21, 161_030.6),
            ("audit_logs", 0, None, None),
        ],
        "Rows written",
    )
    inner = Section("Indexes", "1 of 3 indexes is never used", True, (sizes,))
    blocks = (Dots(TIMINGS, "Service time of each named query, one client"), inner, Section("Rows", "", True, (rows,)))
    return Section("Benchmark", "4 queries timed; the slowest takes 318 ms at the median", True, blocks, True, SERVER)


def migrating() -> Section:
    steps = table(
        {"revision": "code", "direction": "text", "took": "seconds", "strongest lock": "text", "rows kept": "flag"},
        [
            ("0001 create credits", "up", 0.0431, None, True),
            ("0002 add credits to existing users", "up", 2.117, "ACCESS EXCLUSIVE on users", True),
            ("0002 add credits to existing users", "down", 0.0182, "ACCESS EXCLUSIVE on users", None),
        ],
    )
    code = Code("ALTER TABLE users ADD COLUMN credits bigint NOT NULL DEFAULT 0;", caption="What `0002` runs")
    verdict = "2 revisions go up, down and up again; the schema equals the models"
    return Section("Migrations", verdict, True, (steps, code), True, SERVER)


@pytest.fixture
def sample() -> Report:
    empty = Section(
        "Drift", "Nothing to compare: no database was named", True, (Text("Name one with `--against URL`."),)
    )
    errors = [f for f in FINDINGS if f.severity == "error"]
    return Report(
        "Design review of credits",
        "3 faults to mend before this ships: 2 foreign keys have no index, and money is kept in floats",
        False,
        (figure(), linting(), measuring(), migrating(), empty),
        (*FINDINGS, *TIMINGS, RowCount("users", 100_000, 0.812, 0), SERVER),
        (*errors, *(f for f in FINDINGS if f.severity == "warning")),
        SERVER,
    )


CLASSES = ("0", 3_102), ("1", 24_930), ("2–3", 41_022), ("4–7", 20_518), ("8–15", 9_214), ("16–31", 1_214)
MONTHS = ("2025-09", 61_204), ("2025-10", 70_331), ("2025-11", 0), ("2025-12", 104_553)


@pytest.fixture
def profile() -> Report:
    """Return a report with a histogram and a course over time."""
    fans = (
        Series("users → transactions", CLASSES, "median 2, most 31, 3.10 % childless"),
        Series("users → audit_logs_of_the_last_three_years", (("0", 100_000),), "median 0, most 0, 100 % childless"),
    )
    return Report(
        "Profile",
        "204,553 rows",
        blocks=(
            Multiples(fans, "bars", ("foreign key", "children", "parents"), "Children of each parent"),
            Multiples((Series("transactions", MONTHS, "0–104,553 rows a month"),), "line", ("table", "from", "rows")),
        ),
    )
