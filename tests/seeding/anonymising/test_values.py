"""Replacements of single values: of the same shape, one-to-one, under a key, the same for the same value."""

import datetime as dt
import ipaddress
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dbplan.seeding.anonymising import texts, things
from dbplan.seeding.anonymising.documents import walked
from dbplan.seeding.anonymising.fields import escaped, reader, writer
from dbplan.seeding.anonymising.keyed import Keyed
from dbplan.seeding.anonymising.persons import People
from dbplan.seeding.anonymising.shapes import card, iban, scrambled, within

KEY = Keyed(7, "secret", "test")
PEOPLE = People(KEY)


def kinds(text):
    return ["9" if c.isdigit() else "A" if c.isupper() else "a" if c.islower() else c for c in text]


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=30))
def test_a_scrambled_text_keeps_length_case_and_what_stands_between(text):
    made = scrambled(KEY, text)
    assert len(made) == len(text)
    assert [c for c in made if not c.isalnum()] == [c for c in text if not c.isalnum()]
    assert (made == made.lower()) == (text == text.lower())


@given(st.sets(st.text(min_size=1, max_size=6), min_size=2, max_size=40))
def test_no_two_texts_become_one(values):
    assert len({scrambled(KEY, value) for value in values}) == len(values)


@pytest.mark.parametrize("shape", ["{:03d}", "A{:03d}", "{:03d}-x", "{:03x}0a0b0c", "é{:03d}"])
def test_a_full_range_is_a_permutation(shape):
    values = [shape.format(number) for number in range(1000)]
    made = [scrambled(KEY, value) for value in values]
    assert len(set(made)) == 1000
    assert made != values


def test_texts_that_differ_in_case_alone_differ_in_it_alone():
    values = ["Ab-1", "aB-1", "ab-1", "xy-1", "Xy-1"]
    made = [scrambled(KEY, value) for value in values]
    assert len(set(made)) == 5
    assert len({text.lower() for text in made}) == 2


def test_a_number_keeps_its_first_digit_above_zero():
    assert all(scrambled(KEY, str(number))[0] != "0" for number in range(1, 300))
    assert scrambled(KEY, "007")[0] == "0"
    assert len({within(KEY, number, 2**31 - 1) for number in range(2_147_483_000, 2_147_483_600)}) == 600
    assert within(KEY, -5, 9) < 0


def test_check_digits_are_right_where_they_were():
    account = iban(KEY, "DE89 3704 0044 0532 0130 00")
    digits = "".join(str(int(c, 36)) for c in account[5:].replace(" ", "") + account[:4])
    assert (account[:2], int(digits) % 97, len(account)) == ("DE", 1, 27)
    number = card(KEY, "4111 1111 1111 1111")
    assert re.fullmatch(r"\d{4} \d{4} \d{4} \d{4}", number)
    assert number != "4111 1111 1111 1111"
    assert card(KEY, number) != number
    odd = [int(c) for c in number.replace(" ", "")][::-1]
    assert sum(odd[::2] + [d * 2 - 9 * (d > 4) for d in odd[1::2]]) % 10 == 0


def test_a_person_is_one_person_whatever_is_asked():
    address = PEOPLE.address("Ada@corp.test")
    person = PEOPLE.of("ada@corp.test")
    first, last = person.part("first_name"), person.part("last_name")
    assert person.part("name") == f"{first} {last}"
    assert address.lower() == person.part("email") == PEOPLE.address("ada@corp.test")
    assert address != address.lower()
    assert person.part("user_name").rpartition("_")[0] in person.part("email").replace(".", "_")


def test_addresses_and_user_names_are_as_many_as_they_were_and_fit():
    values = [f"user{number}@corp.test" for number in range(20_000)]
    for longest in (None, 60, 40, 28):
        made = {PEOPLE.address(value, longest) for value in values}
        assert len(made) == 20_000
        assert longest is None or max(map(len, made)) <= longest
        assert all(value.endswith(("@example.com", "@example.net", "@example.org")) for value in made)
    names = {PEOPLE.user_name(value, 20) for value in values}
    assert (len(names), max(map(len, names)) <= 20) == (20_000, True)
    assert PEOPLE.address("a@b.c", 8) != "a@b.c"  # too short for a name and a number: its shape


