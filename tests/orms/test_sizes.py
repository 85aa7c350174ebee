"""Sizes: the packages that a contestant brings along, each counted once, and the bytes of their files."""

import json
from dataclasses import replace
from importlib.metadata import distribution

import pytest

from dbplan.orms import sizes
from dbplan.orms.contestants import CONTESTANTS
from dbplan.orms.sizes import closure_on_node, closure_on_python, size_of

LOCK = {
    "": {"dependencies": {"a": "1"}},
    "node_modules/a": {"version": "1.0", "dependencies": {"b": "1", "c": "1"}, "peerDependencies": {"p": "1", "q": "1"},
                       "peerDependenciesMeta": {"q": {"optional": True}}},
    "node_modules/b": {"version": "1.0", "dependencies": {"c": "2"}, "optionalDependencies": {"gone": "1"}},
    "node_modules/b/node_modules/c": {"version": "2.0", "dependencies": {"d": "1"}},
    "node_modules/c": {"version": "1.0"},
    "node_modules/d": {"version": "1.0", "dependencies": {"a": "1"}},
    "node_modules/p": {"version": "1.0"},
    "node_modules/q": {"version": "1.0"},
    "node_modules/@s/x": {"version": "3.0", "dependencies": {"@s/y": "1"}},
    "node_modules/@s/y": {"version": "3.0"},
    "node_modules/prisma": {"version": "7.0", "dependencies": {"@s/y": "1", "e": "1"}},
    "node_modules/e": {"version": "1.0"},
}  # fmt: skip


def test_what_node_packages_need_is_found_where_node_finds_it():
    assert closure_on_node(LOCK, ["b"]) == [
        "node_modules/a", "node_modules/b", "node_modules/b/node_modules/c", "node_modules/c", "node_modules/d",
        "node_modules/p",
    ]  # fmt: skip
    assert closure_on_node(LOCK, ["@s/x"]) == ["node_modules/@s/x", "node_modules/@s/y"]
    assert closure_on_node(LOCK, ["c", "missing"]) == ["node_modules/c"]


@pytest.fixture
def on_disk(tmp_path, monkeypatch):
    for place in filter(None, LOCK):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "index.js").write_text("x" * 100)
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": LOCK}))
    monkeypatch.setattr(sizes, "SOURCES", tmp_path)
    monkeypatch.setattr(sizes, "packages", lambda: tmp_path / "node_modules")


def node_contestant(*names):
    return replace(CONTESTANTS["pg"], packages=names)


def test_each_package_of_node_counts_once(on_disk):
    size = size_of(node_contestant("a", "b"))
    assert (size.bytes, size.packages, size.tools) == (600, 6, 0)
    assert size.versions["c"] == "1.0"
    assert size.versions["b/node_modules/c"] == "2.0"


def test_tools_that_build_are_counted_apart(on_disk):
    size = size_of(node_contestant("@s/x", "prisma"))
    assert (size.bytes, size.versions, size.tools) == (200, {"@s/x": "3.0", "@s/y": "3.0"}, 200)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a function that puts distributions where Python finds them."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(name, *requires, size=0):
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        lines = [f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {one}" for one in requires)]
        (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]))
        (tmp_path / f"{name}.py").write_text("#" * size)
        (info / "RECORD").write_text(f"{name}.py,,\n")

    return put


def test_what_python_packages_need_is_what_holds_here(site):
    site("orm-x", "orm-y (>=1)", 'orm-w; python_version < "3"', 'orm-z; extra == "fast"', "ORM_V[fast]", size=10)
    site("orm-y", "orm-x", size=20)
    site("orm-v", 'orm-z; extra == "fast"', 'orm-w; extra == "slow"', "not-here", size=5)
    site("orm-z", size=40)
    site("orm-w", size=80)
    assert sorted(closure_on_python(["orm-x"])) == ["orm-v", "orm-x", "orm-y", "orm-z"]
    assert sorted(closure_on_python(["orm-v"])) == ["orm-v"]
    size = size_of(replace(CONTESTANTS["peewee"], packages=("orm-x",)))
    assert (size.bytes, size.packages) == (75, 4)


def test_an_extra_that_is_wanted_later_counts_as_well(site):
    site("orm-p", "orm-q", "orm-r")
    site("orm-q", 'orm-s; extra == "more"')
    site("orm-r", "orm-q[more]")
    site("orm-s")
    assert sorted(closure_on_python(["orm-p"])) == ["orm-p", "orm-q", "orm-r", "orm-s"]


def test_an_installed_orm_has_a_size():
    size = size_of(CONTESTANTS["sqlalchemy"])
    assert size.versions["sqlalchemy"] == distribution("sqlalchemy").version
    assert size.bytes > 5_000_000
