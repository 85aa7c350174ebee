"""The rules that judge a rehearsal: facts in, findings out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbplan.comparison import COLUMN_ORDER
from dbplan.evidence import Difference, Place, Severity
from dbplan.migration.facts import SINCE, Loss, Rehearsal, Rehearsed
from dbplan.rule import Hit, Rule, rule

_SOURCE = "docs/migrations.md"
_LONGEST = 160


@rule(
    "multiple-heads",
    Severity.ERROR,
    condition="more than one revision is the last",
    why="`upgrade head` has no single target, and the order in which branches run differs from database to database",
    mend="join the branches with a merge revision",
    source=_SOURCE,
)
def multiple_heads(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find branches that were never joined."""
    if len(rehearsal.heads) > 1:
        heads = sorted(rehearsal.heads)
        place = Place(revision=" ".join(heads))
        yield (
            place,
            f"{len(heads)} heads: {', '.join(heads)}",
            f'{rehearsal.alembic} merge -m "join branches" {" ".join(heads)}',
        )


@rule(
    "migration-fails-on-data",
    Severity.ERROR,
    condition="a revision ends in an error",
    why="it would stop a deployment half-way",
    mend="make the statement fit the rows there are: backfill, deduplicate or give a default first",
    source=_SOURCE,
)
def migration_fails_on_data(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find steps on rows from before the upgrade that raise."""
    for seen in rehearsal.revisions:
        for way, step in zip(("upgrade", "downgrade", "second upgrade"), seen.steps, strict=False):
            if step.error and step.place.statement != SINCE:
                on = f"on {step.rows_before} rows" if step.rows_before else "on empty tables"
                if seen.fails_when_empty and step.direction == "up":
                    on += ", and on empty tables" if step.rows_before else ""
                yield _at(seen), f"the {way} fails {on}: {step.error}", ""


@rule(
    "downgrade-fails-on-new-rows",
    Severity.WARNING,
    condition="the downgrade works on rows from before the upgrade, and fails on rows written since",
    why="a rollback is wanted after users have worked with the new version",
    mend="let the downgrade shorten, move or delete what the older schema cannot hold, or mark the revision one-way",
    source=_SOURCE,
)
def downgrade_fails_on_new_rows(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find steps on rows written since the upgrade that raise."""
    for seen in _undoable(rehearsal):
        for step in seen.steps:
            if step.error and step.place.statement == SINCE:
                way = "downgrade" if step.direction == "down" else "upgrade after it"
                yield _at(seen), f"with {step.rows_before} rows written since, the {way} fails: {step.error}", ""


@rule(
    "downgrade-missing",
    Severity.ERROR,
    condition="a revision that changes something has no downgrade, or an empty one",
    why="the only way back from a bad deployment is then a restore",
    mend='write the downgrade, or say in the file why there is none: one_way = "…"',
    source=_SOURCE,
)
def downgrade_missing(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find revisions without a way back that do not say so."""
    for seen in _undoable(rehearsal):
        if seen.no_way_back:
            said = seen.no_way_back.removeprefix("no way back: ")
            yield _at(seen), said, f'in {seen.revision.file.name}: write downgrade(), or one_way = "why there is none"'


@rule(
    "downgrade-schema-differs",
    Severity.ERROR,
    condition="the schema after upgrade and downgrade is not the schema before",
    why="a database that was rolled back is one that nobody has tested, and the next upgrade may fail on it",
    mend="let the downgrade undo what is named here",
    source=_SOURCE,
)
def downgrade_schema_differs(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find what a downgrade leaves behind or does not bring back."""
    for seen in _undoable(rehearsal):
        yield from (_told(d, seen, "before", "after down") for d in seen.restored or () if d.what != COLUMN_ORDER)


@rule(
    "upgrade-not-repeatable",
    Severity.ERROR,
    condition="after a downgrade, the same upgrade ends in another schema",
    why="databases that took another way to the same revision differ",
    mend="make the upgrade independent of what an earlier run left",
    source=_SOURCE,
)
def upgrade_not_repeatable(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find what the second upgrade made differently."""
    for seen in _undoable(rehearsal):
        yield from (_told(d, seen, "first", "second") for d in seen.repeated or () if d.what != COLUMN_ORDER)


@rule(
    "upgrade-loses-data",
    Severity.ERROR,
    condition="rows or values that were there before the upgrade are gone after it, and stay gone",
    why="what an upgrade drops no downgrade can bring back",
    mend='keep the old column or table until the new one is proved, or say in the file why not: one_way = "…"',
    source=_SOURCE,
)
def upgrade_loses_data(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find rows and values that the upgrade loses."""
    for seen, loss in _losses(rehearsal, "up"):
        yield _place(seen, loss), f"the upgrade loses {_amount(loss)}", ""


@rule(
    "downgrade-loses-data",
    Severity.ERROR,
    condition="rows or values that an upgrade keeps are gone or changed after the downgrade",
    why="a rollback that loses what users have entered is no rollback",
    mend="copy back what the upgrade has moved, or keep it in a table of its own until the downgrade has run",
    source=_SOURCE,
)
def downgrade_loses_data(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find rows and values that the downgrade loses."""
    for seen, loss in _losses(rehearsal, "down"):
        yield _place(seen, loss), f"the downgrade loses or changes {_amount(loss)}", ""


@rule(
    "downgrade-loses-new-data",
    Severity.WARNING,
    condition="the downgrade loses or changes rows written since the upgrade that the older schema has a place for",
    why="a rollback is wanted after users have worked with the new version",
    mend="let the downgrade keep what it shortens, rounds or deletes in a table of its own",
    source=_SOURCE,
)
def downgrade_loses_new_data(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find what a downgrade loses of rows written since the upgrade; what it loses of older rows too is told there."""
    older = {(seen.revision.id, loss.place) for seen, loss in _losses(rehearsal, "down")}
    for seen, loss in _losses(rehearsal, "down", since=True):
        if (seen.revision.id, loss.place) not in older:
            yield _place(seen, loss), f"the downgrade loses or changes {_amount(loss)} written since the upgrade", ""


@rule(
    "nulls-filled",
    Severity.NOTE,
    condition="the upgrade gives a value to rows that had none, and the downgrade leaves it",
    why="afterwards nobody can tell which values were entered",
    mend="nothing, where a backfill is meant to stay",
    source=_SOURCE,
)
def nulls_filled(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find NULLs that do not come back."""
    for seen in _undoable(rehearsal):
        for loss in seen.losses:
            if loss.filled:
                yield _place(seen, loss), f"{loss.lost} of {loss.total} rows had NULL, and keep the value they got", ""


@rule(
    "one-way",
    Severity.NOTE,
    condition="a revision says that it has no way back",
    why="before it runs, a backup is the only rollback",
    mend="take a backup right before, and rehearse its restore",
    source=_SOURCE,
)
def one_way(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find revisions that declare themselves one-way."""
    for seen in rehearsal.revisions:
        if seen.revision.one_way:
            yield _at(seen), seen.revision.one_way, ""


@rule(
    "model-drift",
    Severity.ERROR,
    condition="the migrated schema is not the one that the models describe",
    why="tests run on the models, production on the migrations",
    mend="write a revision with what differs (autogenerate does not see all of it), or mend the models",
    source=_SOURCE,
)
def model_drift(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find where migrations and models disagree."""
    for found in rehearsal.drift or ():
        if found.what != COLUMN_ORDER:
            place, message, _ = _told(found, None, "migrations", "models")
            yield place, message, f'{rehearsal.alembic} revision --autogenerate -m "follow the models"'


@rule(
    "column-order",
    Severity.NOTE,
    condition="two tables that should be equal have their columns in another order",
    why="only `SELECT *` and an INSERT without column names can tell",
    mend="nothing, or name the columns wherever the order counts",
    source=_SOURCE,
)
def column_order(rehearsal: Rehearsal) -> Iterator[Hit]:
    """Find tables that differ in nothing but the order of columns."""
    sides = [(None, found) for found in rehearsal.drift or ()]
    rolled: list[tuple[Rehearsed | None, Difference]] = [(s, d) for s in _undoable(rehearsal) for d in s.restored or ()]
    for seen, found in [*rolled, *sides]:
        if found.what == COLUMN_ORDER:
            yield _told(found, seen, *(("before", "after down") if seen else ("migrations", "models")))


RULES: tuple[Rule[Rehearsal], ...] = (
    multiple_heads,
    migration_fails_on_data,
    upgrade_loses_data,
    downgrade_loses_data,
    downgrade_schema_differs,
    downgrade_missing,
    upgrade_not_repeatable,
    model_drift,
    downgrade_fails_on_new_rows,
    downgrade_loses_new_data,
    nulls_filled,
    one_way,
    column_order,
)


def _undoable(rehearsal: Rehearsal) -> Iterable[Rehearsed]:
    """Return the revisions that are meant to have a way back."""
    return (seen for seen in rehearsal.revisions if not seen.revision.one_way)


def _losses(rehearsal: Rehearsal, during: str, *, since: bool = False) -> Iterator[tuple[Rehearsed, Loss]]:
    for seen in _undoable(rehearsal):
        wanted = (loss for loss in seen.losses if loss.during == during and loss.since == since and not loss.filled)
        yield from ((seen, loss) for loss in wanted)


def _at(seen: Rehearsed) -> Place:
    return Place(revision=seen.revision.id)


def _place(seen: Rehearsed, loss: Loss) -> Place:
    return Place(loss.place.table, loss.place.column, revision=seen.revision.id)


def _amount(loss: Loss) -> str:
    return f"{loss.lost} of {loss.total} {'values' if loss.place.column else 'rows'}"


def _told(found: Difference, seen: Rehearsed | None, left: str, right: str) -> Hit:
    at = found.place
    place = Place(at.table, at.column, at.index, at.constraint, seen.revision.id if seen else "")
    return place, f"{found.what}: {left} {_shown(found.left)}, {right} {_shown(found.right)}", ""


def _shown(value: str) -> str:
    text = " ".join(value.split())
    return f"`{text if len(text) <= _LONGEST else f'{text[:_LONGEST]}…'}`" if text else "—"
