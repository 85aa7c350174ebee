"""A plan that was not written for MariaDB, made to fit there: what it cannot hold is taken out and said."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ForeignKeyConstraint, Index, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint

from dbplan.evidence import Finding, Place, Severity

_ELSEWHERE = ("postgresql", "sqlite")


def fit(metadata: MetaData) -> tuple[Finding, ...]:
    """Change `metadata`, which is the caller's own, for MariaDB; return a finding for each index that is left out."""
    found = tuple(finding for table in metadata.sorted_tables for finding in _leave_out(table))
    for table in metadata.tables.values():
        for key in sorted(table.foreign_key_constraints, key=lambda key: key._creation_order):
            _follow_a_key(table, key)
    return found


def _leave_out(table: Table) -> Iterator[Finding]:
    """Take the indexes of a part of the rows out: whole, a unique one would refuse rows that the plan allows."""
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        if any(_condition(index, dialect) is not None for dialect in _ELSEWHERE):
            table.indexes.discard(index)
            guarded = ", and nothing else keeps its rows unique" if index.unique else ""
            yield Finding(
                "index-refused",
                Severity.ERROR,
                Place(table=table.key, index=str(index.name)),
                f"the index cannot be created: MariaDB and MySQL have no indexes of a part of the rows{guarded}",
                why="What the models declare cannot be created; measured is the schema without this index.",
            )


def _condition(index: Index, dialect: str) -> object:
    return index.dialect_options[dialect]["where"]


def _follow_a_key(table: Table, key: ForeignKeyConstraint) -> None:
    """Give a foreign key the order of the unique key that it leads to: InnoDB wants an index that begins so."""
    parent = key.referred_table
    pairs = {element.column.name: element.parent.name for element in key.elements}
    same = [columns for columns in _keys(parent) if set(columns) == set(pairs)]
    if not same or [element.column.name for element in key.elements] in same:
        return
    for element in key.elements:
        element.parent.foreign_keys.discard(element)
        table.foreign_keys.discard(element)
    table.constraints.discard(key)
    ordered = same[0]
    table.append_constraint(
        ForeignKeyConstraint(
            [pairs[name] for name in ordered],
            [f"{parent.key}.{name}" for name in ordered],
            name=key.name,
            ondelete=key.ondelete,
            onupdate=key.onupdate,
            use_alter=key.use_alter,
            info=key.info,
        )
    )


def _keys(table: Table) -> Iterator[list[str]]:
    for constraint in sorted(table.constraints, key=lambda constraint: constraint._creation_order):
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            yield [column.name for column in constraint.columns]
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        if index.unique:
            yield [column.name for column in index.columns]
