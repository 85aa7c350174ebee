"""Random Prisma schemas: models of all types, keys, indexes, relations; Prisma accepts nearly all of them."""

from hypothesis import strategies as st

_NATIVE = {
    "Int": ("", "@db.SmallInt", "@db.Integer", "@db.Oid"),
    "BigInt": ("", "@db.BigInt"),
    "Float": ("", "@db.Real", "@db.DoublePrecision"),
    "Decimal": ("", "@db.Decimal(9, 3)", "@db.Decimal", "@db.Money"),
    "Boolean": ("", "@db.Boolean"),
    "String": ("", "@db.VarChar(30)", "@db.VarChar", "@db.Char(4)", "@db.Char", "@db.Text", "@db.Citext"),
    "DateTime": ("", "@db.Timestamp", "@db.Timestamp(6)", "@db.Timestamptz(0)", "@db.Date", "@db.Time(2)"),
    "Json": ("", "@db.Json", "@db.JsonB"),
    "Bytes": ("", "@db.ByteA"),
    "Kind": ("",),
}  # fmt: skip
_DEFAULTS = {
    "Int": ("0", "-1", "32767"),
    "BigInt": ("0", "-9007199254740993"),
    "Float": ("0.5", "-3", "100000"),
    "Decimal": ("0.10", "7", '"1.5"'),
    "Boolean": ("true", "false"),
    "String": ('"a"', '"it\'s :a 100%"', '""'),
    "DateTime": ('"2021-02-03T04:05:06Z"', '"2021-02-03T04:05:06.789+01:00"'),
    "Json": ('"{}"', '"[1, \\"a:b\\"]"'),
    "Bytes": ('"AAEC"',),
    "Kind": ("A", "B"),
}
_FUNCTIONS = {
    "Int": ("autoincrement()", 'dbgenerated("1 + 2")'),
    "BigInt": ("autoincrement()",),
    "String": ("cuid()", "uuid(7)", "dbgenerated(\"lower('A:b')\")"),
    "DateTime": ("now()",),
}
_WITHOUT_DEFAULT = ("@db.Char(4)", "@db.Char", "@db.Oid", "@db.Time(2)", "@db.Timetz", "@db.Citext")
_UNORDERED = ("Json", "Bytes")
_KEYS = {
    "sqlite": ("Int @id", "Int @id @default(autoincrement())", "String @id @default(cuid())", "BigInt @id"),
    "postgresql": (
        "Int @id", "Int @id @default(autoincrement())", "String @id @default(cuid())", "BigInt @id",
        "String @id @default(uuid()) @db.Uuid", "Int @id @default(autoincrement()) @db.SmallInt",
        "String @id @db.VarChar(9)",
    ),
}  # fmt: skip
_WORDS = ("order", "User", "camelCase", "snake_case", "x", "Größe", "veryLongNameThatGoesOnUntilNothingElseFitsIntoIt")
_MAPPED = (
    "group",
    "With Space",
    "UPPER",
    "s-n-a-k-e",
    "a.b",
    "50%",
    "an_even_longer_name_which_leaves_no_room_for_more",
)
_ACTIONS = ("Cascade", "Restrict", "NoAction", "SetDefault")
_HEADS = {
    "postgresql": 'datasource db {\n  provider   = "postgresql"\n  extensions = [citext]\n}\n\n'
    'generator client {\n  provider        = "prisma-client-js"\n  previewFeatures = ["postgresqlExtensions"]\n}\n',
    "sqlite": 'datasource db {\n  provider = "sqlite"\n}\n',
}


@st.composite
def schemas(draw, provider):
    """Draw the text of a schema for `provider`."""
    names = [f"{draw(st.sampled_from(_WORDS))}{number}" for number in range(draw(st.integers(1, 4)))]
    keys = {name: draw(st.sampled_from(_KEYS[provider])) for name in names}
    backs = {name: [] for name in names}  # the fields that relations leave in the other model
    bodies = {name: _model(draw, name, keys, backs, provider) for name in names}
    for number in range(draw(st.integers(0, 2))):
        _join(draw, number, names, backs)
    blocks = [f"model {name} {{\n" + "\n".join((*bodies[name], *backs[name])) + "\n}\n" for name in names]
    renamed = draw(st.sampled_from(("", '  @@map("kinds of it")\n')))
    return "\n".join((_HEADS[provider], *blocks, f'enum Kind {{\n  A\n  B @map("b b")\n{renamed}}}\n'))


