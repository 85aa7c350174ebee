"""Types of MariaDB and MySQL, from their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Uuid
from sqlalchemy.dialects import mysql
from sqlalchemy.dialects.mysql.mariadb import INET4, INET6
from sqlalchemy.types import TypeEngine

from dbplan.ddl.mariadb_text import text_of, tokens
from dbplan.sources.reflected import ServerType

_WORDS = re.compile(r"(?P<name>\w+)(?:\((?P<arguments>.*)\))?(?P<rest>[^)]*)", re.DOTALL)
_INTEGERS: Mapping[str, Any] = {
    "tinyint": mysql.TINYINT,
    "smallint": mysql.SMALLINT,
    "mediumint": mysql.MEDIUMINT,
    "int": mysql.INTEGER,
    "bigint": mysql.BIGINT,
}
_NUMBERS: Mapping[str, Any] = {"decimal": mysql.DECIMAL, "float": mysql.FLOAT, "double": mysql.DOUBLE}
_TEXTS: Mapping[str, Any] = {
    "char": mysql.CHAR,
    "varchar": mysql.VARCHAR,
    "tinytext": mysql.TINYTEXT,
    "text": mysql.TEXT,
    "mediumtext": mysql.MEDIUMTEXT,
    "longtext": mysql.LONGTEXT,
}
_LISTS: Mapping[str, Any] = {"enum": mysql.ENUM, "set": mysql.SET}
_MOMENTS: Mapping[str, Any] = {"datetime": mysql.DATETIME, "timestamp": mysql.TIMESTAMP, "time": mysql.TIME}
_SIZED: Mapping[str, Any] = {"binary": mysql.BINARY, "varbinary": mysql.VARBINARY, "bit": mysql.BIT}
_PLAIN: Mapping[str, Any] = {
    "date": mysql.DATE,
    "tinyblob": mysql.TINYBLOB,
    "blob": mysql.BLOB,
    "mediumblob": mysql.MEDIUMBLOB,
    "longblob": mysql.LONGBLOB,
    "json": mysql.JSON,
    "uuid": Uuid,
    "inet4": INET4,
    "inet6": INET6,
}


def type_of(words: str, charset: str | None, collation: str | None, product: str) -> TypeEngine[Any]:
    """Return the type that the server's words mean; one that SQLAlchemy has no class for keeps its words."""
    found = _WORDS.match(words)
    if found is None:
        return ServerType(words, product)
    name, arguments, rest = found["name"].lower(), found["arguments"] or "", found["rest"].lower().split()
    strings = {"charset": charset, "collation": collation}
    numbers = {"unsigned": "unsigned" in rest or None, "zerofill": "zerofill" in rest or None}
    sizes = [int(part) for part in arguments.split(",") if part.strip().isdigit()]
    made: TypeEngine[Any]
    if name in _LISTS:
        values = [text_of(token) for token in tokens(arguments) if token.startswith("'")]
        made = _LISTS[name](*values, **_given(strings))
    elif name in _INTEGERS:
        made = _INTEGERS[name](display_width=sizes[0] if sizes else None, **_given(numbers))
    elif name in _NUMBERS:
        made = _NUMBERS[name](*sizes, **_given(numbers), asdecimal=name == "decimal")
    elif name in _TEXTS:
        made = _TEXTS[name](*(sizes if "char" in name else ()), **_given(strings))
    elif name in _MOMENTS:
        made = _MOMENTS[name](fsp=sizes[0] if sizes else None)
    elif name in _SIZED:
        made = _SIZED[name](*sizes)
    elif name == "year":
        made = mysql.YEAR(display_width=sizes[0] if sizes else None)
    elif name in _PLAIN:
        made = _PLAIN[name]()
    else:
        made = ServerType(words, product)
    return made


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value}
