"""What tables hold, as fingerprints: enough to say which values are gone, and to keep no value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbplan.evidence import Catalog

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    Prints = NDArray[np.uint64]

NULL = 0x9E3779B97F4A7C15
"""The fingerprint of no value."""

_BATCH = 5_000


@dataclass(frozen=True)
class Content:
    """The rows of one table: the fingerprint of every value, by column, in the same row order for all columns."""

    rows: int
    columns: Mapping[str, Prints]

    def fingerprints(self, columns: tuple[str, ...]) -> Prints:
        """Return one fingerprint a row, over these columns."""
        import numpy as np

        total = np.zeros(self.rows, np.uint64)
        for name in columns:
            total = (total * np.uint64(0x100000001B3)) ^ self.columns[name]
        return total


def read(connection: Connection, catalog: Catalog) -> Mapping[str, Content]:
    """Return the contents of every table in the catalog, by the table's name there; foreign tables are not ours."""
    tables: dict[str, list[str]] = {name: [] for name in _own_tables(catalog)}
    for found in catalog.objects:
        if found.kind == "column" and found.place.table in tables:
            tables[found.place.table].append(found.place.column)
    schemas = _schemas(connection)
    return {name: _content(connection, _quoted(connection, name, schemas), cs) for name, cs in tables.items()}


def occupied(connection: Connection, catalog: Catalog) -> frozenset[str]:
    """Return the tables of the catalog that hold a row, without counting them."""
    schemas = _schemas(connection)

    def holds(table: str) -> bool:
        query = f"SELECT 1 FROM {_quoted(connection, table, schemas)} LIMIT 1"  # noqa: S608 - a name of the catalog
        return connection.exec_driver_sql(query).first() is not None

    return frozenset(filter(holds, _own_tables(catalog)))


def _own_tables(catalog: Catalog) -> list[str]:
    tables = (found for found in catalog.objects if found.kind == "table")
    return [found.place.table for found in tables if "foreign" not in dict(found.properties)]


def _schemas(connection: Connection) -> frozenset[str]:
    if connection.dialect.name != "postgresql":
        return frozenset()
    return frozenset(connection.exec_driver_sql("SELECT nspname FROM pg_namespace").scalars())


def _content(connection: Connection, table: str, columns: list[str]) -> Content:
    from array import array

    import numpy as np

    prints = [array("Q") for _ in columns]
    count = 0
    for rows in _batches(connection, table, columns):
        count += len(rows)
        for number, values in enumerate(zip(*rows, strict=True)):
            prints[number].extend(NULL if v is None else hash(_comparable(v)) & 0xFFFFFFFFFFFFFFFF for v in values)
    return Content(count, {c: np.array(p, np.uint64) for c, p in zip(columns, prints, strict=True)})


def _comparable(value: Any) -> Any:
    # Python gives -1 and -2 the same hash, and 1 and 1.0; their texts differ.
    return value if isinstance(value, str | bytes) else (type(value).__name__, repr(value))


def _batches(connection: Connection, table: str, columns: list[str]) -> Iterator[list[Any]]:
    """Yield rows in batches; PostgreSQL hands every value over as text, which it has for each of its types."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    cast = "::text" if connection.dialect.name == "postgresql" else ""
    selected = ", ".join(f"{quote(column)}{cast}" for column in columns) or "NULL"
    query = f"SELECT {selected} FROM {table}"  # noqa: S608 - names out of the server's catalog
    result = connection.execution_options(stream_results=True).exec_driver_sql(query)
    for rows in result.partitions(_BATCH):
        yield list(rows)


def _quoted(connection: Connection, table: str, schemas: frozenset[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote_identifier
    schema, dot, name = table.partition(".")
    return f"{quote(schema)}.{quote(name)}" if dot and schema in schemas else quote(table)


def gone(before: Prints, after: Prints) -> int:
    """Return how many fingerprints of `before` have no partner in `after`, each counted as often as it occurs."""
    import numpy as np

    if before.size == after.size and np.array_equal(np.sort(before), np.sort(after)):
        return 0
    values, counts = np.unique(before, return_counts=True)
    kept, kept_counts = np.unique(after, return_counts=True)
    there = dict(zip(kept.tolist(), kept_counts.tolist(), strict=True))
    return sum(max(0, n - there.get(v, 0)) for v, n in zip(values.tolist(), counts.tolist(), strict=True))