def test_prose_has_the_length_of_what_it_replaces():
    for size in (1, 2, 11, 300, 70_000):
        made = texts.neutral(KEY, "Q" * size)
        assert len(made) == size
        assert made == made.strip()
    assert texts.neutral(KEY, "Dear Ada, call me") != texts.neutral(KEY, "Dear Bob, call me")


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ("https://acme.test/u/ada.png?size=2", r"https://example\.com/[0-9a-f]{24}\.png"),
        ("http://acme.test", r"http://example\.com/[0-9a-f]{24}"),
        ("data:image/png;base64,AAAA", r"https://example\.com/[0-9a-f]{24}"),
        ("/uploads/ada.png", r"/[a-z]{7}/[a-z]{3}\.png"),
    ],
)
def test_a_link_leads_nowhere(value, pattern):
    assert re.fullmatch(pattern, texts.link(KEY, value, None))
    assert "ada" not in texts.link(KEY, value, None)


def test_internet_addresses_stay_of_their_version_and_network():
    values = [f"10.0.{high}.{low}" for high in range(8) for low in range(256)]
    made = {texts.internet_address(KEY, value) for value in values}
    assert len({ipaddress.IPv4Address(value) for value in made}) == len(values)
    assert texts.internet_address(KEY, "10.1.0.0/16").endswith(".0.0/16")
    assert ipaddress.ip_address(texts.internet_address(KEY, "2001:db8::1")).is_private
    assert texts.internet_address(KEY, "10.1.2.3/16").endswith("/16")


@pytest.mark.parametrize(
    "value",
    [
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaGhhc2g",
        "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
        "pbkdf2_sha256$600000$salt$aGFzaA==",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "hunter2",
    ],
)
def test_a_password_opens_nothing_and_keeps_its_form(value):
    made = texts.unusable(value)
    assert len(made) == len(value)
    assert made.split("$")[:2] == value.split("$")[:2] or "$" not in value
    assert value[-4:] not in made


def test_days_of_birth_are_permuted_within_their_year():
    days = [dt.date(2000, 1, 1) + dt.timedelta(days=n) for n in range(366)]
    made = [things.birth_date(KEY, day) for day in days]
    assert sorted(made) == days
    assert made != days
    moment = things.birth_date(KEY, dt.datetime(1990, 5, 6, 7, 8, tzinfo=dt.UTC))
    assert (moment.year, moment.hour, moment.tzinfo) == (1990, 7, dt.UTC)


@given(st.floats(-180, 180))
def test_places_stay_in_their_degree(value):
    made = things.coordinate(KEY, value)
    assert int(made) == int(value)
    assert abs(made) <= (90 if abs(value) <= 90 else 180)


def test_decimal_places_keep_their_decimals():
    assert str(things.coordinate(KEY, Decimal("-0.123456")))[:3] == "-0."
    assert things.coordinate(KEY, Decimal("52.5200")).as_tuple().exponent == -4


def test_documents_are_walked_by_key():
    document = {"email": "a@b.c", "n": 1, "list": [{"name": "Ada"}, None, True], "a@b.c": "x"}
    made = walked(document, lambda name, value: (lambda v: f"<{name}>") if isinstance(value, str) else None)
    assert made == {"email": "<email>", "n": 1, "list": [{"name": "<name>"}, None, True], "<email>": "<a@b.c>"}


def test_another_secret_or_state_gives_other_values():
    values = {Keyed(state, secret, "test").number("x") for state in (7, 8) for secret in ("", "a")}
    assert len(values) == 4
    assert "secret" not in repr(KEY)


WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"))


@given(WORDS | st.lists(WORDS | st.none(), min_size=1))
def test_fields_of_copy_are_read_as_they_are_written(value):
    kind = sa.ARRAY(sa.Text) if isinstance(value, list) else sa.Text()
    field = escaped([writer(kind)(value)])[0]
    assert not {"\n", "\t", "\r"} & set(field)
    assert reader(kind)(field) == value
