"""Types that only their server has a word for: shapes, paths, names, documents, as the texts that it reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine, UserDefinedType

from dbplan.seeding.constraints.checks import Limits
from dbplan.seeding.values.domains import Choice, Codes, Domain, Integers, Made, Words
from dbplan.seeding.values.lists import lists


def served(kind: TypeEngine[Any]) -> Domain | None:
    """Return values of a type by what PostgreSQL calls it; None for one that is not known here."""
    words = _words(kind)
    if words.endswith("[]"):
        inner = _of(words[:-2])
        return None if inner is None else lists(inner, Limits(), 1)
    return _of(words)


def _words(kind: TypeEngine[Any]) -> str:
    if not isinstance(kind, (UserDefinedType, *_CLASSES)):
        return ""
    try:
        return str(kind.compile(dialect=postgresql.dialect())).lower()  # type: ignore[no-untyped-call]
    except Exception:  # a stranger's type may raise anything
        return ""


def _of(words: str) -> Domain | None:
    name, _, inside = words.partition("(")
    arguments = [part.strip() for part in inside.rstrip(")").split(",")]
    name = name.strip().rpartition(".")[2].strip()
    if name in {"geometry", "geography"}:
        return _geometry(*arguments)
    if name in {"vector", "halfvec"}:
        return _vector(int(arguments[0]) if arguments[0].isdigit() else 3)
    return KNOWN.get(name)


def _geometry(shape: str = "", srid: str = "") -> Domain:
    """Return shapes beside each other in the words of PostGIS."""
    plain = re.sub(r"(z|m|zm)$", "", shape.lower()) or "point"
    write = _SHAPES.get(plain.removeprefix("multi"), _SHAPES["point"])
    prefix = f"SRID={srid};" if srid.isdigit() and srid != "-1" else ""
    several = plain.startswith("multi")

    def text(place: int) -> str:
        inside = write(f"{place % 360 - 180 + 0.25:g}", f"{place // 360 % 170 - 85 + 0.5:g}")
        return f"{prefix}{plain.upper()}({f'({inside})' if several else inside})"

    return Made(text, 360 * 170, "shapes")


_SHAPES: Mapping[str, Callable[[str, str], str]] = {
    "point": lambda x, y: f"{x} {y}",
    "linestring": lambda x, y: f"{x} {y}, {x}1 {y}1",
    "polygon": lambda x, y: f"({x} {y}, {x}1 {y}, {x}1 {y}1, {x} {y})",
}


def _vector(size: int) -> Domain:
    """Return vectors of small numbers, the first of which tells them apart."""
    tail = "".join(f",{n % 7 / 10}" for n in range(1, size))
    return Made(lambda i: f"[{i / 1000}{tail}]", 100_000, "vectors")


def _made(write: Callable[[int], str], title: str, size: int = 10_000) -> Domain:
    return Made(write, size, title)


_SNAPSHOTS = _made(lambda i: f"{i + 1}:{i + 2}:", "snapshots")
_NUMBERS = _made(lambda i: f"{{[{i},{i + 10})}}", "ranges")
_DAYS = _made(lambda i: f"{{[{2000 + i // 336}-{i // 28 % 12 + 1:02}-{i % 28 + 1:02},9999-01-01)}}", "ranges")
KNOWN: Mapping[str, Domain] = {
    "name": Words("word", 63),
    '"char"': Codes("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1, 26, "letters"),
    **dict.fromkeys(("xid", "xid8", "cid"), Integers(3, 100_000)),
    "tid": _made(lambda i: f"({i},1)", "places of rows"),
    "pg_lsn": _made(lambda i: f"0/{i + 1:X}", "places of a log"),
    **dict.fromkeys(("txid_snapshot", "pg_snapshot"), _SNAPSHOTS),
    "point": _made(lambda i: f"({i % 360 - 180},{i // 360 % 170 - 85})", "points"),
    "line": _made(lambda i: f"{{1,-1,{i}}}", "lines"),
    "lseg": _made(lambda i: f"[(0,0),({i + 1},{i + 1})]", "lines"),
    "box": _made(lambda i: f"({i + 1},{i + 1}),(0,0)", "boxes"),
    "path": _made(lambda i: f"[(0,0),(1,{i}),(2,0)]", "paths"),
    "polygon": _made(lambda i: f"((0,0),({i + 1},0),(0,1))", "shapes"),
    "circle": _made(lambda i: f"<({i % 100},{i // 100}),1>", "circles"),
    "xml": _made(lambda i: f'<item id="{i}"/>', "documents"),
    "ltree": _made(lambda i: f"top.part{i // 100}.item{i % 100}", "paths"),
    "lquery": _made(lambda i: f"top.part{i}.*", "queries"),
    "cube": _made(lambda i: f"({i})", "cubes"),
    "jsonpath": _made(lambda i: f"$.item{i}", "paths"),
    "tsquery": Words("word"),
    "refcursor": Words("word"),
    **dict.fromkeys(("int2vector", "oidvector"), _made(lambda i: f"1 {i}", "lists")),
    "regclass": Choice(("pg_class", "pg_type", "pg_proc")),
    "regtype": Choice(("integer", "text", "boolean")),
    **dict.fromkeys(("regproc", "regprocedure"), Choice(("upper(text)", "lower(text)"))),
    "regnamespace": Choice(("pg_catalog", "public")),
    **dict.fromkeys(("int4multirange", "int8multirange", "nummultirange"), _NUMBERS),
    **dict.fromkeys(("datemultirange", "tsmultirange", "tstzmultirange"), _DAYS),
}
"""Values by the word of the type."""
_CLASSES = (postgresql.TSQUERY, postgresql.REGCLASS, postgresql.ranges.AbstractMultiRange)
"""Types of PostgreSQL that SQLAlchemy has a class for, and this package no other values."""
