"""Files: the pictures of a plan that are committed beside it, and whether they still show it."""

from __future__ import annotations

import re
import struct
from hashlib import sha256
from pathlib import Path
from zlib import crc32

from dbplan.diagram.entities import erd
from dbplan.errors import CannotWrite
from dbplan.plan import Plan
from dbplan.report.blocks import Figure
from dbplan.report.files import write as write_file
from dbplan.report.picture import png, standalone

SUFFIXES = ("svg", "png", "mmd")
_KEY = b"dbplan:svg-sha256"
_END = b"\x00\x00\x00\x00IEND"


def write(plan: Plan, folder: str | Path) -> list[Path]:
    """Write `NAME.svg`, `NAME.png` and `NAME.mmd` of a plan into `folder`, and return their paths."""
    texts = _texts(plan)
    for path, text in zip(paths(plan, folder), (texts["svg"], None, texts["mmd"]), strict=True):
        write_file(path, _stamped(png(texts["svg"]), texts["svg"]) if text is None else text.encode())
    return paths(plan, folder)


def stale(plan: Plan, folder: str | Path) -> list[Path]:
    """Return the pictures in `folder` that are missing or show another schema than the plan's."""
    texts = _texts(plan)
    svg, picture, mmd = paths(plan, folder)
    fresh = {
        svg: _read(svg) == texts["svg"].encode(),
        # Pixels may differ from one rasterizer to the next: what counts is which drawing they were made of.
        picture: _stamp(texts["svg"]) in _read(picture),
        mmd: _read(mmd) == texts["mmd"].encode(),
    }
    return [path for path, is_fresh in fresh.items() if not is_fresh]


def paths(plan: Plan, folder: str | Path) -> list[Path]:
    """Return where the pictures of a plan lie: svg, png, mmd."""
    stem = re.sub(r"[^\w.-]+", "-", plan.name).strip(".") or "plan"
    return [Path(folder) / f"{stem}.{suffix}" for suffix in SUFFIXES]


def _texts(plan: Plan) -> dict[str, str]:
    figure = next(block for block in erd(plan).blocks if isinstance(block, Figure))
    return {"svg": standalone(figure.svg), "mmd": figure.sources["mmd"]}


def _read(path: Path) -> bytes:
    try:
        # A checkout on Windows may have turned the line ends of text; that makes no picture stale.
        return path.read_bytes() if path.suffix == ".png" else path.read_bytes().replace(b"\r\n", b"\n")
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise CannotWrite(f"cannot read {path}: {error.strerror}") from error


def _stamp(svg: str) -> bytes:
    return _KEY + b"\x00" + sha256(svg.encode()).hexdigest().encode()


def _stamped(picture: bytes, svg: str) -> bytes:
    """Return a PNG with a text chunk (PNG specification, 11.3.4.3) that names the drawing it was made of."""
    body = b"tEXt" + _stamp(svg)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", crc32(body))
    head, mark, tail = picture.rpartition(_END)
    return head + chunk + mark + tail
