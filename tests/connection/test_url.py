import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.connection.url import looks_like_url, normalise, pool_options
from dbplan.errors import DbplanError, NotCovered, UsageError


@pytest.mark.parametrize(
    ("given_url", "wanted"),
    [
        ("file:./dev.db", "sqlite:///./dev.db"),
        ("file:dev.db?connection_limit=1", "sqlite:///dev.db"),
        ("postgres://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("postgresql://u:p@h:5432/db?schema=public", "postgresql+psycopg://u:p@h:5432/db"),
        ("postgresql://u:p@h/db?connection_limit=10&pool_timeout=20", "postgresql+psycopg://u:p@h/db"),
        ("postgresql://u:p@h/db?sslmode=require", "postgresql+psycopg://u:p@h/db?sslmode=require"),
        ("mysql://u:p@h:3306/db", "mysql+pymysql://u:p@h:3306/db"),
        ("sqlite:///dev.db", "sqlite:///dev.db"),
    ],
)
def test_urls_of_the_requirements_are_understood(given_url: str, wanted: str):
    assert normalise(given_url).render_as_string(hide_password=False) == wanted


def test_a_schema_becomes_the_search_path():
    assert normalise("postgresql://h/db?schema=shop").query["options"] == '-csearch_path="shop"'


def test_pool_parameters_reach_the_pool():
    url = "postgresql://h/db?connection_limit=3&pool_timeout=7"
    assert pool_options(url) == {"pool_size": 3, "pool_timeout": 7, "max_overflow": 0}
    with pytest.raises(UsageError, match="connection_limit=many"):
        pool_options("postgresql://h/db?connection_limit=many")


@pytest.mark.parametrize("url", ["mongodb://u:secret@h/db", "sqlserver://h:1433;user=sa;password=secret"])
def test_servers_that_are_not_covered_are_named_without_their_secret(url: str):
    with pytest.raises(NotCovered) as caught:
        normalise(url)
    assert "secret" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_gives_a_url_or_one_clear_error(text: str):
    try:
        normalise(text)
    except DbplanError as error:
        assert str(error)


def test_what_is_a_url():
    assert looks_like_url("postgresql+psycopg://h/d")
    assert looks_like_url("file:dev.db")
    assert not looks_like_url("package.models:Base")
