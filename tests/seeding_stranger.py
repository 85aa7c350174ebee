"""A stranger's schema: addresses as keys, uniques on lower(email), circles, odd names and types, and rows of people."""

import datetime as dt
import uuid
from decimal import Decimal

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from dbplan.plan import Plan

PEOPLE = 120


def plan(on="postgresql"):
    """Return the plan, with what only PostgreSQL has where it is meant for it."""
    metadata = MetaData()
    _people(metadata)
    _groups(metadata)
    if on == "postgresql":
        _postgresql(metadata)
    return Plan(name="stranger", metadata=metadata)


def _people(metadata):
    users = Table(
        "User", metadata,
        Column("id", Integer, Identity(), primary_key=True),
        Column("email", String(80), nullable=False),
        Column("firstName", String(40)),
        Column("lastName", String(40)),
        Column("user_name", String(30), unique=True),
        Column("full name", String(90)),
        Column("password", String(100)),
        Column("birth_date", Date),
        Column("order", String(12), CheckConstraint("\"order\" LIKE 'cus_%'")),
        Column("api_token", Uuid, unique=True),
        Column("bio", Text, comment="What they say of themselves: 100% free"),
        Column("status", String(10), CheckConstraint("status IN ('on', 'off')")),
        Column("label", String(100), Computed("lower(status)")),
        Column("active", Boolean),
        Column("mentor", ForeignKey("User.id")),
        Column("profile", JSON),
        Column("created_at", DateTime),
    )  # fmt: skip
    Index("uq_email", func.lower(users.c.email), unique=True)
    Table(
        "subscriber", metadata,
        Column("email", String(120), primary_key=True),
        Column("name", String(90)),
        CheckConstraint("email = lower(email) AND email LIKE '_%@_%'"),
    )  # fmt: skip
    Table(
        "mail", metadata,
        Column("id", BigInteger, primary_key=True),
        Column("recipient", ForeignKey("subscriber.email"), nullable=False),
        Column("identifier", String(254)),
        Column("kind", String(20)),
        Column("phone", String(20), CheckConstraint("phone LIKE '+%'")),
        Column("amount", Numeric(10, 2)),
    )  # fmt: skip


def _groups(metadata):
    Table(
        "team", metadata,
        Column("country", String(2), primary_key=True), Column("no", Integer, primary_key=True),
        Column("name", String(40), unique=True), Column("head", Integer, ForeignKey("member.id", use_alter=True)),
    )  # fmt: skip
    Table(
        "member", metadata,
        Column("id", Integer, primary_key=True), Column("country", String(2)), Column("no", Integer),
        Column("nickname", String(20), nullable=False),
        UniqueConstraint("country", "no", "nickname"),
        ForeignKeyConstraint(["country", "no"], ["team.country", "team.no"]),
    )  # fmt: skip


def _postgresql(metadata):
    from sqlalchemy.dialects import postgresql as pg

    Table(
        "visit", metadata,
        Column("id", Integer, primary_key=True),
        Column("ip", pg.INET, nullable=False), Column("emails", pg.ARRAY(Text)), Column("tags", pg.ARRAY(Integer)),
        Column("raw", LargeBinary), Column("words", pg.TSVECTOR), Column("seen", pg.TSTZRANGE),
        Column("meta", pg.JSONB), Column("lat", pg.DOUBLE_PRECISION), Column("note", Text),
        Column("mac", pg.MACADDR), Column("amounts", pg.NUMRANGE),
        Column("position", Integer, server_default=text("nextval('visit_position')")),
    )  # fmt: skip


def fill(connection, metadata, on="postgresql"):
    """Write rows of people, whose words are all of one kind that can be searched for."""
    tables = metadata.tables
    connection.execute(tables["User"].insert(), [_user(n) for n in range(1, PEOPLE + 1)])
    connection.execute(tables["User"].update().where(tables["User"].c.id > 1).values(mentor=tables["User"].c.id - 1))
    connection.execute(tables["subscriber"].insert(), [_subscriber(n) for n in range(PEOPLE)])
    connection.execute(tables["mail"].insert(), [_mail(n) for n in range(PEOPLE * 2)])
    connection.execute(tables["team"].insert(), [_team(n) for n in range(10)])
    connection.execute(tables["member"].insert(), [_member(n) for n in range(40)])
    connection.execute(tables["team"].update().values(head=tables["team"].c.no))
    if on == "postgresql":
        connection.execute(tables["visit"].insert(), [_visit(n) for n in range(20)])


def address(n):
    """Return the address of a person, which stands in several tables."""
    return f"real{n}.person@corp-secret.test"


def _user(n):
    return {
        "email": address(n).title() if n % 7 == 0 else address(n), "firstName": None if n == 3 else f"RealFirst{n}",
        "lastName": f"RealLast{n}", "user_name": f"real_user_{n}", "full name": f"RealFirst{n} RealLast{n}",
        "password": f"$2b$12$realrealrealrealreal{n:033d}",
        "birth_date": dt.date(1950 + n % 50, 1 + n % 12, 1 + n % 28),
        "order": f"cus_{n:06d}", "api_token": uuid.UUID(int=n + (4 << 76) + (8 << 60)),
        "bio": f"My name is RealFirst{n}\nand a\ttab, a \\ and \u00fcmlaut" if n % 5 else "", "status": "on",
        "active": n % 2 == 0,
        "profile": {"email": address(n), "age": 40, "nested": [{"city": "RealTown", "status": "on"}], "ok": True},
        "created_at": dt.datetime(2024, 1, 1) + dt.timedelta(hours=n),
    }  # fmt: skip


def _subscriber(n):
    return {"email": address(n), "name": f"RealFirst{n} RealLast{n}"}


def _mail(n):
    return {
        "id": n + 1, "recipient": address(n % PEOPLE), "identifier": address(n % PEOPLE), "kind": "welcome",
        "phone": f"+4917012{n:05d}", "amount": Decimal("12.50"),
    }  # fmt: skip


def _team(n):
    return {"country": "DE", "no": n, "name": f"Team Real {n}", "head": None}


def _member(n):
    return {"id": n, "country": "DE", "no": n % 10, "nickname": f"realnick{n}"}


def _visit(n):
    return {
        "id": n, "ip": f"192.0.2.{n}", "emails": [address(n), 'quo"te\\d, {real}', None] if n else [], "tags": [1, n],
        "raw": b"real bytes" * n, "words": "real words", "seen": None, "lat": 52.5 + n / 100,
        "meta": {"ip": "192.0.2.1", "q": "real words said here", "null": None}, "note": f"write to {address(n)} \\N",
        "mac": "08:00:2b:01:02:03", "amounts": None,
    }  # fmt: skip
