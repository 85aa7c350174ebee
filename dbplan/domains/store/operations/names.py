"""What things are called in URLs: slugs, host labels and domains."""

from __future__ import annotations

import re
import unicodedata

from dbplan.domains.calls import text
from dbplan.errors import UsageError

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def slug(given: str | None, name: str) -> str:
    """Return the slug that was given, or one made of a name; UsageError for one that a URL would have to escape."""
    if given is None and not _spelled(name):
        raise UsageError(f'no slug can be made of "{name}", which has no letter a to z and no digit; give one by slug=')
    made = text("slug", given if given is not None else _spelled(name), 100)
    if not _SLUG.fullmatch(made):
        raise UsageError(f'"{made}" is no slug; one has letters a to z, digits, and single hyphens within')
    return made


def label(given: str | None) -> str | None:
    """Return a subdomain in lower case; UsageError for what is no host label."""
    if given is None:
        return None
    made = text("subdomain", given, 63).lower()
    if not _LABEL.fullmatch(made):
        raise UsageError(f'"{made}" is no host label; one has letters a to z, digits, and hyphens within')
    return made


def domain(given: str | None) -> str | None:
    """Return a domain in lower case; UsageError for what is none."""
    if given is None:
        return None
    made = text("domain", given, 253).lower()
    labels = made.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.fullmatch(part) for part in labels):
        raise UsageError(f'"{made}" is no domain; one is two or more host labels with dots between, as shop.example')
    return made


def _spelled(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:100].strip("-")
