"""What a column type is, whichever server's words it is in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.types import TypeDecorator, TypeEngine

_NAMES_OF_VARIANTS = {"cockroachdb": ("cockroachdb", "postgresql"), "mariadb": ("mariadb", "mysql")}


@dataclass(frozen=True)
class Kind:
    """A column type without a server.

    `length` counts characters, bytes, bits or dimensions, None for no limit; `precision` is digits, or bits of a
    number, or digits of a second. `checks` are conditions on VALUE, which a domain brings with it.
    """

    family: str
    words: str = ""
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    fixed: bool = False
    zone: bool = False
    unsigned: bool = False
    folds: bool = False
    labels: tuple[str, ...] = ()
    name: str = ""
    schema: str | None = None
    item: Kind | None = None
    checks: tuple[str, ...] = ()
    required: bool = False
    default: str = field(default="", compare=False)


_FAMILIES: Mapping[str, Kind] = {
    "bool boolean": Kind("boolean"),
    "tinyint": Kind("integer", precision=8),
    "smallint small_integer int2 smallserial": Kind("integer", precision=16),
    "mediumint": Kind("integer", precision=24),
    "integer int int4 serial": Kind("integer", precision=32),
    "bigint big_integer int8 bigserial": Kind("integer", precision=64),
    "numeric decimal dec fixed": Kind("decimal"),
    "real float4": Kind("float", precision=24),
    "float double double_precision float8": Kind("float", precision=53),
    "string varchar nvarchar unicode charactervarying": Kind("string"),
    "char nchar character bpchar": Kind("string", fixed=True),
    "text unicode_text unicodetext clob tinytext mediumtext longtext ntext name": Kind("string"),
    "citext": Kind("string", folds=True),
    "large_binary blob bytea tinyblob mediumblob longblob varbinary image": Kind("binary"),
    "binary": Kind("binary", fixed=True),
    "uuid uniqueidentifier": Kind("uuid"),
    "json jsonb": Kind("json"),
    "date": Kind("date"),
    "time timewithouttimezone": Kind("time"),
    "timetz timewithtimezone": Kind("time", zone=True),
    "datetime datetime2 smalldatetime timestampwithouttimezone": Kind("datetime"),
    "timestamp": Kind("datetime"),
    "timestamptz datetimeoffset timestampwithtimezone": Kind("datetime", zone=True),
    "interval": Kind("interval"),
    "enum": Kind("enum"),
    "set": Kind("set"),
    "array": Kind("array"),
    "inet cidr": Kind("network", length=43),
    "inet6": Kind("network", length=45),
    "inet4": Kind("network", length=15),
    "macaddr": Kind("network", length=17),
    "macaddr8": Kind("network", length=23),
    "bit": Kind("bits", fixed=True),
    "varbit bitvarying": Kind("bits"),
    "year": Kind("year"),
    "money smallmoney": Kind("money"),
    "point line lseg box path polygon circle geometry geography linestring geometrycollection multipoint "
    "multilinestring multipolygon": Kind("geometry"),
    "int4range int8range numrange tsrange tstzrange daterange": Kind("range"),
    "int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange": Kind("range"),
    "tsvector tsquery": Kind("search"),
    "vector halfvec": Kind("vector"),
    "xml": Kind("xml"),
    "hstore": Kind("hstore"),
    "ltree lquery": Kind("path"),
    "oid regclass regconfig": Kind("oid"),
    "rowversion": Kind("rowversion"),
    "sql_variant": Kind("variant"),
}  # fmt: skip
_BY_NAME = {name: kind for names, kind in _FAMILIES.items() for name in names.split()}
_SHAPE = re.compile(
    r"""(?:"?[\w$]+"?\.)?"?(?P<name>[a-z_][\w $]*?)"?\s*(?:\((?P<args>[-\d ,]+)\))?"""
    r"""(?P<tail>\s+with(?:out)?\s+time\s+zone|\s+unsigned)?(?P<array>(?:\[\d*\])*)$""",
    re.IGNORECASE,
)


def bare(kind: TypeEngine[Any], dialect: Any, name: str) -> TypeEngine[Any]:
    """Return the type that a server of that name is handed: variants chosen, decorators taken off."""
    for spoken in _NAMES_OF_VARIANTS.get(name, (name,)):
        if spoken in kind._variant_mapping:
            return bare(kind._variant_mapping[spoken], dialect, name)
    if not isinstance(kind, TypeDecorator):
        return kind
    try:
        inner = kind.load_dialect_impl(dialect)
    except Exception:  # a stranger's TypeDecorator may raise anything
        inner = kind.impl_instance
    return bare(inner, dialect, name)


def kind_of(kind: TypeEngine[Any], source: str) -> Kind:
    """Return what a bare type is; `source` is the dialect that its words are of, "" for any."""
    own = type(kind).__name__ == "ServerType"
    words = str(getattr(kind, "words", "")) if own else ""
    if own and not words:
        return Kind("other", "a column without a type")
    found = _of_words(words) if words else _of_class(kind, source)
    return _as_meant(found, source)


def _of_words(words: str) -> Kind:
    """Return what a type is that only its server's words tell."""
    match = _SHAPE.match(words.strip())
    if match is None:
        return Kind("other", words)
    tail = re.sub(r"\s", "", (match["tail"] or "").lower())
    name = re.sub(r"\s", "", match["name"].lower())
    known = _BY_NAME.get(name + tail, _BY_NAME.get(name, Kind("other")))
    found = _sized(known, [int(arg) for arg in re.findall(r"\d+", match["args"] or "")])
    found = replace(found, words=words, unsigned=tail == "unsigned")
    return Kind("array", words, item=found) if match["array"] else found


