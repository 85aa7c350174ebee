r"""CSV as PostgreSQL reads it: `\copy users (id, email) from 'users.csv' csv header`.

In UTF-8, with a header. NULL is nothing between the commas, an empty text two double quotes. Instants have their zone,
booleans are true and false, arrays and bytes PostgreSQL's own texts.
"""

from __future__ import annotations

from typing import IO

from dbplan.seeding.loading.files.content import Content
from dbplan.seeding.loading.lines import encoder


def write(out: IO[bytes], content: Content) -> None:
    """Write the header, and rows, a line each but for line breaks in texts."""
    kinds = {name: content.source.kind(name) for name in content.columns}
    made = encoder(content.columns, kinds, "csv", content.dialect)
    out.write(made.header)
    for frame in content.frames:
        out.write(made.rows(frame, frozenset()))
