"""SQL conditions and expressions in another server's words, where they certainly mean the same there."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import sqlglot
from sqlglot import ErrorLevel, exp

from dbplan.ddl.translation.targets import Target, family

_READ = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite", "mssql": "tsql", "": "postgres"}

_PREDICATES = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Like, exp.And, exp.Or),
    *(exp.Not, exp.NullSafeEQ, exp.NullSafeNEQ, exp.RegexpLike),
)
_EVERYWHERE = frozenset(
    (
        *_PREDICATES[:-1],
        *(exp.Column, exp.Identifier, exp.Literal, exp.Paren, exp.Null, exp.Boolean, exp.Tuple, exp.Escape),
        *(exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.Neg, exp.DPipe, exp.Case, exp.If, exp.Coalesce, exp.Nullif),
        *(exp.Length, exp.Lower, exp.Upper, exp.Trim, exp.Abs, exp.Round, exp.Substring, exp.StrPosition),
        *(exp.Floor, exp.Ceil, exp.National, exp.HexString, exp.ILike),
    )
)
_FAMILY_TRUSTS: Mapping[str, frozenset[type]] = {
    "postgresql": frozenset((exp.Extract, exp.Var, exp.Greatest, exp.Least, exp.RegexpLike)),
    "mysql": frozenset((exp.Extract, exp.Var, exp.RegexpLike)),
    "sqlite": frozenset(),
    "mssql": frozenset((exp.Extract, exp.Var)),
}
_OWN_FUNCTIONS: Mapping[str, frozenset[str]] = {"mssql": frozenset(("isjson",))}
_TEXTS = frozenset(("TEXT", "VARCHAR", "CHAR", "NVARCHAR", "NCHAR", "BPCHAR", "NAME"))
_NUMBERS = frozenset(("INT", "BIGINT", "SMALLINT", "TINYINT", "DECIMAL", "DOUBLE", "FLOAT"))
_SIMPLE_PATTERN = re.compile(r"[\^$\w\s\[\]{}()|*+?,.@:/#%&=!~;<> -]*", re.ASCII)


class Untranslatable(Exception):
    """SQL that might mean something else on the other server; its text says what stands in the way."""


class Expressions:
    """Translates the SQL of one schema from its own server's words to another's.

    `names` maps the column names of the table at hand to what they are called there, and `booleans` are those of
    its columns that hold true and false, `texts` those that hold texts.
    """

    def __init__(self, source: str, target: Target) -> None:
        self.source, self.target = family(source), target

    def condition(self, sql: str, columns: Mapping[str, str], booleans: frozenset[str] = frozenset()) -> str:
        """Return a condition on one row; Untranslatable where it cannot be trusted to mean the same."""
        return self._translate(sql, columns, booleans, condition=True)

    def value(self, sql: str, columns: Mapping[str, str], booleans: frozenset[str] = frozenset()) -> str:
        """Return an expression over one row; Untranslatable where it cannot be trusted to mean the same."""
        return self._translate(sql, columns, booleans, condition=False)

    def _translate(self, sql: str, columns: Mapping[str, str], booleans: frozenset[str], *, condition: bool) -> str:
        if self.source == self.target.family and all(old == new for old, new in columns.items()):
            return sql
        tree = simplified(parsed(sql, self.source))
        tree = self._named(tree, columns)
        tree = _ungrouped(tree) if self.source == "mysql" else tree
        self._trust(tree)
        if self.target.family == "postgresql":
            tree = tree.transform(_truth, {columns[name] for name in booleans if name in columns})
        tree = _likes(tree, self.source, self.target)
        if self.target.name == "mssql":
            tree = tree.transform(_national)
            tree = _two_worlds(tree, {columns[name] for name in booleans if name in columns}, condition=condition)
        return printed(tree, self.target)

    def _named(self, tree: exp.Expr, columns: Mapping[str, str]) -> exp.Expr:
        """Call columns what they are called on the other server, quoted where that one wants it."""
        folded = {name.lower(): new for name, new in columns.items()}
        for column in list(tree.find_all(exp.Column)):
            name = column.name
            new = columns.get(name) or folded.get(name.lower())
            if new is None or column.args.get("db"):
                raise Untranslatable(f'"{name}" is no column of the table')
            column.set("table", None)
            column.set("this", identifier(new, self.target))
        return tree

    def _trust(self, tree: exp.Expr) -> None:
        trusted = _EVERYWHERE | _FAMILY_TRUSTS[self.target.family]
        for node in tree.walk(prune=lambda node: isinstance(node, exp.DataType)):
            if isinstance(node, exp.DataType) and isinstance(node.parent, exp.Cast):
                continue
            if isinstance(node, exp.Cast):
                _trust_cast(node, self.target)
            elif type(node) is exp.RegexpLike and type(node) in trusted:
                _trust_pattern(node)
            elif not (type(node) in trusted or _is_own(node, self.target)):
                raise Untranslatable(_called(node))


def _is_own(node: exp.Expr, target: Target) -> bool:
    """Whether a function that sqlglot does not know is the target's own."""
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in _OWN_FUNCTIONS.get(target.family, ())


