r"""CSV as PostgreSQL reads it: `\copy users (id, email) from 'users.csv' csv header`.

In UTF-8, with a header. NULL is nothing between the commas, an empty text two double quotes. Instants have their zone,
booleans are true and false, arrays and bytes PostgreSQL's own texts.
"""

from __future__ import annotations

from typing import IO

from sqlalchemy import types as sa

from dbplan.seeding.loading.files.content import Content, server_texts
from dbplan.seeding.rows.frames import Frame
from dbplan.seeding.values.infer import generic

_QUOTED = frozenset(',"\n\r')


def write(out: IO[bytes], content: Content) -> None:
    """Write the header, and rows, a line each but for line breaks in texts."""
    out.write((",".join(map(_field, content.columns)) + "\n").encode())
    for frame in content.frames:
        fields = [_texts(frame, name) for name in content.columns]
        out.write(("\n".join(map(",".join, zip(*fields, strict=True))) + "\n").encode())


def _texts(frame: Frame, name: str) -> list[str]:
    kind = frame.source.kind(name)
    texts, null = server_texts(frame[name], kind)
    if isinstance(generic(kind), sa.Boolean):
        texts = ["true" if text in ("t", "True", "true") else "false" for text in texts]
    elif frame[name].values.dtype.kind == "O":
        texts = list(map(_field, texts))
    for at in null.tolist():
        texts[at] = ""
    return texts


def _field(text: str) -> str:
    r"""Return a field in quotes where it needs them: an empty one is no NULL, and a lone `\.` no end of data."""
    text = text.replace("\0", "")
    if text and _QUOTED.isdisjoint(text) and text != "\\.":
        return text
    return '"' + text.replace('"', '""') + '"'
