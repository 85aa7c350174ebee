import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text

from dbplan import encryption
from dbplan.columns import Encrypted
from dbplan.connection import new_engine
from dbplan.encryption import DEVELOPMENT, PREFIX, VARIABLE, EncryptionError, new_key, rehearsal, seal, unseal

SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
places = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv(VARIABLE, key := new_key())
    return key


def refusal(sealed, place="accounts.refresh_token"):
    """Return what `unseal` says where it refuses, without any part of the secret or of a key."""
    with pytest.raises(EncryptionError) as refused:
        unseal(sealed, place)
    said = str(refused.value)
    assert SECRET not in said
    assert not any(word.strip() in said for word in os.environ.get(VARIABLE, "").split(",") if word != DEVELOPMENT)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return said


@given(st.text(st.characters(codec="utf-8")), places)
def test_what_is_sealed_opens_in_its_place(secret, place):
    sealed = seal(secret, place)
    assert sealed.startswith(PREFIX)
    assert unseal(sealed, place) == secret


@given(st.text(st.characters(codec="utf-8")), places, places)
def test_and_in_no_other(secret, place, other):
    sealed = seal(secret, place)
    if place == other:
        assert unseal(sealed, other) == secret
    else:
        with pytest.raises(EncryptionError):
            unseal(sealed, other)


@given(st.text(st.characters(codec="utf-8"), min_size=1), places, st.data())
def test_one_changed_character_is_noticed(secret, place, data):
    sealed = seal(secret, place)
    spot = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.sampled_from("Aa0+/=:é\n").filter(lambda c: c != sealed[spot]))
    changed = sealed[:spot] + letter + sealed[spot + 1 :]
    try:
        opened = unseal(changed, place)
    except EncryptionError:
        return
    # The last digit of base64 may carry bits that count for nothing; nothing else opens.
    assert (opened, spot >= len(sealed) - 4) == (secret, True)


@given(st.text(st.characters(codec="utf-8"), min_size=12), places)
def test_nothing_of_a_secret_is_seen_from_outside(secret, place):
    sealed = seal(secret, place)
    body = base64.b64decode(sealed.rpartition(":")[2])
    assert secret not in sealed
    assert secret.encode() not in body


def test_one_secret_looks_the_same_in_one_place_and_different_in_another(key):
    assert seal(SECRET, "a.b") == seal(SECRET, "a.b")
    assert seal(SECRET, "a.b") != seal(SECRET, "a.c")
    assert seal(SECRET, "a.b") != seal(SECRET + " ", "a.b")


def test_what_is_no_text_is_refused_and_not_repeated(key):
    with pytest.raises(EncryptionError) as refused:
        seal(f"{SECRET}\ud800", "a.b")
    assert str(refused.value) == "the secret of a.b holds half a character, which UTF-8 cannot write"


def test_another_place_is_named(key):
    said = refusal(seal(SECRET, "accounts.access_token"))
    assert said == "the secret of accounts.refresh_token was changed, or sealed for another place"


@pytest.mark.parametrize("cut", [slice(None, -4), slice(4, None), slice(None, 0)], ids=["end", "start", "all"])
def test_a_text_that_was_cut_does_not_open(key, cut):
    head, _, body = seal(SECRET, "accounts.refresh_token").rpartition(":")
    assert "was changed" in refusal(f"{head}:{body[cut]}")


@pytest.mark.parametrize("body", ["é", "not base64!", "AAAA"])
def test_a_body_that_is_none_does_not_open(key, body):
    head = seal(SECRET, "accounts.refresh_token").rpartition(":")[0]
    assert "was changed" in refusal(f"{head}:{body}")


@pytest.mark.parametrize("clear", [SECRET, f"{PREFIX}{SECRET}", f"{PREFIX}{SECRET}:", f"{SECRET}:00000000:AAAA", ""])
def test_a_secret_in_clear_is_not_repeated(key, clear):
    said = refusal(clear)
    assert said.startswith("what accounts.refresh_token holds is not sealed; write it through a column of type")


def test_an_unknown_key_is_called_by_its_name(key, monkeypatch):
    sealed = seal(SECRET, "accounts.refresh_token")
    name = sealed.split(":")[1]
    monkeypatch.setenv(VARIABLE, new_key())
    assert refusal(sealed) == (
        f"the secret of accounts.refresh_token is sealed with key {name}, which {VARIABLE} does not hold"
    )


def test_the_first_key_seals_and_all_of_them_open(key, monkeypatch):
    old, new = new_key(), new_key()
    monkeypatch.setenv(VARIABLE, old)
    before = seal(SECRET, "a.b")
    monkeypatch.setenv(VARIABLE, f"{new}, {old}")
    after = seal(SECRET, "a.b")
    assert before != after
    assert unseal(before, "a.b") == unseal(after, "a.b") == SECRET
    monkeypatch.setenv(VARIABLE, new)
    assert unseal(after, "a.b") == SECRET
    assert "does not hold" in refusal(before, "a.b")
    monkeypatch.setenv(VARIABLE, f"{old},{new}")
    assert seal(SECRET, "a.b") == before


