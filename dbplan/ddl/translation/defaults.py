"""What a server fills in, in another server's words."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

from dbplan.ddl.translation.expressions import Untranslatable, parsed, simplified
from dbplan.ddl.translation.kinds import Kind
from dbplan.ddl.translation.spellings import quoted
from dbplan.ddl.translation.targets import Target

_NOW = {
    "now", "getdate", "sysdatetime", "sysutcdatetime", "getutcdate", "sysdatetimeoffset", "clock_timestamp",
    "statement_timestamp", "transaction_timestamp", "utc_timestamp", "localtimestamp", "current_timestamp",
}  # fmt: skip
_UUIDS = {
    "gen_random_uuid", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4", "uuidv7", "newid",
    "newsequentialid", "uuid", "uuid_v4", "uuid_v7",
}  # fmt: skip
_ON_UPDATE = re.compile(r"\s+ON\s+UPDATE\s+.*$", re.IGNORECASE | re.DOTALL)
_NEXT = re.compile(
    r"""\s*(?:nextval\('|next\s+value\s+for\s+|nextval\()(?P<name>(?:[\w$.`]|"[^"]*")+)""", re.IGNORECASE
)
_SQLITE_NOW = re.compile(
    r"[(\s]*(?:(?:date|time|datetime)\('now'(?:, *'(?:utc|subsec)')*\)|strftime\('[^']*', *'now'\))[)\s]*$",
    re.IGNORECASE,
)
_SQLITE_UUID = (
    "(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || "
    "substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))"
)
_NUMBERS = ("integer", "decimal", "float", "money", "oid", "year")


def sequence(sql: str) -> str:
    """Return the sequence that a default draws the next number from, without its schema; "" for none."""
    match = _NEXT.match(sql)
    return match["name"].rpartition(".")[2].strip('"`') if match else ""


def is_drawn(sql: str) -> bool:
    """Whether a default is the next number of a sequence."""
    return bool(_NEXT.match(sql)) or sql.startswith("unique_rowid(")


def updates_itself(sql: str) -> bool:
    """Whether a default of MySQL is also what each UPDATE writes."""
    return bool(_ON_UPDATE.search(sql))


def default(sql: str, source: str, target: Target, was: Kind, now: Kind) -> str:
    """Return the default of a column that was of one kind and is of another; Untranslatable where there is none.

    `sql` is in the words of the dialect `source`.
    """
    tree = simplified(parsed(_ON_UPDATE.sub("", sql), source))
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree.this if isinstance(tree, exp.Cast) else tree, exp.Null):
        return "NULL"
    if _is_now(tree) or (source == "sqlite" and _SQLITE_NOW.match(sql)):
        return _now(tree, target, was, now)
    if _is_uuid(tree):
        return _new_uuid(target, now)
    return _constant(tree, target, was, now)


def _name(tree: exp.Expr) -> str:
    if isinstance(tree, exp.Anonymous):
        return str(tree.this).lower()
    if isinstance(tree, exp.Column):  # CURRENT_TIMESTAMP and the like, where a server writes them as bare words
        return tree.name.lower()
    return tree.sql_name().lower() if isinstance(tree, exp.Func) else ""


def _is_now(tree: exp.Expr) -> bool:
    if isinstance(tree, exp.AtTimeZone):
        return _is_utc(tree.args.get("zone")) and _is_now(tree.this)
    if isinstance(tree, exp.Anonymous) and _name(tree) == "timezone" and len(tree.expressions) == 2:
        return _is_utc(tree.expressions[0]) and _is_now(tree.expressions[1])
    kinds = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentDatetime, exp.UtcTimestamp)
    return isinstance(tree, (*kinds, exp.Localtimestamp)) or _name(tree) in _NOW


def _is_utc(node: Any) -> bool:
    while isinstance(node, exp.Cast | exp.Paren):
        node = node.this
    return isinstance(node, exp.Literal) and str(node.this).lower() in ("utc", "etc/utc", "gmt", "+00:00")


def _now(tree: exp.Expr, target: Target, was: Kind, now: Kind) -> str:
    utc = (
        was.zone
        or isinstance(tree, exp.AtTimeZone | exp.UtcTimestamp)
        or "timezone" in _name(tree)
        or ("utc" in _name(tree))
    )
    digits = "" if now.precision == 0 else f"({6 if now.precision is None else min(now.precision, 6)})"
    words = _CLOCKS[target.family](now, utc, digits)
    if words is None:
        raise Untranslatable(f"no clock fills in {now.family}")
    return words


