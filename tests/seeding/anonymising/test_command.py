"""The command, as people type it; and MariaDB on either side."""

import sys

import pytest
from sqlalchemy import select, text

from dbplan import read
from dbplan.cli import main
from dbplan.connection import new_engine
from dbplan.sandbox import sandbox
from dbplan.seeding import seed
from dbplan.seeding.anonymising import anonymise


@pytest.fixture
def run(monkeypatch, capsys):
    """Give a function that runs `dbplan anonymise` and returns its exit code, output and errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["dbplan", "anonymise", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


@pytest.fixture(scope="module")
def urls(tmp_path_factory):
    """Give the URLs of a seeded database of the store, and of an empty one."""
    plan, folder = read("store"), tmp_path_factory.mktemp("urls")
    found = []
    for name in ("live", "dev"):
        found.append(f"sqlite:///{folder / name}.db")
        engine = new_engine(found[-1])
        plan.metadata.create_all(engine)
        if name == "live":
            seed(engine, plan, profile="test")
        engine.dispose()
    return found


def names(url):
    """Return the names of the stores."""
    engine = new_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT name FROM stores ORDER BY id")).scalars().all()
    engine.dispose()
    return found


def test_explain_reads_and_writes_nothing(run):
    code, out, _ = run("store", "--explain", "--column", "users.name=keep")
    assert code == 0
    assert "nothing was read or written" in out
    assert "said by a rule" in " ".join(out.split())


def test_it_copies_from_one_url_to_the_other(run, urls, tmp_path):
    live, dev = urls
    (tmp_path / "rules.toml").write_text('[stores]\nname = "keep"\n')
    code, out, _ = run("store", "--from", live, "--to", dev, "--rules", tmp_path / "rules.toml")
    assert code == 0
    assert "0 violations" in out
    assert names(live) == names(dev) != []
    code, _, said = run("store", "--from", live, "--to", dev)
    assert code == 2
    assert "has rows in" in said
    assert run("store", "--from", live, "--to", dev, "--truncate")[0] == 0
    assert not set(names(live)) & set(names(dev))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["store", "--to", "sqlite:///x.db"], "--from URL --to URL"),
        (["store", "--explain", "--column", "users.name"], '"users.name" is no rule; write TABLE.COLUMN=KIND'),
        (["store", "--explain", "--column", "users.name=hide"], 'no kind of replacement "hide"'),
        (["store", "--explain", "--rules", "none.toml"], "none.toml: No such file"),
    ],
)
def test_wrong_use_is_said_in_one_line(run, words, said):
    code, _, error = run(*words)
    assert code == 2
    assert said in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.ci
def test_mariadb_on_either_side():
    plan = read("transcription")
    users = plan.metadata.tables["users"]
    with sandbox(plan, on="mariadb") as source, sandbox(plan, on="mariadb") as target, sandbox(plan) as other:
        seed(source, rows=30)
        assert anonymise(source, target).ok
        assert anonymise(source, other).ok
        with target.engine.connect() as one, other.engine.connect() as two:
            emails = [set(side.execute(select(users.c.email)).scalars()) for side in (one, two)]
        assert emails[0] == emails[1]
        assert all(email.endswith(("example.com", "example.net", "example.org")) for email in emails[0])
        assert anonymise(other, target, truncate=True).ok