def test_a_sealed_text_names_its_key_and_tells_nothing_of_it(key):
    name = seal(SECRET, "a.b").split(":")[1]
    assert len(name) == 8
    assert name not in key
    assert name not in base64.b64decode(key).hex()


@pytest.mark.parametrize("given", [None, ""])
def test_without_a_key_nothing_is_sealed_and_the_mend_is_said(key, monkeypatch, given):
    sealed = seal(SECRET, "a.b")
    monkeypatch.delenv(VARIABLE) if given is None else monkeypatch.setenv(VARIABLE, given)
    for call in (lambda: seal(SECRET, "a.b"), lambda: unseal(sealed, "a.b")):
        with pytest.raises(EncryptionError) as refused:
            call()
        assert str(refused.value) == (
            "no key to seal or open secrets with; set DBPLAN_ENCRYPTION_KEY: "
            "`openssl rand -base64 64 | tr -d '\\n'` makes one, "
            'and the word "development" serves a database of invented rows'
        )


def test_the_command_of_the_message_makes_a_key(key, monkeypatch):
    import shutil
    import subprocess

    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    made = subprocess.run(encryption.MAKE, shell=True, capture_output=True, text=True, check=True).stdout
    monkeypatch.setenv(VARIABLE, made)
    assert unseal(seal(SECRET, "a.b"), "a.b") == SECRET


MALFORMED = {
    "too short": base64.b64encode(b"k" * 32).decode(),
    "too long": base64.b64encode(b"k" * 65).decode(),
    "no base64": "k" * 87 + "!",
    "no ASCII": "clé" * 30,
    "empty beside a good one": f"{DEVELOPMENT},",
    "wrong beside a good one": f"{DEVELOPMENT},{'k' * 32}",
    "the word in another case": "Development",
}


@pytest.mark.parametrize("given", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_key_is_refused_and_not_repeated(monkeypatch, given):
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(EncryptionError, match="holds something else than base64 of 64 bytes") as refused:
        seal(SECRET, "a.b")
    said = str(refused.value)
    assert SECRET not in said
    assert not any(word and word in said for word in given.split(","))


def test_a_fresh_key_is_64_random_bytes():
    keys = {new_key() for _ in range(50)}
    assert len(keys) == 50
    assert {len(base64.b64decode(key, validate=True)) for key in keys} == {64}


def test_the_word_development_is_a_key_that_is_the_same_everywhere(monkeypatch):
    monkeypatch.setenv(VARIABLE, DEVELOPMENT)
    assert seal("secret", "a.b") == "sealed:23b34f32:pKz0EKdHjRmnSlOOdzYYxBEHAC6CJg=="
    monkeypatch.setenv(VARIABLE, f"{new_key()},{DEVELOPMENT}")
    assert unseal("sealed:23b34f32:pKz0EKdHjRmnSlOOdzYYxBEHAC6CJg==", "a.b") == "secret"


def test_a_rehearsal_seals_with_the_development_key_and_only_inside(monkeypatch):
    monkeypatch.setenv(VARIABLE, DEVELOPMENT)
    known = seal(SECRET, "a.b")
    monkeypatch.delenv(VARIABLE)
    with rehearsal():
        assert seal(SECRET, "a.b") == known
        with rehearsal():
            assert unseal(known, "a.b") == SECRET
        assert seal(SECRET, "a.b") == known
    with pytest.raises(EncryptionError, match="no key"):
        seal(SECRET, "a.b")


def test_a_rehearsal_ends_with_an_error_too(monkeypatch):
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(RuntimeError), rehearsal():
        raise RuntimeError
    with pytest.raises(EncryptionError, match="no key"):
        seal(SECRET, "a.b")


def test_a_rehearsal_does_not_stand_in_for_a_key_that_is_set(key):
    sealed = seal(SECRET, "a.b")
    with rehearsal():
        assert seal(SECRET, "a.b") == sealed
        assert unseal(sealed, "a.b") == SECRET


def test_a_rehearsal_in_one_thread_is_none_in_another(monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.delenv(VARIABLE)
    with rehearsal(), ThreadPoolExecutor(1) as pool, pytest.raises(EncryptionError, match="no key"):
        pool.submit(seal, SECRET, "a.b").result()


def test_the_error_of_a_statement_shows_no_secret(monkeypatch):
    table = Table("accounts", MetaData(), Column("id", Integer), Column("token", Encrypted("accounts.token")))
    engine = new_engine("sqlite://")
    table.create(engine)
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(EncryptionError) as refused, engine.begin() as connection:
        connection.execute(insert(table), {"token": SECRET})
    assert SECRET not in str(refused.value)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO accounts (token) VALUES (:token)"), {"token": SECRET})
    with (
        pytest.raises(EncryptionError, match=r"what accounts\.token holds is not sealed"),
        engine.connect() as connection,
    ):
        connection.execute(select(table.c.token)).all()
    engine.dispose()
