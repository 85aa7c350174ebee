import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbplan.errors import DbplanError, UnknownName, mask

_SECRET = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=12, max_size=20)


@given(
    _SECRET, st.sampled_from(["postgresql://bob:{}@h/db", "mysql+pymysql://u:{}@h:3306/x?a=b", "host=h password={}"])
)
def test_no_error_text_holds_a_password(secret: str, shape: str):
    assert secret not in str(DbplanError(f"cannot reach {shape.format(secret)}, sorry"))


@pytest.mark.parametrize("password", ["p@ss", "a:b", "x/y", "s3:c@r@et"])
def test_odd_passwords_are_masked_whole(password: str):
    assert mask(f"to postgresql://bob:{password}@host/db now") == "to postgresql://bob:***@host/db now"


@pytest.mark.parametrize(
    "plain",
    [
        "postgresql://host/db",
        "see users.email: 3 rows",
        "postgresql://bob@host/db",
        "a@b.c",
        "",
        'unrecognized token: ":"',
    ],
)
def test_what_holds_no_secret_stays(plain: str):
    assert mask(plain) == plain


def test_an_unknown_name_lists_what_there_is_and_the_nearest():
    error = UnknownName("table", "user", ["users", "audit_logs"], where='plan "credits"')
    assert str(error) == 'no table "user" in plan "credits"; tables are: audit_logs, users; did you mean \'users\'?'


def test_a_long_list_of_names_is_cut_and_counted():
    assert "… (300 in all)" in str(UnknownName("table", "x", (f"t{n}" for n in range(300))))
