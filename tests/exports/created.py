"""What an ORM's own schema creation makes of exported models, against the plan, on PostgreSQL and SQLite."""

import sys
import types
import warnings
from contextlib import contextmanager
from itertools import filterfalse

from exports.databases import EMPTY
from exports.loop import catalog_of, empty_database, run, taken
from exports.strangers import stranger
from exports.test_django import before, is_told

from dbplan.comparison import COLUMN_ORDER, differences
from dbplan.domains import PLANS
from dbplan.exports.beyond import mended, needed_first, script
from dbplan.sandbox import sandbox
from dbplan.sources import read

NAMES = (*PLANS, "stranger", "live stranger")


def plan_of(name):
    """Return a worked plan, or the stranger's, as models or as read from a database."""
    if name == "live stranger":
        with sandbox(stranger()) as stage:
            return read(stage.url)
    return stranger() if name == "stranger" else read(name)


@contextmanager
def imported(text, name, but=""):
    """Give a module of that text under a name of its own, which can be imported; no warning `but` one is left."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if but:
                warnings.filterwarnings("ignore", but)
            exec(compile(text, name, "exec"), module.__dict__)
            yield module
    finally:
        del sys.modules[name]


def on_postgresql(plan, written, create):
    """Return what differs and is not told, what is told and does not differ, and what differs after the SQL."""
    lost = mended(plan, written.lost, "postgresql")
    with empty_database(*before(plan), script(filter(needed_first, lost))) as stage:
        create(stage, written.files)
        wanted = catalog_of(plan)
        found = differences(wanted, taken(stage))
        run(stage, script(filterfalse(needed_first, lost)))
        left = differences(wanted, taken(stage))
    untold = [difference for difference in found if not is_told(difference, written.lost)]
    unseen = [str(finding) for finding in lost if not needed_first(finding) and not _is_seen(finding, found)]
    return untold, unseen, [difference for difference in left if difference.what != COLUMN_ORDER]


def _is_seen(finding, found):
    """Say whether something differs where a finding is, or is of what it names."""
    if any(difference.place == finding.place for difference in found):
        return True
    names = (d.place.constraint or d.place.index or d.place.table.rpartition(".")[2] for d in found)
    return not str(finding.place) and any(name in finding.message for name in names)


def on_sqlite(plan, written, create):
    """Return what differs on SQLite and is not told."""
    with sandbox(plan, "sqlite") as wanted, sandbox(EMPTY, "sqlite", create=False) as stage:
        create(stage, written.files)
        found = differences(taken(wanted), taken(stage))
    return [d for d in found if not is_told(d, written.lost) and not _stands_in(d, written.lost)]


def _stands_in(difference, lost):
    """Say whether a constraint without a name stands for one of the same table that is told to have lost its own."""
    told = {finding.place.table for finding in lost if finding.place.constraint}
    extra = difference.what == "constraint" and not difference.left
    return (extra or difference.what == "column place in primary key") and difference.place.table in told