def _sized(kind: Kind, args: list[int]) -> Kind:
    if not args:
        return kind
    if kind.family == "decimal":
        return replace(kind, precision=args[0], scale=args[1] if len(args) > 1 else 0)
    if kind.family in ("datetime", "time"):
        return replace(kind, precision=args[0])
    return replace(kind, length=args[0]) if kind.family in ("string", "binary", "bits", "vector") else kind


def _of_class(kind: Any, source: str) -> Kind:
    if hasattr(kind, "data_type") and type(kind).__name__ == "DOMAIN":
        return _of_domain(kind, source)
    name = str(getattr(kind, "__visit_name__", type(kind).__name__)).lower()
    known = _BY_NAME.get(name) or _BY_NAME.get(type(kind).__name__.lower()) or Kind("other")
    known = replace(known, words=_spoken(kind))
    details = _DETAILS.get(known.family)
    return known if details is None else details(known, kind, source)


def _spoken(kind: Any) -> str:
    """Return a type's name for people."""
    if getattr(kind, "enums", None) and getattr(kind, "native_enum", True):
        return f"enum {kind.name}" if kind.name else "an enum"
    try:
        return str(kind).lower().partition(" collate")[0]
    except Exception:  # what cannot be printed still has a class
        return type(kind).__name__.lower()


def _of_domain(kind: Any, source: str) -> Kind:
    """Return the base type of a domain with the domain's conditions."""
    base = kind_of(kind.data_type, source)
    check = getattr(kind.check, "text", None) or (str(kind.check) if kind.check is not None else "")
    default = str(getattr(kind.default, "text", None) or kind.default or "")
    return replace(
        base,
        name=str(kind.name),
        schema=kind.schema,
        checks=(*base.checks, *((check,) if check else ())),
        required=bool(kind.not_null) or base.required,
        default=default or base.default,
    )


def _of_string(found: Kind, kind: Any, _source: str) -> Kind:
    collation = str(getattr(kind, "collation", None) or "").lower()
    folds = found.folds or collation.endswith("_ci") or collation == "nocase" or "_ci_" in collation
    text = "text" in str(kind.__visit_name__).lower() or str(kind.__visit_name__).lower() in ("clob", "ntext")
    length = None if text else getattr(kind, "length", None)
    return replace(found, length=length if isinstance(length, int) else None, folds=folds)