def _called(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return f"the function {str(node.this).lower()}()"
    if isinstance(node, exp.RegexpLike):
        return "a regular expression"
    if isinstance(node, exp.Func):
        return f"the function {node.sql_name().lower()}()"
    return f"the expression {node.sql()[:60]}"


def parsed(sql: str, source: str) -> exp.Expr:
    """Return SQL as a tree; Untranslatable for what is no SQL of that server."""
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot parse is said by us
    try:
        tree = sqlglot.parse_one(sql, read=_READ[family(source) if source not in _READ else source])
    except (sqlglot.errors.SqlglotError, RecursionError):
        raise Untranslatable("it cannot be parsed") from None
    if tree is None or isinstance(tree, exp.Command):
        raise Untranslatable("it cannot be parsed")
    return tree


def printed(tree: exp.Expr, target: Target) -> str:
    """Return a tree in the words of the other server; Untranslatable where it has none."""
    try:
        return tree.sql(target.sql, unsupported_level=ErrorLevel.RAISE, normalize_functions="lower", comments=False)
    except sqlglot.errors.SqlglotError as error:
        raise Untranslatable(str(error).splitlines()[0]) from None


def identifier(name: str, target: Target) -> exp.Identifier:
    """Return a name, quoted where the server would read it otherwise."""
    return exp.Identifier(this=name, quoted=target.dialect.identifier_preparer._requires_quotes(name))


def simplified(tree: exp.Expr) -> exp.Expr:
    """Return a tree without what a server writes that says nothing elsewhere: casts of literals, arrays to look in."""
    for simplify in (_without_introducers, _lists, _counted_nulls, _without_casts, _without_parentheses):
        tree = tree.transform(simplify)
    return tree


def _without_introducers(node: exp.Expr) -> exp.Expr:
    return node.expression if isinstance(node, exp.Introducer) else node


def _lists(node: exp.Expr) -> exp.Expr:
    """Write `x = ANY (ARRAY[…])` and `x <> ALL (ARRAY[…])` as IN and NOT IN."""
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        items = _items(node.expression.this)
        return exp.In(this=node.this, expressions=items) if items else node
    if isinstance(node, exp.NEQ) and _is_all(node.expression):
        items = _items(_argument(node.expression))
        return exp.Not(this=exp.In(this=node.this, expressions=items)) if items else node
    return node


def _is_all(node: exp.Expr) -> bool:
    return isinstance(node, exp.All) or (isinstance(node, exp.Anonymous) and str(node.this).upper() == "ALL")


def _argument(node: exp.Expr) -> exp.Expr:
    found: exp.Expr = node.this if isinstance(node, exp.All) else node.expressions[0]
    return found


def _items(node: Any) -> list[exp.Expr]:
    while isinstance(node, exp.Paren | exp.Cast | exp.Tuple):
        node = node.this if not isinstance(node, exp.Tuple) else node.expressions[0]
    return list(node.expressions) if isinstance(node, exp.Array) else []


def _counted_nulls(node: exp.Expr) -> exp.Expr:
    """Write num_nulls() and num_nonnulls() as the sum that they are."""
    if not isinstance(node, exp.Anonymous) or str(node.this).lower() not in ("num_nulls", "num_nonnulls"):
        return node
    null, other = ("1", "0") if str(node.this).lower() == "num_nulls" else ("0", "1")
    cases: list[exp.Expr] = [
        exp.Case(
            ifs=[exp.If(this=exp.Is(this=each, expression=exp.Null()), true=exp.Literal.number(null))],
            default=exp.Literal.number(other),
        )
        for each in node.expressions
    ]
    total = cases[0]
    for case in cases[1:]:
        total = exp.Add(this=total, expression=case)
    return exp.Paren(this=total)


def _without_casts(node: exp.Expr) -> exp.Expr:
    """Take casts off literals, and casts to text off everything that is compared as text anyway."""
    if not isinstance(node, exp.Cast):
        return node
    inner, kind = node.this, node.to
    while isinstance(inner, exp.Paren) or (isinstance(inner, exp.Cast) and _name_of(inner.to) in _TEXTS):
        inner = inner.this
    name = _name_of(kind)
    if isinstance(inner, exp.Literal | exp.Neg) and name in _NUMBERS and not _has_limits(kind):
        return _number(inner)
    if isinstance(inner, exp.Literal) and (name in _TEXTS or name in ("USERDEFINED", "JSON", "JSONB", "UUID", "")):
        return inner
    wide = name in _TEXTS or name in ("DECIMAL", "DOUBLE")
    if isinstance(inner, exp.Column | exp.Lower | exp.Upper | exp.Trim) and wide and not _has_limits(kind):
        return inner
    return node


def _name_of(kind: exp.Expr) -> str:
    """Return sqlglot's name of a type; "" for a type of the schema's own."""
    return str(kind.this.name) if isinstance(kind, exp.DataType) and hasattr(kind.this, "name") else ""


def _has_limits(kind: exp.Expr) -> bool:
    return bool(kind.args.get("expressions"))


def _number(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Literal) and node.is_string and re.fullmatch(r"-?\d+(\.\d+)?", str(node.this)):
        text = str(node.this)
        return exp.Neg(this=exp.Literal.number(text[1:])) if text.startswith("-") else exp.Literal.number(text)
    return node


def _without_parentheses(node: exp.Expr) -> exp.Expr:
    """Take the parentheses off what needs none; servers put them around everything."""
    if (
        isinstance(node, exp.Paren)
        and (isinstance(node.this, exp.Column | exp.Literal | exp.Paren | exp.Func) or node.parent is None)
        and not isinstance(node.this, exp.Case | exp.And | exp.Or)
    ):
        return node.this if isinstance(node.this, exp.Expr) else node
    return node


def _trust_cast(node: exp.Cast, target: Target) -> None:
    name = getattr(node.to.this, "name", "")
    if name == "DATE" and target.family != "sqlite":
        return
    if name == "DECIMAL" and _has_limits(node.to) and target.family != "sqlite":
        return
    if target.family == "postgresql" and name in _TEXTS | _NUMBERS:
        return
    raise Untranslatable(f"a cast to {node.to.sql('postgres').lower()}")


def _trust_pattern(node: exp.RegexpLike) -> None:
    """Let patterns through that every engine of regular expressions reads alike."""
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and _SIMPLE_PATTERN.fullmatch(str(pattern.this))) or node.args.get("flag"):
        raise Untranslatable("a regular expression")


