"""What is personal: by the name, type, table and comment of a column, and safe where these do not tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Column
from sqlalchemy import types as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql.ranges import AbstractRange

from dbplan.columns import Digest, Encrypted
from dbplan.seeding.values.infer import generic, provider_of

KEEP, DROP = "keep", "drop"
FEW = "one of few values"
NAMES = ("first_name", "last_name", "name", "user_name")
"""Kinds that are parts of a person, beside the address."""
KINDS: dict[str, str] = {
    KEEP: "as it is",
    DROP: "NULL, or nothing",
    "email": "an address of an invented person",
    "first_name": "an invented person's first name",
    "last_name": "an invented person's last name",
    "name": "an invented person's name",
    "user_name": "an invented person's user name",
    "company": "an invented company",
    "address": "an invented street",
    "city": "an invented town",
    "job": "another job",
    "user_agent": "another browser",
    "scramble": "a text of the same shape",
    "iban": "an account of the same country",
    "card": "a number with a right check digit",
    "number": "a number of as many digits",
    "text": "neutral prose of the same length",
    "url": "a link to nowhere",
    "host": "a host that there is not",
    "file": "a name of the same shape and suffix",
    "ip": "another internet address",
    "mac": "another hardware address",
    "uuid": "another UUID",
    "birth_date": "another day of the same year",
    "position": "a place in the same whole degree",
    "password": "a hash that nothing opens",
    "digest": "the digest of nothing",
    "secret": "an invented secret, sealed anew",
    "document": "its texts replaced, by their keys",
    "bytes": "as many random bytes",
}
"""Everything that can be done with a column, and what it then holds."""

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"passw(or)?d|passphrase|^pwd$", "password"),
    (r"iban", "iban"),
    (r"(credit|debit|payment|bank)?_?card(_?(number|no|num))$|^pan$|^ccn?$", "card"),
    (r"(^|_)(ssn|sin|nin|nino|tin|vat|cpf|cnpj|nif|dni|bsn|pesel|aadhaar)(_|$)", "scramble"),
    (r"national_?(id|no|number|code)|passport|driver|licen[cs]e_?(no|num)|social_?sec|insurance_?(no|num)", "scramble"),
    (r"(tax|identity|fiscal)_?(id|no|number|code)", "scramble"),
    (r"(bank|account|routing|sort)_?(number|no|num|code)$|^bic$|swift", "scramble"),
    (r"phone|mobile|(^|_)(fax|tel|cell|msisdn|whatsapp)", "scramble"),
    (r"token|secret|api_?key|private_?key|session|credential|(^|_)(otp|pin|salt|nonce|signature)$", "scramble"),
    (r"(^|_)(mac|hardware)_?(addr(ess)?)?$", "scramble"),
    (r"(^|_)(lat|lng|lon)(itude)?$|latitude|longitude|^geo|coordinates", "scramble"),
    (r"middle_?name|maiden|(^|_)(sur|fore)name", "last_name"),
)  # fmt: skip
"""Names of columns that hold something personal, beyond those that the seeder knows by their words."""
_BY_PROVIDER = {
    "email": "email", "first_name": "first_name", "last_name": "last_name", "user_name": "user_name", "name": "name",
    "company": "company", "phone_number": "scramble", "image_url": "url", "url": "url", "domain_name": "host",
    "postcode": "scramble", "city": "city", "street_address": "address", "iban": "iban", "ipv4": "ip",
    "user_agent": "user_agent", "file_name": "file", "file_path": "file", "sha256": "scramble", "md5": "scramble",
    "job": "job", "license_plate": "scramble", "slug": "scramble",
}  # fmt: skip
_PLAIN = frozenset(
    {"country", "country_code", "currency_code", "language_code", "timezone", "mime_type", "color_name", "isbn13",
     "ean13", "product_name", "state"}
)  # fmt: skip
"""Words that tell of no person, or of very many."""
_PROSE = frozenset({"sentence", "catch_phrase"})
_VOCABULARY = re.compile(
    r"(^|_)(status|state|type|kind|category|role|scopes?|provider|level|tier|unit|event|action|method|version|format|"
    r"channel|mode|algorithm|queue|model|currency|locale|language|time_?zone|country|permission|priority|severity|"
    r"mime|encoding|dialect|environment|resource|entity|table_name|sku|colou?r|size|plan|niche)(_(code|name|type|key))?$"
)
_KEY = re.compile(r"(^|_)(id|uuid|guid)$")
_BIRTH = re.compile(r"birth|(^|_)dob($|_)|born|geburt")
_NUMBERS = re.compile(
    r"phone|mobile|(^|_)(fax|tel|cell|ssn|sin|nin|tin|cpf|dni|iban|card)(_|$)|"
    r"(national|tax|passport|social|account|card|routing|identity)_?(id|no|num|number)$"
)
_PLACES = re.compile(r"(^|_)(lat|lng|lon)(itude)?$|latitude|longitude")
_SECRET = re.compile(r"token|secret|api_?key|session|invit|reset|confirm|verif")
_SAID = re.compile(r"\be-?mail|\b(phone|telephone) number\b|\bfull name\b|\bpersonal\b|\bPII\b", re.IGNORECASE)


@dataclass(frozen=True)
class Treatment:
    """What is done with a column, and why; `rank` is how sure that is, 4 for what somebody said."""

    kind: str
    why: str
    rank: int = 3

    @property
    def doubtful(self) -> bool:
        """Whether nothing said what the column holds."""
        return self.rank == 1

    @property
    def kept(self) -> bool:
        """Whether values stay as they are."""
        return self.kind == KEEP


@dataclass(frozen=True)
class Seen:
    """What is seen of a column, or of a key in a document."""

    table: str
    name: str
    comment: str = ""
    primary_key: bool = False
    foreign_key: bool = False

    @property
    def plain(self) -> str:
        """The name in small letters with underscores."""
        return _snake(self.name)


def treatment(column: Column[Any], closed: bool) -> Treatment:
    """Return what is done with a column as far as it is seen by itself; `closed` where a CHECK lists its values."""
    kind = generic(column.type)
    if isinstance(column.type, Encrypted):
        return Treatment("secret", "sealed")
    if isinstance(column.type, Digest):
        return Treatment("digest", "the digest of a secret")
    if closed or isinstance(kind, sa.Enum | sa.Boolean):
        return Treatment(KEEP, FEW, 2)
    seen = Seen(column.table.name, column.name, column.comment or "", column.primary_key, bool(column.foreign_keys))
    return judged(seen, kind)


def judged(seen: Seen, kind: Any) -> Treatment:
    """Return what is done with values of a type under a name."""
    for family, judge in _FAMILIES:
        if isinstance(kind, family):
            return cast("Treatment", judge(seen, kind))
    return Treatment(DROP, f"of type {_written(kind)}, which is not looked into", 1)


def _written(kind: Any) -> str:
    return "unknown" if isinstance(kind, sa.NullType) else str(kind)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace(" ", "_").replace("-", "_")


def _document(_seen: Seen, _kind: Any) -> Treatment:
    return Treatment("document", "a JSON document")


def _array(seen: Seen, kind: Any) -> Treatment:
    inner = generic(kind.item_type)
    return Treatment(KEEP, "lists of few values", 2) if isinstance(inner, sa.Enum) else judged(seen, inner)


def _time(seen: Seen, _kind: Any) -> Treatment:
    born = _BIRTH.search(seen.plain)
    return Treatment("birth_date", "a birth date by its name") if born else Treatment(KEEP, "a time", 2)


def _number(seen: Seen, kind: Any) -> Treatment:
    if _PLACES.search(seen.plain) and not isinstance(kind, sa.Integer):
        return Treatment("position", "a place on earth by its name")
    if _NUMBERS.search(seen.plain) and not seen.primary_key and not isinstance(kind, sa.Float):
        return Treatment("number", "a personal number by its name")
    return Treatment(KEEP, "a key" if seen.primary_key or seen.foreign_key else "a number", 2)


def _uuid(seen: Seen, _kind: Any) -> Treatment:
    secret = _SECRET.search(seen.plain) and not seen.plain.endswith("_id")
    return Treatment("uuid", "a secret by its name") if secret else Treatment(KEEP, "a key", 2)


def _kept(_seen: Seen, _kind: Any) -> Treatment:
    return Treatment(KEEP, "no text", 2)


def _network(_seen: Seen, kind: Any) -> Treatment:
    return Treatment("mac" if isinstance(kind, pg.MACADDR | pg.MACADDR8) else "ip", "an address on a network")


def _bytes(_seen: Seen, _kind: Any) -> Treatment:
    return Treatment("bytes", "bytes, which may hold anything")


def _string(seen: Seen, _kind: Any) -> Treatment:
    """Judge a text: by what is surely personal, what is surely not, the seeder's words, else replaced."""
    name, provider = seen.plain, provider_of(seen.table, seen.name)
    for pattern, kind in _TEXTS:
        if re.search(pattern, name) and not name.endswith("_type"):
            return Treatment(kind, "personal by its name")
    if _SAID.search(seen.comment) and provider in ("word", "bothify", *_PROSE):
        return Treatment("name" if "name" in seen.comment.lower() else "scramble", "personal by its comment")
    if _VOCABULARY.search(name) or provider in _PLAIN or _is_vocabulary(seen):
        return Treatment(KEEP, "no person's word by its name", 2)
    if provider in _BY_PROVIDER:
        return Treatment(_BY_PROVIDER[provider], f"{provider.replace('_', ' ')} by its name")
    if seen.primary_key and _KEY.search(name):
        return Treatment(KEEP, "a key", 2)
    if provider == "bothify":
        return Treatment("scramble", "a code, or an id of elsewhere", 1)
    return Treatment("text", "free text" if provider in _PROSE else "a text of which the name says nothing", 1)


def _is_vocabulary(seen: Seen) -> bool:
    """Whether a column names the rows of a table of words: currencies, countries, roles."""
    singular = re.sub(r"ies$", "y", _snake(seen.table)).removesuffix("s")
    return bool(_VOCABULARY.search(singular)) and seen.plain in ("id", "code", "name", "key", "slug", "label")


_FAMILIES: tuple[tuple[Any, Any], ...] = (
    (sa.JSON, _document),
    (sa.ARRAY, _array),
    (sa.Interval, _kept),
    (pg.INTERVAL, _kept),
    (sa.DateTime, _time),
    (sa.Date, _time),
    (sa.Time, _kept),
    (sa.Numeric, _number),
    (sa.Float, _number),
    (sa.Integer, _number),
    (sa.Uuid, _uuid),
    (pg.INET, _network),
    (pg.CIDR, _network),
    (pg.MACADDR, _network),
    (pg.MACADDR8, _network),
    (pg.BIT, _kept),
    (pg.MONEY, _kept),
    (pg.OID, _kept),
    (AbstractRange, _kept),
    (sa.LargeBinary, _bytes),
    (sa.String, _string),
)
