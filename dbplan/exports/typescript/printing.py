"""Expressions as prettier lays them out, with its defaults."""

from __future__ import annotations

from string import ascii_uppercase

from dbplan.exports.typescript.layout import (
    FORCE,
    HARD,
    LINE,
    SOFT,
    WIDTH,
    Doc,
    Group,
    IfBroken,
    Indent,
    Raw,
    breaks,
    join,
    rendered,
    width,
)
from dbplan.exports.typescript.names import identifier, is_key, template, text
from dbplan.exports.typescript.nodes import Arrow, Call, List, Member, Node, Record, Sql, Text, Word

_SHORT_KEY = 5
_LONE_ARGUMENT = WIDTH // 4


def statement(head: str, value: Node) -> str:
    """Return `head = value;`, such as `export const users = pgTable(…);`."""
    return rendered([_assignment([head, " ="], value, width(head)), ";"])


def expression(value: Node) -> str:
    """Return `value;`, such as a call for what it does."""
    return rendered([_doc(value), ";"])


def decorator(name: str, *arguments: Node, inside: bool = False) -> str:
    """Return `@name(arguments)`; `inside` a class, one step to the right."""
    return _at(["@", name, _arguments(arguments, decorates=True)], inside)


def _at(doc: Doc, inside: bool) -> str:
    return rendered(Indent([HARD, doc])).lstrip("\n") if inside else rendered(doc)


def _doc(node: Node, last: bool = False) -> Doc:
    """Return the layout of an expression; `last`: it is the last argument and hugs the parentheses."""
    match node:
        case Word(words):
            return words
        case Text(value):
            return text(value)
        case Sql():
            return [node.tag, "`", Raw(_sql(node)), "`"]
        case Member(of, name):
            return [_doc(of), ".", name]
        case List(items):
            return _list(items)
        case Record():
            return _record(node)
        case Arrow():
            return _arrow(node, last)
        case Call():
            return _call(node)


def _sql(node: Sql) -> str:
    written = template(node.value)
    return written if node.lines else written.replace("\n", "\\n")


def _list(items: tuple[Node, ...]) -> Doc:
    if not items:
        return "[]"
    content: Doc = ["[", Indent([SOFT, *join([",", LINE], [_doc(item) for item in items])]), IfBroken(","), SOFT, "]"]
    return Group(content, broken=_is_matrix(items))


def _is_matrix(items: tuple[Node, ...]) -> bool:
    """Say whether all are records of several entries, or lists of several items: one a line, then."""
    records = all(isinstance(item, Record) and len(item.entries) > 1 for item in items)
    return len(items) > 1 and (records or all(isinstance(item, List) and len(item.items) > 1 for item in items))


def _record(node: Record) -> Doc:
    if not node.entries:
        return "{}"
    notes = dict(node.notes)
    entries: list[Doc] = []
    for key, value in node.entries:
        name = key if is_key(key) else text(key)
        above: list[Doc] = [part for line in notes.get(key, ()) for part in (line, HARD)]
        entries.append([*above, Group(_assignment([name, ":"], value, width(name)))])
    content: Doc = ["{", Indent([LINE, *join([",", LINE], entries)]), IfBroken(","), LINE, "}"]
    return Group(content, broken=node.open)


def _assignment(head: list[Doc], value: Node, left: int) -> Doc:
    """Return a name and its value: on one line, or the value on the next, as its kind allows."""
    written = _doc(value)
    short = head[-1] == ":" and left < _SHORT_KEY
    if short or isinstance(value, Sql) or _is_literal(value):
        return Group([*head, " ", written])
    if isinstance(value, Text) or _is_unbreakable(value):
        return Group([*head, Group(Indent([LINE, written]))])
    gap = Group(Indent(LINE))
    return Group([*head, gap, Indent(written, gap)])


def _is_literal(node: Node) -> bool:
    return isinstance(node, Word) and (node.words in ("true", "false") or not identifier(node.words))