def _likes(tree: exp.Expr, source: str, target: Target) -> exp.Expr:
    """Keep the case of a LIKE where it counts, and write regular expressions so that case counts."""

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.RegexpLike) and target.family == "mysql":
            return _matches(node, target)
        folds = type(node) is exp.Like and source == "sqlite"  # SQLite's LIKE does not mind the case
        if folds or (isinstance(node, exp.ILike) and target.family != "postgresql"):
            lower = exp.Like(this=exp.Lower(this=node.this), expression=exp.Lower(this=node.expression))
            return exp.Not(this=lower) if node.args.get("negate") else lower
        if type(node) is exp.Like and source == "postgresql" and target.family == "sqlite":
            return _glob(node)
        return node

    return tree.transform(change)


def _matches(node: exp.RegexpLike, target: Target) -> exp.Expr:
    """Write a regular expression with the infix REGEXP that MySQL and MariaDB have in common."""
    pattern = exp.Literal.string("(?-i)" + str(node.expression.this))
    text = f"{printed(node.this, target)} REGEXP {printed(pattern, target)}"
    return exp.Not(this=exp.Paren(this=exp.Var(this=text))) if node.args.get("negate") else exp.Var(this=text)


def _glob(node: exp.Like) -> exp.Expr:
    """Write a LIKE as SQLite's GLOB, which minds the case."""
    pattern = node.expression
    if not isinstance(pattern, exp.Literal) or "\\" in str(pattern.this) or isinstance(node.parent, exp.Escape):
        raise Untranslatable("LIKE with an escape or a pattern that is no literal")
    if not re.search("[A-Za-z]", str(pattern.this)):
        return node
    spelled = re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", str(pattern.this))
    made = exp.Glob(this=node.this, expression=exp.Literal.string(spelled.replace("%", "*").replace("_", "?")))
    return exp.Not(this=made) if node.args.get("negate") or node.args.get("not_") else made