def _postgresql_now(now: Kind, utc: bool, _digits: str) -> str | None:
    words = {"date": "CURRENT_DATE", "time": "CURRENT_TIME"}.get(now.family)
    if now.family != "datetime":
        return words
    return "timezone('utc', now())" if utc and not now.zone else "now()"


def _mysql_now(now: Kind, utc: bool, digits: str) -> str | None:
    if now.family == "date":
        return "(UTC_DATE())" if utc else "(CURRENT_DATE())"
    if now.family == "time":
        return f"(CURRENT_TIME{digits or '()'})"
    if now.family != "datetime":
        return None
    return f"(UTC_TIMESTAMP{digits or '()'})" if utc else f"CURRENT_TIMESTAMP{digits}"


def _sqlite_now(now: Kind, _utc: bool, _digits: str) -> str | None:
    return {"date": "CURRENT_DATE", "time": "CURRENT_TIME", "datetime": "CURRENT_TIMESTAMP"}.get(now.family)


def _mssql_now(now: Kind, utc: bool, _digits: str) -> str | None:
    clock = "SYSUTCDATETIME()" if utc else "SYSDATETIME()"
    if now.family in ("date", "time"):
        return f"CAST({clock} AS {now.family.upper()})"
    if now.family != "datetime":
        return None
    return "SYSDATETIMEOFFSET()" if now.zone else clock


_CLOCKS: Mapping[str, Callable[[Kind, bool, str], str | None]] = {
    "postgresql": _postgresql_now,
    "mysql": _mysql_now,
    "sqlite": _sqlite_now,
    "mssql": _mssql_now,
}


def _is_uuid(tree: exp.Expr) -> bool:
    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    return isinstance(tree, exp.Uuid) or (_name(tree) in _UUIDS and not isinstance(tree, exp.Column))


def _new_uuid(target: Target, now: Kind) -> str:
    """Return what makes a UUID; without its dashes where the column has no room for them."""
    bare = now.family == "string" and now.length == 32
    if now.family not in ("uuid", "string"):
        raise Untranslatable("a UUID does not fit the column")
    if target.family == "sqlite":
        return f"(replace({_SQLITE_UUID}, '-', ''))" if bare else _SQLITE_UUID
    if target.family == "mysql":
        return "(replace(uuid(), '-', ''))" if bare else "(uuid())"
    return "NEWID()" if target.family == "mssql" else "gen_random_uuid()"


def _constant(tree: exp.Expr, target: Target, was: Kind, now: Kind) -> str:
    """Return a literal as the column takes it."""
    if was.family == "array" and now.family == "array":
        raise Untranslatable("it is an array")
    if was.family == "array":
        return _document(_array(tree), target)
    if now.family == "binary":
        return _bytes(tree, target)
    if now.family == "boolean":
        return _boolean(tree, target)
    return _bits(tree, now) or _scalar_literal(tree, target, was, now)


def _bits(tree: exp.Expr, now: Kind) -> str:
    """Return bits as the column takes them; "" for what are none."""
    while isinstance(tree, exp.Cast):
        tree = tree.this
    told = now.family == "bits" and isinstance(tree, exp.Literal) and re.fullmatch("[01]+", str(tree.this))
    if not told and not isinstance(tree, exp.BitString):
        return ""
    digits = str(tree.this).zfill(now.length or 1) if now.fixed or now.family == "string" else str(tree.this)
    return quoted(digits) if now.family == "string" else f"b'{digits}'"


def _scalar_literal(tree: exp.Expr, target: Target, was: Kind, now: Kind) -> str:
    while isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Literal):
        tree = tree.this
    if isinstance(tree, exp.Column) and tree.this.args.get("quoted"):  # SQLite takes "it" for a text where it must
        tree = exp.Literal.string(tree.name)
    number = _number(tree)
    if number is not None and now.family in _NUMBERS:
        return number
    if isinstance(tree, exp.Literal) and tree.is_string:
        return _text(str(tree.this), target, was, now)
    if number is not None and now.family == "string":
        return quoted(number)
    raise Untranslatable("it is neither a constant nor a clock")


