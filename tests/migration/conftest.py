"""Made-up plans with revision folders, small enough to rehearse one for every fault."""

from textwrap import dedent, indent

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, text

from dbplan import Plan

HEAD = '''"""{title}."""

import sqlalchemy as sa
from alembic import op

revision = "{id}"
down_revision = {down!r}
{extra}


def upgrade():
{up}


def downgrade():
{downgrade}
'''

FIRST_UP = """
op.create_table(
    "people",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("nick", sa.String(40)),
)
op.create_table(
    "visits",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("person_id", sa.Integer, sa.ForeignKey("people.id", name="fk_visits_person"), nullable=False),
    sa.Column("score", sa.Integer, nullable=False, server_default=sa.text("0")),
)
op.create_index("ix_visits_person_id", "visits", ["person_id"])
"""
FIRST_DOWN = """
op.drop_table("visits")
op.drop_table("people")
"""


def models():
    """The schema that the first revision makes."""
    metadata = MetaData()
    Table(
        "people",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(40), nullable=False),
        Column("nick", String(40)),
    )
    person = ForeignKey("people.id", name="fk_visits_person")
    Table(
        "visits",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("person_id", Integer, person, nullable=False, index=True),
        Column("score", Integer, nullable=False, server_default=text("0")),
    )
    return metadata


@pytest.fixture
def write(tmp_path):
    """Write one revision file; return its folder."""

    def write(id, up="pass", downgrade="pass", *, down=None, title="Change something", extra="", folder="revisions"):
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        bodies = (indent(dedent(body).strip() or "pass", "    ") for body in (up, downgrade))
        body = dict(zip(("up", "downgrade"), bodies, strict=True))
        (place / f"{id}.py").write_text(HEAD.format(id=id, down=down, title=title, extra=extra, **body))
        return place

    return write


@pytest.fixture
def plan_of(write):
    """Return a plan of two tables, made by revision 0001, and what more revisions are given."""

    def plan_of(*more, metadata=None, name="made_up"):
        folder = write("0001", FIRST_UP, FIRST_DOWN, title="Create people and visits")
        before = "0001"
        for number, revision in enumerate(more, 2):
            here = f"{number:04}"
            write(here, **({"down": before} | revision))
            before = here
        return Plan(name, metadata or models(), migrations=folder)

    return plan_of