def _ungrouped(tree: exp.Expr) -> exp.Expr:
    """Write MySQL's concat(), which is NULL where a part is, with the operator that is so everywhere."""

    def change(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Concat) or not node.expressions:
            return node
        joined = node.expressions[0]
        for part in node.expressions[1:]:
            joined = exp.DPipe(this=joined, expression=part)
        return exp.Paren(this=joined)

    return tree.transform(change)


def _truth(node: exp.Expr, booleans: set[str]) -> exp.Expr:
    """Write the 0 and 1 that a boolean is compared with as PostgreSQL's false and true."""
    if isinstance(node, exp.EQ | exp.NEQ | exp.In) and isinstance(node.this, exp.Column) and node.this.name in booleans:
        if isinstance(node, exp.In):
            node.set("expressions", [_as_boolean(each) for each in node.expressions])
        else:
            node.set("expression", _as_boolean(node.expression))
    return node


def _as_boolean(node: exp.Expr) -> exp.Expr:
    number = isinstance(node, exp.Literal) and not node.is_string and str(node.this) in ("0", "1")
    return exp.Boolean(this=str(node.this) == "1") if number else node


def _national(node: exp.Expr) -> exp.Expr:
    """Mark a text that SQL Server's code page may not hold."""
    if isinstance(node, exp.Literal) and node.is_string and not str(node.this).isascii():
        return exp.National(this=str(node.this))
    return node


def _two_worlds(tree: exp.Expr, booleans: set[str], *, condition: bool) -> exp.Expr:
    """Write conditions as values, and values as conditions, where SQL Server tells them apart."""
    return _as_condition(tree, booleans) if condition else _as_value(tree, booleans)


def _as_condition(node: exp.Expr, booleans: set[str]) -> exp.Expr:
    if isinstance(node, exp.Paren):
        return exp.Paren(this=_as_condition(node.this, booleans))
    if isinstance(node, exp.And | exp.Or):
        left, right = _as_condition(node.this, booleans), _as_condition(node.expression, booleans)
        return type(node)(this=left, expression=right)
    if isinstance(node, exp.Not):
        return exp.Not(this=_as_condition(node.this, booleans))
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean):
        raise Untranslatable("IS TRUE")
    if isinstance(node, _PREDICATES):
        return _inside(node, booleans)
    return exp.EQ(this=_as_value(node, booleans), expression=exp.Literal.number("1"))


def _as_value(node: exp.Expr, booleans: set[str]) -> exp.Expr:
    if isinstance(node, exp.Paren) and isinstance(node.this, _PREDICATES):
        return _as_value(node.this, booleans)
    if isinstance(node, _PREDICATES):
        said = _as_condition(node, booleans)
        number = exp.Literal.number
        holds = exp.If(this=said, true=number("1"))
        fails = exp.If(this=exp.Not(this=exp.Paren(this=said.copy())), true=number("0"))
        return exp.Case(ifs=[holds, fails])
    if isinstance(node, exp.Boolean):
        return exp.Literal.number("1" if node.this else "0")
    return _inside(node, booleans)


def _inside(node: exp.Expr, booleans: set[str]) -> exp.Expr:
    """Return a node whose operands are values; the branches of a CASE keep their conditions."""
    made = node.copy()
    if isinstance(made, exp.Is):
        return made
    for name, child in list(made.args.items()):
        if isinstance(made, exp.If) and name == "this":
            made.set(name, _as_condition(child, booleans) if _is_searched(node) else _as_value(child, booleans))
        elif isinstance(child, list):
            made.set(name, [_as_value(each, booleans) if _is_operand(each) else each for each in child])
        elif _is_operand(child):
            made.set(name, _as_value(child, booleans))
    return made


def _is_operand(node: Any) -> bool:
    return isinstance(node, exp.Expr) and not isinstance(node, exp.Identifier | exp.DataType | exp.Var)


def _is_searched(node: exp.Expr) -> bool:
    """Whether a branch belongs to a CASE without an operand."""
    return not (isinstance(node.parent, exp.Case) and node.parent.args.get("this") is not None)