def _of_enum(found: Kind, kind: Any, _source: str) -> Kind:
    labels = tuple(map(str, kind.enums))
    if not getattr(kind, "native_enum", True):
        longest = max(map(len, labels), default=1)
        own = found if kind.create_constraint else replace(found, labels=())
        return replace(own, family="string", length=kind.length or longest, labels=own.labels and labels)
    return replace(found, labels=labels, name=str(kind.name or ""), schema=getattr(kind, "schema", None))


def _of_array(found: Kind, kind: Any, source: str) -> Kind:
    return replace(found, item=kind_of(kind.item_type, source), length=kind.dimensions)


def _of_integer(found: Kind, kind: Any, _source: str) -> Kind:
    if getattr(kind, "display_width", None) == 1 and found.precision == 8:
        return Kind("boolean", found.words)
    return replace(found, unsigned=bool(getattr(kind, "unsigned", False)))


def _of_decimal(found: Kind, kind: Any, _source: str) -> Kind:
    return replace(found, precision=kind.precision, scale=kind.scale, unsigned=bool(getattr(kind, "unsigned", False)))


def _of_float(found: Kind, kind: Any, source: str) -> Kind:
    stored = getattr(kind, "precision", None)
    short = stored is not None and stored <= 24 and source != "sqlite"
    bare_float = type(kind).__name__ == "FLOAT" and source in ("mysql", "mariadb")
    return replace(found, precision=24 if found.precision == 24 or short or bare_float else 53)


def _of_instant(found: Kind, kind: Any, source: str) -> Kind:
    precision = getattr(kind, "precision", None)
    fraction = precision if precision is not None else getattr(kind, "fsp", None)
    zone = found.zone or bool(getattr(kind, "timezone", False))
    if source in ("mysql", "mariadb"):
        zone = zone or str(kind.__visit_name__).upper() == "TIMESTAMP"  # an instant there, in the session's zone
        fraction = fraction or 0
    return replace(found, precision=fraction, zone=zone)


def _of_length(found: Kind, kind: Any, _source: str) -> Kind:
    length = getattr(kind, "length", None) or getattr(kind, "dim", None)
    return replace(found, length=length if isinstance(length, int) else None)


def _of_set(found: Kind, kind: Any, _source: str) -> Kind:
    return replace(found, labels=tuple(map(str, kind.values)))


def _of_bits(found: Kind, kind: Any, source: str) -> Kind:
    if source == "mssql" or type(kind).__module__.startswith("sqlalchemy.dialects.mssql"):
        return Kind("boolean", found.words)
    return replace(found, length=kind.length, fixed=not getattr(kind, "varying", False))


_DETAILS: Mapping[str, Callable[[Kind, Any, str], Kind]] = {
    "string": _of_string,
    "enum": _of_enum,
    "set": _of_set,
    "array": _of_array,
    "integer": _of_integer,
    "decimal": _of_decimal,
    "float": _of_float,
    "datetime": _of_instant,
    "time": _of_instant,
    "binary": _of_length,
    "vector": _of_length,
    "bits": _of_bits,
}


def _as_meant(kind: Kind, source: str) -> Kind:
    """Return a type as its server means it: SQLite's whole numbers have 64 bits, MySQL's BIT(1) is a boolean."""
    if source == "sqlite" and kind.family == "integer":
        return replace(kind, precision=64)
    if source == "sqlite" and kind.family == "float":
        return replace(kind, precision=53)
    if source in ("mysql", "mariadb") and kind.family == "bits" and (kind.length or 1) == 1:
        return replace(kind, family="boolean")
    if source == "mssql" and kind.family == "integer" and kind.precision == 8:
        return replace(kind, unsigned=True)
    if source == "mssql" and kind.family == "money":
        return replace(kind, scale=4)
    return kind
