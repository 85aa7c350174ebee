"""What every data-access function does, on both servers."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, MultipleResultsFound

from dbplan.columns import new_id
from dbplan.connection import transaction
from dbplan.domains import calls
from dbplan.domains.calls import NotThere
from dbplan.errors import DbplanError, UsageError
from dbplan.plan import Plan

METADATA = MetaData()
PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(20), CheckConstraint("length(name) > 0", name="named"), unique=True),
    Column("friend_id", ForeignKey("people.id")),
)
PLAN = Plan("calls", METADATA)
by_email = select(PEOPLE.c.email, PEOPLE.c.name).where(PEOPLE.c.email == bindparam("address"))
rename = update(PEOPLE).values(name=bindparam("called"))
rename_one = rename.where(PEOPLE.c.email == bindparam("address")).returning(PEOPLE.c.id)
add = insert(PEOPLE).values(id=bindparam("new_id"), email=bindparam("address"), name=bindparam("called"))


class Taken(DbplanError):
    """A name that somebody has."""


@pytest.fixture
def session(engine):
    with transaction(engine) as session:
        yield session


def write(session, **values):
    session.execute(insert(PEOPLE), {"id": new_id()} | values)


def everyone(session):
    return dict(map(tuple, session.execute(select(PEOPLE.c.email, PEOPLE.c.name))))


# Looking at what was handed over


@given(st.text(max_size=12), st.integers(1, 10))
def test_a_text_is_trimmed_and_within_its_bounds(value, most):
    trimmed = value.strip()
    if 1 <= len(trimmed) <= most:
        assert calls.text("name", value, most) == trimmed
    else:
        with pytest.raises(UsageError, match=f"^the name has {len(trimmed)} characters; it has 1 to {most}$"):
            calls.text("name", value, most)


numbers = (
    st.integers()
    | st.integers(-3, 12)
    | st.booleans()
    | st.floats()
    | st.decimals()
    | st.fractions()
    | st.none()
    | st.sampled_from(["5", "hunter2", b"5", [5]])
)


@given(numbers, st.integers(-2, 2), st.integers(3, 10))
def test_only_a_whole_number_within_its_bounds_is_counted(value, least, most):
    if type(value) is int and least <= value <= most:
        assert calls.whole("count", value, least, most) is value
    else:
        said = rf"^the count is .+; it is a whole number, {least} to {most}$"
        with pytest.raises(UsageError, match=said) as refused:
            calls.whole("count", value, least, most)
        assert "hunter2" not in str(refused.value)


def test_a_count_without_a_bound_fits_into_its_column():
    assert calls.whole("count", 2**63 - 1, 0) == 2**63 - 1
    with pytest.raises(UsageError, match="the count is 9223372036854775808; it is a whole number, 0 to 9223"):
        calls.whole("count", 2**63, 0)


prices = st.decimals(Decimal(0), Decimal("99999999.99"), places=2)


@given(prices)
def test_a_price_is_exact_however_it_is_written(price):
    for written in (price, str(price), float(price)):
        assert calls.price("price", written) == price
    assert calls.price("price", None) is None


@given(numbers | st.floats(0, 10) | st.decimals(0, 10, places=3))
def test_what_is_no_price_is_refused_with_the_mend(value):
    try:
        found = calls.price("price", value)
    except UsageError as error:
        assert re.match(r"the price is .+; it is 0 to 99999999\.99 with at most two decimals; give a Dec", str(error))
        assert "hunter2" not in str(error)
    else:
        assert found is value is None or (0 <= found == Decimal(str(value)) and found == round(found, 2))


@given(st.emails())
def test_an_address_is_in_lower_case_and_stays_so(address):
    found = calls.email(f"  {address}\n")
    assert found == address.lower() == calls.email(found) == calls.email(address.upper())


@pytest.mark.parametrize("wrong", ["ada", "@example.com", "ada@", "@", "Ada Lovelace"])
def test_what_is_no_address_is_named(wrong):
    with pytest.raises(UsageError, match=f'^"{re.escape(wrong.lower())}" is no e-mail address; one has an @ with'):
        calls.email(wrong)


@pytest.mark.parametrize(
    ("wrong", "length"), [("", 0), (" \n", 0), ("a" * 250 + "@b.cd", 255), ("İ" * 127 + "@b.cd", 259)]
)
def test_an_address_of_a_senseless_length_is_not_repeated(wrong, length):
    with pytest.raises(UsageError, match=f"^the e-mail address has {length} characters; it has 1 to 254$"):
        calls.email(wrong)


# Running a statement


def test_what_a_statement_touched_is_counted(session):
    assert calls.changed(session, rename, {"called": None}) == 0
    for address in ("a@b", "c@d"):
        write(session, email=address)
    assert calls.changed(session, rename, {"called": None}) == 2
    assert calls.changed(session, delete(PEOPLE).where(PEOPLE.c.email == bindparam("address")), {"address": "a@b"}) == 1
    assert calls.changed(session, add, {"new_id": new_id(), "address": "e@f", "called": "Eve"}) == 1


def test_the_only_row_is_given_and_a_missing_one_is_the_error_that_was_handed_over(session):
    write(session, email="a@b", name="Ada")
    missing = NotThere("nobody has that address")
    assert calls.only(session, by_email, {"address": "a@b"}, missing) == ("a@b", "Ada")
    with pytest.raises(NotThere) as raised:
        calls.only(session, by_email, {"address": "c@d"}, missing)
    assert raised.value is missing


def test_one_of_two_rows_is_not_the_only_one(session):
    for address in ("a@b", "c@d"):
        write(session, email=address)
    with pytest.raises(MultipleResultsFound):
        calls.only(session, select(PEOPLE), {}, NotThere("nobody"))


def test_not_there_is_no_usage_error_and_shows_in_one_line():
    assert issubclass(NotThere, DbplanError)
    assert not issubclass(NotThere, UsageError)


# What a constraint refuses

REFUSED = {
    "unique": {"email": "a@b"},
    "check": {"email": "c@d", "name": ""},
    "foreign key": {"email": "c@d", "friend_id": new_id()},
    "not null": {"email": None},
}


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED)
def test_a_refusal_is_the_error_that_was_handed_over_and_the_work_goes_on(engine, values):
    taken = Taken("this name belongs to somebody")
    with transaction(engine) as session:
        write(session, email="a@b", name="Ada")
        with pytest.raises(Taken) as raised, calls.refused_as(session, taken):
            session.execute(rename, {"called": "Eve"})
            write(session, **values)
        assert raised.value is taken
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__
        write(session, email="e@f", name="Fay")
    with transaction(engine) as session:
        assert everyone(session) == {"a@b": "Ada", "e@f": "Fay"}


def test_what_is_not_refused_is_written(engine):
    with transaction(engine) as session, calls.refused_as(session, Taken("taken")):
        write(session, email="a@b", name="Ada")
    with transaction(engine) as session:
        assert everyone(session) == {"a@b": "Ada"}


def test_another_error_stays_what_it_is_and_undoes_the_block(session):
    with pytest.raises(ZeroDivisionError), calls.refused_as(session, Taken("taken")):
        write(session, email="a@b")
        _ = 1 / 0
    assert everyone(session) == {}


# Changing a row or adding it


def upsert(session, address, called):
    values = {"address": address, "called": called}
    return calls.upsert(session, rename_one, add, values, Taken(f"{called} is somebody else"))


def test_a_row_is_added_and_then_changed(session):
    first = upsert(session, "a@b", "Ada")
    assert upsert(session, "a@b", "Eve") == first
    assert upsert(session, "c@d", "Ada") != first
    assert everyone(session) == {"a@b": "Eve", "c@d": "Ada"}


def test_another_row_in_the_way_is_the_error_that_was_handed_over(session):
    upsert(session, "a@b", "Ada")
    upsert(session, "c@d", "Eve")
    for address in ("c@d", "e@f"):
        with pytest.raises(Taken, match="Ada is somebody else"):
            upsert(session, address, "Ada")
    assert everyone(session) == {"a@b": "Ada", "c@d": "Eve"}


def test_twenty_add_one_row_and_each_gets_its_id(engine, at_once):
    def work(n):
        with transaction(engine) as session:
            return upsert(session, "a@b", f"Ada {n}")

    answers = set(at_once(work))
    with transaction(engine) as session:
        assert answers == set(session.scalars(select(PEOPLE.c.id)))
        assert session.scalar(select(func.count()).select_from(PEOPLE)) == 1


def test_without_the_block_a_refusal_is_the_servers(engine):
    with pytest.raises(IntegrityError), transaction(engine) as session:
        write(session, email="a@b")
        write(session, email="a@b")
