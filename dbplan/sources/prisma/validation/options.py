"""What a server's keys and indexes may have: types, conditions, lengths, orders, and names of what length."""

from __future__ import annotations

from dbplan.sources.prisma import names
from dbplan.sources.prisma.syntax import Attribute, Call, Field, Literal, Model, Name, Pairs, Value
from dbplan.sources.prisma.validation.facts import Facts, argument, attribute, fault, listed, shown, string, unknown

_TYPES = {"postgresql": ("BTree", "Hash", "Gin", "Gist", "SpGist", "Brin"), "cockroachdb": ("BTree", "Gin")}
_PARTIAL = ("postgresql", "sqlite", "sqlserver", "cockroachdb")
_SERVERS = {"clustered": ("sqlserver",), "length": ("mysql",), "where": _PARTIAL}
# On MySQL a column of one of these is indexed by its first bytes alone.
_LONG = tuple(f"{size}{kind}" for kind in ("Text", "Blob") for size in ("Tiny", "", "Medium", "Long"))
_LITERALS = {
    **dict.fromkeys(("Int", "BigInt", "Float", "Decimal"), "number"),
    **dict.fromkeys(("Json", "Bytes", "Unsupported"), ""),
    "Boolean": "boolean",
}
DIALECTS = {"sqlserver": "mssql"}


def check_options(facts: Facts, model: Model, given: Attribute, item: Field | None = None) -> None:
    """Refuse what the server's keys and indexes do not have; `item` is the field whose own attribute it is."""
    if given.name == "index" and argument(given, "map") is not None and argument(given, "name") is not None:
        raise fault(given.spot, '"name" and "map" of "@@index" are the same; keep map')
    _check_servers(facts, given)
    _check_type(facts, model, given)
    _check_where(facts, model, argument(given, "where"))
    _check_long(facts, model, given, item)
    if model.kind == "view" and given.name in ("id", "index", "fulltext"):
        raise fault(given.spot, f'a view has no "{given.name}"; "{model.name}" may have @unique and @@unique')
    _check_name(facts, given)


def _check_servers(facts: Facts, given: Attribute) -> None:
    provider = facts.provider
    if given.name == "fulltext" and provider not in ("mysql", "mongodb"):
        raise fault(given.spot, f"{provider} has no fulltext indexes; remove it")
    for word, servers in _SERVERS.items():
        found = argument(given, word) or _inside(given, word)
        if found is not None and provider not in servers:
            raise fault(found.spot, f'{provider} has no "{word}" of keys and indexes; remove it')
    order = argument(given, "sort") or _inside(given, "sort")
    if order is not None and given.name == "id" and provider != "sqlserver":
        raise fault(order.spot, f"{provider} has no sort order of primary keys; remove sort")
    if provider == "mysql" and given.name == "id" and argument(given, "map") is not None:
        raise fault(given.spot, "MySQL has no names for primary keys; remove map")
    if provider == "mongodb" and given.name == "id" and argument(given, "fields", first=True) is not None:
        raise fault(given.spot, 'MongoDB has ids of one field alone; mark it @id @map("_id")')


def _inside(given: Attribute, word: str) -> Value | None:
    """Return an option of one of a key's fields."""
    calls = [item for item in listed(argument(given, "fields", first=True)) if isinstance(item, Call)]
    return next((found for call in calls if (found := argument(call, word)) is not None), None)


def _check_type(facts: Facts, model: Model, given: Attribute) -> None:
    """Refuse a type of index that the server lacks, or that has no operators for a field's type."""
    kind = argument(given, "type")
    if not isinstance(kind, Name):
        return
    known = _TYPES.get(facts.provider, ())
    if kind.text not in known:
        raise unknown(kind.spot, "type of index", kind.text, known, f"on {facts.provider}")
    fields = {item.name: item for item in model.fields}
    for item in listed(argument(given, "fields", first=True)):
        bare = item.text if isinstance(item, Name) else ""
        if bare in fields and not _served(facts, kind.text, fields[bare]):
            mend = f'name an operator class: {bare}(ops: raw("…"))'
            raise fault(kind.spot, f'a {kind.text} index does not take "{bare}", of type {fields[bare].type}; {mend}')


def _served(facts: Facts, kind: str, item: Field) -> bool:
    if item.type == "Unsupported" or kind in ("BTree", "Hash"):
        return True
    if kind == "Gin":
        return item.type == "Json" or item.arity == "[]"
    if kind == "Brin":
        return item.type not in ("Boolean", "Json", *facts.enums)
    return item.type == "String" and item.arity != "[]"


def _check_where(facts: Facts, model: Model, condition: Value | None) -> None:
    """Refuse a condition on fields that are not there, or with values that they do not hold."""
    fields = {item.name: item for item in model.fields}
    for name, value in condition.items if isinstance(condition, Pairs) else ():
        if name not in fields:
            raise unknown(value.spot, "field", name, fields, f'in {model.kind} "{model.name}"')
        if facts.related(fields[name]) is not None:
            raise fault(value.spot, f'a condition is on fields with a column; "{name}" is a relation')
        inner = value.items if isinstance(value, Pairs) else (("not", value),)
        if [word for word, _ in inner] != ["not"] or not _compares(fields[name], inner[0][1]):
            raise fault(value.spot, f'"{name}", of type {fields[name].type}, is not compared with {shown(value)}')


def _compares(item: Field, value: Value) -> bool:
    if isinstance(value, Name):
        return value.text == "null"
    return isinstance(value, Literal) and value.kind == _LITERALS.get(item.type, "string")


def _check_long(facts: Facts, model: Model, given: Attribute, own: Field | None) -> None:
    """Refuse a MySQL key on a whole TEXT or BLOB."""
    if facts.provider != "mysql" or given.name == "fulltext" or argument(given, "length") is not None:
        return
    items = listed(argument(given, "fields", first=True))
    whole = [item.text for item in items if isinstance(item, Name)]
    whole += [item.name for item in items if isinstance(item, Call) and argument(item, "length") is None]
    for item in [own] if own is not None else [item for item in model.fields if item.name in whole]:
        native = next((each.name.partition(".")[2] for each in item.attributes if "." in each.name), "")
        if native in _LONG:
            mend = f"give its length: {item.name}(length: 100)" if own is None else "give its length: (length: 100)"
            raise fault(given.spot, f'MySQL has no key on the whole of "{item.name}", a {native}; {mend}')


def _check_name(facts: Facts, given: Attribute) -> None:
    name = argument(given, "map")
    longest = names.LONGEST[DIALECTS.get(facts.provider, facts.provider)]
    if name is not None and len(string(name).encode()) > longest:
        raise fault(name.spot, f"a name has at most {longest} bytes on {facts.provider}; shorten it")


def check_mongodb_id(facts: Facts, model: Model) -> None:
    """Refuse an id that is not the document's own."""
    if facts.provider == "mongodb":
        for item in model.fields:
            name = string(argument(attribute(item, "map"), "name", first=True))
            if attribute(item, "id") is not None and name != "_id":
                raise fault(item.spot, f'the id of a document is "_id"; add @map("_id") to "{item.name}"')
