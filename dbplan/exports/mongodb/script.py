"""`write`: the whole script, parents before children."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table

from dbplan.exports.mongodb import losses
from dbplan.exports.mongodb.documents import document
from dbplan.exports.mongodb.indexes import indexes
from dbplan.exports.mongodb.page import Page, new_page
from dbplan.exports.mongodb.views import views
from dbplan.exports.typescript import Call, List, Node, Record, Text, Word, call, expression, identifier
from dbplan.exports.typescript.nodes import Member
from dbplan.exports.written import Written
from dbplan.plan import Plan

_WIDTH = 80
_METHODS = """
adminCommand aggregate auth changeUserPassword cloneDatabase commandHelp createCollection createRole createUser
    createView currentOp disableFreeMonitoring dropAllRoles dropAllUsers dropDatabase dropRole dropUser
    enableFreeMonitoring eval fsyncLock fsyncUnlock getCollection getCollectionInfos getCollectionNames getLogComponents
    getMongo getName getProfilingStatus getReplicationInfo getRole getRoles getSiblingDB getUser getUsers
    grantPrivilegesToRole grantRolesToRole grantRolesToUser hello help hostInfo isMaster killOp listCommands logout
    printCollectionStats printReplicationInfo printShardingStatus revokePrivilegesFromRole revokeRolesFromRole
    revokeRolesFromUser rotateCertificates runCommand serverBits serverBuildInfo serverCmdLineOpts serverStatus
    setLogLevel setProfilingLevel setSecondaryOk shutdownServer sql stats updateRole updateUser version watch
    constructor toString valueOf hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString on once emit off
"""
_NOT_COLLECTIONS = frozenset(_METHODS.split())
"""What a database of mongosh has already: such a collection is reached by its name as text."""


def write(plan: Plan, dialect: str) -> Written:
    """Return `NAME.mongodb.js` for mongosh, and what is said otherwise there or left to the application.

    The plan is in its own server's words; `dialect` is mongodb. Which tables are embedded and why stands in `shape`.
    """
    page = new_page(plan)
    parts = [part for found in _in_order(page) for part in _collection(page, found)]
    parts += views(page)
    losses.lose(page)
    _lose_shape(page)
    file = re.sub(r"[^\w.-]+", "_", plan.name) or "plan"
    text = "\n\n".join([_header(page), *parts]) + "\n"
    return Written({f"{file}.mongodb.js": text}, tuple(page.lost))


def _in_order(page: Page) -> list[Table]:
    """Return the collections, those first that others refer to, as far as there is no circle."""
    done: dict[str, Table] = {}

    def visit(found: Table, path: frozenset[str]) -> None:
        if found.key in done or found.key in path:
            return
        for relation in page.naming.out_of(found):
            visit(relation.parent, path | {found.key})
        done[found.key] = found

    for found in page.roots:
        visit(found, frozenset())
    wanted = {found.key for found in page.roots}
    return [found for key, found in done.items() if key in wanted]


def _header(page: Page) -> str:
    plan = page.plan
    lines = [f"{plan.name}: {len(page.roots)} collection{'s' * (len(page.roots) != 1)}"]
    lines += [plan.summary] if plan.summary else []
    lines += ["Run it once on an empty database: mongosh URL this-file.js"]
    lines += ["References are fields that hold another document's _id; no server guards them, and what a foreign key"]
    lines[-1] += " does on delete is the application's."
    return _comment("\n".join(lines))


def _comment(words: str) -> str:
    wrapped = [line for one in words.splitlines() for line in textwrap.wrap(one, _WIDTH - 3, break_long_words=False)]
    return "\n".join(f"// {line}" for line in wrapped)


def _collection(page: Page, found: Table) -> Iterator[str]:
    """Yield what creates a collection, under why it is one, and its indexes."""
    name, made = page.collections[found.key], document(page, found)
    options = {"validator": made.validator, "validationLevel": "strict"}
    why = _comment("\n".join(_said(page, found)))
    created = expression(call("db.createCollection", Text(name), literal(options, open=True)))
    yield f"{why}\n{created}" if why else created
    arrays = [array.field for array in page.shape.arrays(found) if array.field in made.properties]
    lines = [_indexed(name, one.keys, one.options) for one in indexes(page, found, arrays)]
    if lines:
        yield "\n".join(lines)


def _indexed(name: str, keys: dict[str, Any], options: dict[str, Any]) -> str:
    plain = identifier(name) and name not in _NOT_COLLECTIONS and not name.startswith("_")
    owner: Node = Word(f"db.{name}") if plain else call("db.getCollection", Text(name))
    return expression(Call(Member(owner, "createIndex"), (literal(keys), literal(options))))


def _said(page: Page, found: Table) -> Iterator[str]:
    """Yield the decisions about a collection and what is in it."""
    name = page.collections[found.key]
    if reason := page.shape.reasons.get(found.key):
        yield f"{name} is a collection of its own: {reason}."
    for child in page.shape.within(found):
        yield f"{name}.{child.field} holds {child.relation.child.key}: {child.why}."
    for array in page.shape.arrays(found):
        yield f"{name}.{array.field} stands for {array.kept.child.key}: {array.why}."
    if not len(found.primary_key.columns):
        yield f"{name} has no key: _id is an ObjectId."
    elif len(found.primary_key.columns) > 1:
        yield f"The key of {name} has several fields: a unique index guards them, and _id is an ObjectId."


def _lose_shape(page: Page) -> None:
    """Say of each table why it is what it is."""
    for key, reason in page.shape.reasons.items():
        page.lose(f"a collection of its own: {reason}", page.plan.table(key))
    for child in page.shape.embedded.values():
        parent = page.collections[child.relation.parent.key]
        page.lose(f"embedded in {parent}.{child.field}: {child.why}", child.relation.child)
    for array in page.shape.joins.values():
        parent = page.collections[array.kept.parent.key]
        page.lose(f"an array of references, {parent}.{array.field}: {array.why}", array.kept.child)


def literal(value: Any, *, open: bool = False) -> Node:
    """Return a plain value as JavaScript writes it; `open` for one entry a line."""
    if isinstance(value, dict):
        return Record(tuple((key, literal(one)) for key, one in value.items()), open)
    if isinstance(value, list):
        return List(tuple(map(literal, value)))
    return Text(value) if isinstance(value, str) else Word(json.dumps(value))