def _number(tree: exp.Expr) -> str | None:
    sign = ""
    if isinstance(tree, exp.Neg):
        sign, tree = "-", tree.this
    while isinstance(tree, exp.Paren | exp.Cast):
        tree = tree.this
    text = str(tree.this) if isinstance(tree, exp.Literal) else ""
    return sign + text if re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", text, re.IGNORECASE) else None


def _boolean(tree: exp.Expr, target: Target) -> str:
    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    text = str(tree.this).lower().strip() if isinstance(tree, exp.Boolean | exp.Literal | exp.BitString) else ""
    if text not in ("true", "false", "t", "f", "1", "0", "yes", "no", "on", "off"):
        raise Untranslatable("it is neither a constant nor a clock")
    holds = text in ("true", "t", "1", "yes", "on")
    return str(holds).lower() if target.family == "postgresql" else str(int(holds))


def _text(text: str, target: Target, was: Kind, now: Kind) -> str:
    if now.family == "json" or was.family == "json":
        return _document(text, target)
    if now.family == "datetime":
        text = _instant(text, target, now)
    if now.family == "date" and target.family != "postgresql":
        text = re.sub(r"^(\d{4}-\d\d-\d\d)[ T].*$", r"\1", text)
    if now.family == "time" and target.family != "postgresql":
        text = re.sub(r"^\d{4}-\d\d-\d\d[ T]|(?<=\d) ?(?:Z|[+-]\d\d(?::?\d\d)?)$", "", text)
    if now.family == "string" and now.length is not None and len(text) > now.length:
        raise Untranslatable("it is longer than the column")
    if target.family == "mysql":
        text = text.replace("\\", "\\\\")
        unlimited = now.family == "string" and (now.length is None or now.length > 16383)
        return f"({quoted(text)})" if unlimited else quoted(text)
    return ("N" if target.name == "mssql" and not text.isascii() else "") + quoted(text)


def _instant(text: str, target: Target, now: Kind) -> str:
    """Return an instant as the target reads it: in UTC, with no zone, where the server has none."""
    zoned = target.family == "postgresql" or (target.name == "mssql" and now.zone)
    try:
        moment = dt.datetime.fromisoformat(re.sub(r" (?=[+-]\d\d)", "", text))
    except ValueError:
        return text
    if zoned or (moment.tzinfo is None and "T" not in text):
        return text
    plain = moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
    return plain.isoformat(" ")


def _document(text: str, target: Target) -> str:
    try:
        json.loads(text)
    except ValueError:
        raise Untranslatable("it is no JSON document") from None
    if target.family == "mysql":
        text = text.replace("\\", "\\\\")
    return f"({quoted(text)})" if target.family in ("mysql", "sqlite") else quoted(text)


def _array(tree: exp.Expr) -> str:
    """Return an array literal as a JSON document."""
    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Array):
        return json.dumps([_plain(simplified(each)) for each in tree.expressions])
    text = str(tree.this) if isinstance(tree, exp.Literal) else ""
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else None
    if text == "[]":
        return text
    if inner is None or re.search(r"[{}\"\\]", inner):
        raise Untranslatable("it is an array within an array, or with quotes")
    return json.dumps([_scalar(each) for each in inner.split(",")] if inner else [])


def _plain(node: exp.Expr) -> Any:
    number = _number(node)
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    if number is None:
        raise Untranslatable("an item is no constant")
    return _scalar(number)


def _scalar(text: str) -> Any:
    return json.loads(text) if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", text) else text


def _bytes(tree: exp.Expr, target: Target) -> str:
    while isinstance(tree, exp.Cast | exp.Paren):
        tree = tree.this
    text = str(tree.this) if isinstance(tree, exp.Literal | exp.HexString) else ""
    digits = text[2:] if text.lower().startswith(("\\x", "0x")) else text if isinstance(tree, exp.HexString) else None
    if text == "":
        digits = ""
    if digits is None or not re.fullmatch(r"([0-9a-fA-F]{2})*", digits):
        raise Untranslatable("they are no hexadecimal bytes")
    words = {"mssql": f"0x{digits}", "postgresql": f"'\\x{digits}'"}.get(target.family, f"x'{digits}'")
    return f"({words})" if target.family == "mysql" else words
