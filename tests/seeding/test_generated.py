"""Generated schemas: whatever keys, uniques and CHECKs come together, the rows hold them or the error says why."""

from itertools import pairwise

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Enum,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.schema import CreateTable

from dbplan.connection import new_engine
from dbplan.errors import Unsatisfiable
from dbplan.plan import Plan
from dbplan.sandbox import sandbox
from dbplan.seeding import seed

NAMES = ("email", "status", "position", "created_at", "amount", "group", "Total Sum", "user", "expires_at", "code")
TYPES = (
    Integer(),
    String(30),
    String(4),
    Boolean(),
    DateTime(),
    Date(),
    Numeric(8, 2),
    Uuid(),
    Enum("x", "y", "z", name="letters"),
)


def checks(draw, columns):
    """Return CHECKs over the columns of a table."""
    found = []
    numbers = [c.name for c in columns if isinstance(c.type, Integer | Numeric)]
    times = [c.name for c in columns if isinstance(c.type, DateTime)]
    for name in numbers:
        found += draw(
            st.sampled_from(
                [
                    [],
                    [f'"{name}" >= 3'],
                    [f'"{name}" BETWEEN -5 AND 500'],
                    [f'"{name}" <> 0'],
                    [f'"{name}" > 7 OR "{name}" = 0'],
                ]
            )
        )
    for one, other in pairwise(numbers):
        found += draw(st.sampled_from([[], [f'"{one}" <= "{other}"'], [f'"{one}" <> "{other}"']]))
    for one, other in pairwise(times):
        found += draw(
            st.sampled_from(
                [[], [f'"{one}" < "{other}"'], [f'"{one}" IS NULL OR "{other}" IS NULL OR "{one}" <= "{other}"']]
            )
        )
    for column in columns:
        if isinstance(column.type, String) and not isinstance(column.type, Enum):
            found += draw(
                st.sampled_from([[], [f'length("{column.name}") >= 2'], [f'"{column.name}" = lower("{column.name}")']])
            )
    nullable = [c.name for c in columns if c.nullable]
    if len(nullable) > 1 and draw(st.booleans()):
        found.append(f'("{nullable[0]}" IS NULL) = ("{nullable[1]}" IS NULL)')
    return found


@st.composite
def schemas(draw):
    metadata = MetaData()
    count = draw(st.integers(1, 4))
    keys = []
    for number in range(count):
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
        columns = [Column(n, draw(st.sampled_from(TYPES)), nullable=draw(st.booleans())) for n in names]
        shared = draw(st.booleans()) and number > 0
        key = ["id"]
        columns.insert(0, Column("id", draw(st.sampled_from((Integer(), Uuid(), String(12)))), primary_key=True))
        constraints = [CheckConstraint(text) for text in checks(draw, columns[1:])]
        for place, parent in enumerate(draw(st.lists(st.integers(0, number), max_size=2))):
            target_name, target_columns = (f"t{parent}", [columns[0]]) if parent == number else keys[parent]
            own = [
                Column(f"p{place}_{c.name}", c.type, nullable=draw(st.booleans()) or parent == number)
                for c in target_columns
            ]
            columns += own
            constraints.append(
                ForeignKeyConstraint([c.name for c in own], [f"{target_name}.{c.name}" for c in target_columns])
            )
            if draw(st.booleans()):
                other = draw(st.sampled_from(names))
                constraints.append(UniqueConstraint(*(c.name for c in own), other))
        if shared and keys[-1][1]:
            columns[0].primary_key = True
        Table(f"t{number}", metadata, *columns, *constraints)
        keys.append((f"t{number}", [columns[0]]))
        del key
    return metadata


def outcome(target, plan, rows):
    """Seed; an Unsatisfiable has to carry its arithmetic."""
    try:
        return seed(target, plan, rows=rows)
    except Unsatisfiable as error:
        note(str(error))
        assert "values" in str(error), error
        return None


def shown(metadata):
    for table in metadata.sorted_tables:
        note(str(CreateTable(table)))
    return Plan(name="generated", metadata=metadata)


QUICK = {
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


@settings(max_examples=40, **QUICK)
@given(schemas(), st.integers(1, 60))
def test_rows_hold_every_constraint_or_the_error_says_why(metadata, rows):
    plan = shown(metadata)
    engine = new_engine("sqlite://")
    try:
        plan.metadata.create_all(engine)
        report = outcome(engine, plan, rows)
        with engine.connect() as connection:
            for table in plan.tables:
                count = connection.exec_driver_sql(f'SELECT count(*) FROM "{table.name}"').scalar()
                assert (count > 0) == (report is not None)
    finally:
        engine.dispose()


@settings(max_examples=6, **QUICK)
@given(schemas(), st.integers(1, 60))
def test_postgresql_holds_them_as_well(metadata, rows):
    plan = shown(metadata)
    with sandbox(plan) as stage:
        outcome(stage, plan, rows)