def _is_unbreakable(node: Node, deep: bool = False) -> bool:
    """Say whether a chain has no place where a break would help."""
    if isinstance(node, Member):
        return _is_unbreakable(node.of, True)
    if isinstance(node, Call):
        if isinstance(node.of, Member) and _is_chain(node):
            return False
        lone = not node.arguments or (len(node.arguments) == 1 and _is_short(node.arguments[0]))
        return lone and _is_unbreakable(node.of, True)
    return deep and isinstance(node, Word)


def _is_short(node: Node) -> bool:
    match node:
        case Word(words):
            return _is_literal(node) or len(words) <= _LONE_ARGUMENT
        case Text(value):
            return len(text(value)) <= _LONE_ARGUMENT
        case Sql(tag=""):
            written = _sql(node)
            return len(written) <= _LONE_ARGUMENT and "\n" not in written
        case Record(entries):
            return not entries
        case List(items):
            return not items
        case Call(Word(name), ()):
            return len(name) <= _LONE_ARGUMENT - 2
    return False


def _arrow(node: Arrow, last: bool) -> Doc:
    head: list[Doc] = [f"({node.parameters})", f": {node.returns}" if node.returns else "", " =>"]
    body: Doc = _doc(node.body)
    if isinstance(node.body, Record):
        return Group([*head, " ", "(", body, ")"])
    if isinstance(node.body, List) or (isinstance(node.body, Sql) and "\n" in _sql(node.body)):
        return Group([*head, " ", body])
    tail: list[Doc] = [IfBroken(","), SOFT] if last else []
    return Group([*head, Group([Indent([LINE, body]), *tail])])


def _call(node: Call) -> Doc:
    if len(node.arguments) == 1 and _is_on_its_lines(node.arguments[0]):
        return [_doc(node.of), "(", _doc(node.arguments[0]), ")"]
    if isinstance(node.of, Member):
        return _chain(node)
    types = f"<{node.types}>" if node.types else ""
    return [_doc(node.of), types, _arguments(node.arguments)]


def _is_on_its_lines(node: Node) -> bool:
    return isinstance(node, Sql) and "\n" in _sql(node)


def _arguments(arguments: tuple[Node, ...], decorates: bool = False) -> Doc:
    if not arguments:
        return "()"
    docs: list[Doc] = [_doc(argument) for argument in arguments]
    if _composes(arguments) and not decorates:
        return _each_on_a_line(docs)
    if _hugs(arguments):
        return _hugged(docs, _doc(arguments[-1], last=True))
    inner = join([",", LINE], docs)
    return Group(["(", Indent([SOFT, *inner]), IfBroken(","), SOFT, ")"], broken=any(map(breaks, docs)))


def _composes(arguments: tuple[Node, ...]) -> bool:
    """Say whether functions are handed over among other arguments: two of them, or one to a call."""
    functions = sum(isinstance(argument, Arrow) for argument in arguments)
    calls = (argument for argument in arguments if isinstance(argument, Call))
    handed = any(isinstance(inner, Arrow) for call in calls for inner in call.arguments)
    return len(arguments) > 1 and (functions > 1 or handed)


def _each_on_a_line(docs: list[Doc]) -> Group:
    return Group(["(", Indent([LINE, *join([",", LINE], docs)]), IfBroken(","), LINE, ")"], broken=True)


def _hugs(arguments: tuple[Node, ...]) -> bool:
    """Say whether the last argument may open on the line of the call."""
    last = arguments[-1]
    if len(arguments) > 1 and type(arguments[-2]) is type(last):
        return False
    match last:
        case Record(entries):
            return bool(entries)
        case List(items):
            first_is_function = len(arguments) == 2 and isinstance(arguments[0], Arrow)
            return bool(items) and not first_is_function and not (len(arguments) > 1 and _is_numbers(items))
        case Arrow(_, Call(Word(words))):
            return not words.startswith("new ")
        case Arrow(_, body):
            return isinstance(body, Record | List | Call)
    return False


def _is_numbers(items: tuple[Node, ...]) -> bool:
    return all(isinstance(item, Word) and item.words.lstrip("+-").isdigit() for item in items)


