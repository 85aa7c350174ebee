"""`translated`: a schema in another server's words, and what that server cannot say."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import MetaData

from dbplan.evidence import Finding


@dataclass(frozen=True)
class Translation:
    """A schema for one server; `lost` says what of the original that server cannot say, and what stands instead."""

    metadata: MetaData
    lost: tuple[Finding, ...] = ()


def translated(metadata: MetaData, dialect: str) -> Translation:
    """Return a schema in the words of another server: postgresql, mysql, mariadb, sqlite, mssql or cockroachdb.

    `metadata.info["dialect"]` says whose words it is in; without it the models are meant for any server. Asked for
    its own dialect, it is returned as it is. A finding is a warning where rows that the original refuses are taken,
    and a note where it is merely another thing. Raises UnknownName for another dialect.
    """
    from dbplan.ddl.translation.schema import translate

    return translate(metadata, dialect)
