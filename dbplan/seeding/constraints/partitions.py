"""Partitions: rows go through the table that they are parts of, and only where one of them takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import CheckConstraint, MetaData, Table, literal_column

_KEY = re.compile(r'(LIST|RANGE) \((?P<column>"(?:[^"]|"")+"|\w+)[^,()]*(?:,.*)?\)', re.DOTALL)
_RANGE = re.compile(r"FOR VALUES FROM \((.*)\) TO \((.*)\)", re.DOTALL)
_VALUE = re.compile(r"'(?:[^']|'')*'|[^,\s][^,]*")
_OPEN = ("MINVALUE", "MAXVALUE")


def partitions(metadata: MetaData) -> set[str]:
    """Return the keys of the tables that are partitions."""
    return {key for key, table in metadata.tables.items() if "partition_of" in table.info}


def keep_within(table: Table) -> None:
    """Give a partitioned table CHECKs that say which rows its partitions take; all where one takes what is left."""
    for part in _family(table):
        bounds = [child.info["partition_of"][1] for child in _children(part)]
        key = _KEY.match(str(part.dialect_options["postgresql"]["partition_by"] or ""))
        column = table.columns.get(key["column"].strip('"').replace('""', '"')) if key is not None else None
        if key is None or column is None or not bounds or "DEFAULT" in bounds:
            continue
        condition = _listed(bounds) if key[1] == "LIST" else _within(key["column"], bounds)
        if condition:
            said = f"{key['column']} IN ({condition})" if key[1] == "LIST" else condition
            table.append_constraint(CheckConstraint(literal_column(said)))


def _family(table: Table) -> Iterator[Table]:
    yield table
    for child in _children(table):
        yield from _family(child)


def _children(table: Table) -> list[Table]:
    found = (other for other in table.metadata.tables.values() if other.info.get("partition_of", ("",))[0] == table.key)
    return sorted(found, key=lambda other: str(other.key))


def _listed(bounds: list[str]) -> str:
    """Return the values that the partitions of a list take."""
    inside = (bound.partition("(")[2].rpartition(")")[0] for bound in bounds)
    return ", ".join(value for values in inside for value in _VALUE.findall(values) if value.strip() != "NULL")


def _within(column: str, bounds: list[str]) -> str:
    """Return the widest stretch that partitions cover without a gap, as a condition."""
    ranges = sorted((_ends(bound) for bound in bounds), key=lambda ends: (ends[0] != "MINVALUE", _sortable(ends[0])))
    stretches = [list(ranges[0])]
    for low, high in ranges[1:]:
        if low == stretches[-1][1]:
            stretches[-1][1] = high
        else:
            stretches.append([low, high])
    low, high = stretches[-1]
    conditions = [f"{column} >= {low}"] if low not in _OPEN else []
    conditions += [f"{column} < {high}"] if high not in _OPEN else []
    return " AND ".join(conditions)


def _ends(bound: str) -> tuple[str, str]:
    found = _RANGE.match(bound)
    low, high = (_VALUE.findall(said)[0].strip() for said in found.groups()) if found else _OPEN
    return low, high


def _sortable(value: str) -> tuple[float, str]:
    """Return a key by which numbers are in order, and dates as they are written."""
    plain = value.strip("'")
    return (float(plain), "") if re.fullmatch(r"-?\d+(\.\d+)?", plain) else (0.0, plain)