def _hugged(docs: list[Doc], last: Doc) -> Doc:
    first: list[Doc] = [part for doc in docs[:-1] for part in (doc, ", ")]
    if any(map(breaks, first)):
        return _each_on_a_line(docs)
    opened: Doc = ["(", *first, Group(last, broken=True), ")"]
    if breaks(last):
        return [FORCE, Group(opened, states=[opened, _each_on_a_line(docs)])]
    return Group(["(", *first, last, ")"], states=[["(", *first, last, ")"], opened, _each_on_a_line(docs)])


def _chain(node: Call) -> Doc:
    """Return calls of methods one after another: on one line, or each on its own below the first."""
    head, links = _links(node)
    cutoff = 3 if _merges(node) else 2
    merged = links[: cutoff - 2]
    line: Doc = [head, *links]
    if not _is_chain(node):
        return Group(line)
    broken: Doc = [head, *merged, Indent([HARD, *join([HARD], links[len(merged) :])])]
    calls = _calls(node)
    is_complex = len(calls) > 2 and any(not _is_simple(argument) for call in calls for argument in call.arguments)
    functions = any(isinstance(argument, Arrow) for call in calls[:-1] for argument in call.arguments)
    if is_complex or any(map(breaks, [head, *links[:-1]])) or (functions and breaks(links[-1])):
        return Group(broken)
    return [FORCE if breaks(line) else "", Group(line, states=[line, broken])]


def _is_chain(node: Call) -> bool:
    """Say whether there are so many calls that each may stand on a line of its own."""
    return 1 + len(_links(node)[1]) > (3 if _merges(node) else 2)


def _links(node: Call) -> tuple[Doc, list[Doc]]:
    """Return what a chain starts with, and its calls of methods."""
    links: list[Doc] = []
    base: Node = node
    while isinstance(base, Call) and isinstance(base.of, Member):
        links.insert(0, [f".{base.of.name}", _arguments(base.arguments)])
        base = base.of.of
    return _doc(base), links


def _merges(node: Call) -> bool:
    """Say whether the first method stays beside the name that it is called on, as prettier has it for factories."""
    base: Node = node
    while isinstance(base, Call) and isinstance(base.of, Member):
        base = base.of.of
    name = base.words if isinstance(base, Word) else base.name if isinstance(base, Member) else ""
    return bool(name) and (name[:1] in ascii_uppercase or not name.strip("_$"))


def _calls(node: Node) -> list[Call]:
    """Return the calls of a chain, the first one first."""
    if isinstance(node, Member):
        return _calls(node.of)
    return [*_calls(node.of), node] if isinstance(node, Call) else []


def _is_simple(node: Node, depth: int = 2) -> bool:
    """Say whether an argument is plain enough for a long chain to stay on one line."""
    if depth <= 0:
        return False
    match node:
        case Word() | Text():
            return True
        case Sql(tag=""):
            return "\n" not in _sql(node)
        case Record(entries):
            return all(_is_simple(value, depth - 1) for _, value in entries)
        case List(items):
            return all(_is_simple(item, depth - 1) for item in items)
        case Member(of, _):
            return _is_simple(of, depth)
        case Call(of, arguments):
            inner = all(_is_simple(argument, depth - 1) for argument in arguments)
            return _is_simple(of, depth) and len(arguments) <= depth and inner
    return False


def imports(names: list[str], module: str, *, types: bool = False) -> str:
    """Return `import { names } from "module";`, or `import type`."""
    told = join([",", LINE], list(names))
    inner: Doc = ["{ ", *told, " }"]
    if len(names) > 1:
        inner = Group(["{", Indent([LINE, *told]), IfBroken(","), LINE, "}"])
    return rendered(["import type " if types else "import ", inner, f" from {text(module)};"])


def attribute(name: str, types: list[str]) -> str:
    """Return `name!: a | b;`, a property inside a class; a reference and null stay on one line."""
    if len(types) == 1 or "<" in types[0] or (types[0][:1] in ascii_uppercase and not types[0].endswith("]")):
        return f"  {name}!: {' | '.join(types)};"
    rest = [part for kind in types[1:] for part in (LINE, f"| {kind}")]
    union = Group(Indent([SOFT, Group([IfBroken("| "), types[0], *rest])]))
    return _at([f"{name}!: ", union, ";"], inside=True)
