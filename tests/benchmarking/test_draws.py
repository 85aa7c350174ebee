import pytest
from sqlalchemy import String, bindparam, func, insert, literal, or_, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column

from dbplan.benchmarking import sampling
from dbplan.benchmarking.draws import IN_LIST, SETS, NotDrawable, draw
from dbplan.errors import UsageError
from dbplan.plan import Query


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "User"
    id: Mapped[int] = mapped_column(primary_key=True)
    named: Mapped[str] = mapped_column("order", String(40))


@pytest.fixture
def connection(seeded):
    with seeded.engine.connect() as connection:
        yield connection


def values(connection, statement, random_state=7, **how):
    drawn = draw(connection, Query("q", statement, 1.0, how), random_state)
    return [drawn.take(number) for number in range(SETS)]


def test_a_value_comes_from_the_compared_column(connection, schema):
    sets = values(connection, select(schema.user).where(schema.user.c.order == bindparam("name")))
    assert len({each["name"] for each in sets}) > SETS / 2
    assert connection.scalar(select(func.count()).where(schema.user.c.order.in_([s["name"] for s in sets]))) == len(
        {each["name"] for each in sets}
    )


def test_parameters_of_one_table_come_from_one_row(connection, schema):
    where = (
        schema.events.c.user_id == bindparam("u"),
        schema.events.c.Tag == bindparam("t"),
        schema.events.c.At < bindparam("at"),
    )
    for each in values(connection, select(schema.events).where(*where))[:20]:
        row = select(schema.events).where(
            schema.events.c.user_id == each["u"], schema.events.c.Tag == each["t"], schema.events.c.At == each["at"]
        )
        assert connection.execute(row).first()


def test_a_value_that_many_rows_share_is_drawn_as_often(connection, schema):
    sets = values(connection, select(schema.events).where(schema.events.c.user_id == bindparam("u")))
    heavy = connection.scalar(
        select(schema.events.c.user_id)
        .group_by(schema.events.c.user_id)
        .order_by(func.count().desc(), schema.events.c.user_id)
        .limit(1)
    )
    share = connection.scalar(select(func.count()).where(schema.events.c.user_id == heavy)) / 12_000
    assert 0.3 * share <= sum(each["u"] == heavy for each in sets) / SETS <= 3 * share


def test_the_same_state_gives_the_same_values_and_another_gives_others(connection, schema):
    statement = select(schema.events).where(schema.events.c.id == bindparam("i"))
    assert values(connection, statement) == values(connection, statement)
    assert values(connection, statement) != values(connection, statement, random_state=8)


def test_in_lists_bounds_aliases_and_mapped_classes_are_understood(connection, schema):
    other, mapped = schema.user.alias("x"), aliased(User)
    statement = select(other).where(
        other.c.id.in_(bindparam("ids", expanding=True)),
        other.c.age.between(bindparam("low"), bindparam("high")),
        or_(mapped.named == bindparam("named"), other.c.order == literal("never")),
    )
    first = values(connection, statement)[0]
    assert len(set(first["ids"])) == IN_LIST
    assert {"low", "high", "named"} < set(first)


def test_written_values_come_from_the_column_they_are_written_to(connection, schema):
    statement = update(schema.user).where(schema.user.c.id == bindparam("i")).values(age=bindparam("a"))
    assert all(0 <= each["a"] < 70 for each in values(connection, statement))


def test_an_inserted_unique_value_is_not_drawn_from_what_is_there(connection, schema):
    statement = insert(schema.user).values(id=1, order=bindparam("o"), age=bindparam("a"))
    with pytest.raises(NotDrawable, match="o is written to User.order, where a value of the data would be there twice"):
        values(connection, statement)
    fresh = iter(f"new{i}" for i in range(1000)).__next__
    assert values(connection, statement, o=fresh)[0]["o"] == "new0"


def test_lists_columns_functions_and_attributes_can_be_named(connection, schema):
    statement = select(schema.events).where(literal(1) == bindparam("a")).limit(bindparam("lim"))
    sets = values(connection, statement, a=User.id, lim=[10, 50])
    assert {each["lim"] for each in sets} == {10, 50}
    assert len({each["a"] for each in sets}) > 50


def test_null_is_never_drawn_and_a_table_without_a_key_will_do(connection, schema):
    sets = values(connection, select(schema.keyless).where(schema.keyless.c.note == bindparam("n")))
    assert {each["n"] for each in sets} == {f"k{i}" for i in range(0, 20, 2)}
    assert values(connection, text("SELECT :g"), g=schema.keyless.c.group)[0]["g"].keys() == {"i"}


@pytest.mark.parametrize(
    ("statement", "how", "why"),
    [
        (
            lambda schema: select(schema.empty).where(schema.empty.c.x == bindparam("x")),
            {},
            "empty has no row with a value in x",
        ),
        (lambda _: text("SELECT :p"), {}, "p is not compared with any one column"),
        (lambda schema: select(schema.user).where(schema.user.c.id == bindparam("i")), {"j": [1]}, "`draws` names j"),
        (
            lambda schema: select(schema.user).where(schema.user.c.id == bindparam("i")),
            {"i": []},
            "an empty list for i",
        ),
    ],
)
def test_what_cannot_be_drawn_says_why(connection, schema, statement, how, why):
    with pytest.raises(NotDrawable, match=why):
        values(connection, statement(schema), **how)


def test_a_function_that_fails_is_named(connection, schema):
    with pytest.raises(UsageError, match="the function that draws i raised ZeroDivisionError"):
        values(connection, select(schema.user).where(schema.user.c.id == bindparam("i")), i=lambda: 1 / 0)


def test_large_tables_are_sampled_by_page_alike_each_time(connection, schema, monkeypatch):
    statement = select(schema.events).where(
        schema.events.c.user_id == bindparam("u"), schema.events.c.Tag == bindparam("t")
    )
    monkeypatch.setattr(sampling, "LARGE", 100)
    by_page = values(connection, statement)
    assert by_page == values(connection, statement)
    assert len({(each["u"], each["t"]) for each in by_page}) > 50