def _model(draw, name, keys, backs, provider):
    lines, indexed = [f"  id {keys[name]}"], []
    for number in range(draw(st.integers(0, 6))):
        field = f"f{number}"
        line, ordered = _field(draw, field, provider)
        lines.append(line)
        indexed += [field] if ordered else []
    for number in range(draw(st.integers(0, 2))):
        lines += _relation(draw, number, name, keys, backs)
    lines += _indexes(draw, indexed, name)
    if draw(st.booleans()):
        lines.append(f'  @@map("{draw(st.sampled_from(_MAPPED))} {name[-1]}")')
    return lines


def _field(draw, name, provider):
    """Return the line of a column, and whether a B-tree can hold it."""
    kind = draw(st.sampled_from(tuple(_NATIVE)))
    arity = draw(st.sampled_from(("", "", "?", "[]") if provider == "postgresql" else ("", "?")))
    native = draw(st.sampled_from(_NATIVE[kind])) if provider == "postgresql" else ""
    default = _default(draw, kind, native, arity, provider) if draw(st.booleans()) else ""
    mapped = f'@map("{draw(st.sampled_from(_MAPPED))}{name}")' if draw(st.integers(0, 3)) == 0 else ""
    unique = "@unique" if kind in ("Int", "String") and arity != "[]" and draw(st.integers(0, 4)) == 0 else ""
    words = (f"  {name} {kind}{arity}", default, mapped, unique, native)
    return " ".join(filter(None, words)), arity != "[]" and kind not in _UNORDERED


def _default(draw, kind, native, arity, provider):
    if native in _WITHOUT_DEFAULT or (provider == "sqlite" and kind == "Json"):
        return ""  # the server, or Prisma's own DDL, takes none
    if arity == "[]":
        return f"@default([{', '.join(draw(st.lists(st.sampled_from(_DEFAULTS[kind]), max_size=3)))}])"
    functions = _FUNCTIONS.get(kind, ()) if not arity and provider == "postgresql" else ()
    return f"@default({draw(st.sampled_from((*_DEFAULTS[kind], *functions)))})"


def _relation(draw, number, name, keys, backs):
    """Return a field that leads to some model, and the column that holds its key."""
    target = draw(st.sampled_from(tuple(keys)))
    kind, native = keys[target].split()[0], " ".join(word for word in keys[target].split() if word.startswith("@db."))
    single, optional = draw(st.booleans()), draw(st.booleans())
    known = (*_ACTIONS, "SetNull") if optional else _ACTIONS
    said = [what for what in ("onDelete", "onUpdate") if draw(st.integers(0, 2)) == 0]
    actions = "".join(f", {what}: {draw(st.sampled_from(known))}" for what in said)
    mark, arity = f"{name}_{number}", "?" if optional else ""
    backs[target].append(f'  back_{mark} {name}{"?" if single else "[]"} @relation("{mark}")')
    yield f'  to{number} {target}{arity} @relation("{mark}", fields: [to{number}Id], references: [id]{actions})'
    yield f"  to{number}Id {kind}{arity} {'@unique' if single else ''} {native}"


def _join(draw, number, names, backs):
    """Relate two models, many to many."""
    one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    mark = str(number) + draw(st.sampled_from(("J", " a relation", "veryLong" * 9)))
    backs[one].append(f'  many{number} {other}[] @relation("{mark}")')
    backs[other].append(f'  manyBack{number} {one}[] @relation("{mark}")')


def _indexes(draw, fields, name):
    for place in range(draw(st.integers(0, 2)) if fields else 0):
        listed = draw(st.lists(st.sampled_from(fields), min_size=1, max_size=3, unique=True))
        parts = ", ".join(f"{field}(sort: Desc)" if draw(st.integers(0, 3)) == 0 else field for field in listed)
        kind, word = draw(st.sampled_from(("index", "unique"))), draw(st.sampled_from(_MAPPED))
        mapped = f', map: "{word[:40]} {name[-1]} {place}"' if place or draw(st.booleans()) else ""
        yield f"  @@{kind}([{parts}]{mapped})"
