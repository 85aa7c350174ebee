"""What is known and accepted: ignore patterns, waivers beside the model, a baseline file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from dbplan.errors import CannotWrite, UnknownName, UsageError
from dbplan.evidence import Finding
from dbplan.linting.rules import RULES
from dbplan.linting.schema import Schema
from dbplan.report import Report

RULE_IDS = frozenset(rule.id for rule in RULES)
_GLOB = "*?["


@dataclass(frozen=True)
class Pattern:
    """One ignore pattern, waiver or baseline entry: `rule`, `rule:place`, with * in either, and why."""

    text: str
    reason: str = ""
    origin: str = "ignored"
    parts: tuple[str, ...] = ()

    def matches(self, finding: Finding) -> bool:
        """Return whether a finding is meant; `parts` are patterns that are meant too."""
        patterns = (self.text, *self.parts)
        return finding.key in patterns or any(_like(finding.key, p) or _like(finding.rule, p) for p in patterns)


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def ignored(patterns: Iterable[str]) -> tuple[Pattern, ...]:
    """Return the patterns to ignore; a rule that does not exist is refused."""
    found = (patterns,) if isinstance(patterns, str) else tuple(patterns)
    for text in found:
        rule = text.partition(":")[0]
        exists = any(fnmatchcase(known, rule) for known in RULE_IDS) if set(rule) & set(_GLOB) else rule in RULE_IDS
        if not exists:
            raise UnknownName("lint rule", rule, RULE_IDS)
    return tuple(Pattern(text) for text in found)


def waived(schema: Schema) -> tuple[Pattern, ...]:
    """Return the waivers beside the model: `info={"lint": {"rule-id": "reason"}}` of a table or a column.

    A table's may name one of its indexes or constraints: `"rule-id:ix_name"`.
    """
    found: list[Pattern] = []
    for table in schema.tables:
        for rule, name, reason in _waivers(table):
            place = f"{table.fullname} ({name})" if name else table.fullname
            parts = () if name else (f"{rule}:{place}.*", f"{rule}:{place} (*")
            found.append(Pattern(f"{rule}:{place}", reason, "waived", parts))
        for column in table.columns:
            key = f"{table.fullname}.{column.name}"
            found += [Pattern(f"{rule}:{key}", reason, "waived") for rule, _, reason in _waivers(column)]
    return tuple(found)


def _waivers(owner: Any) -> list[tuple[str, str, str]]:
    given = owner.info.get("lint")
    if not isinstance(given, Mapping):
        return []
    waivers = [(*str(key).partition(":")[::2], str(reason)) for key, reason in given.items()]
    for rule, _, _ in waivers:
        if rule not in RULE_IDS:
            raise UnknownName("lint rule", rule, RULE_IDS, where=f"the waivers beside {owner}")
    return waivers


def baseline_of(source: str | Path | Mapping[str, str] | None) -> tuple[Pattern, ...]:
    """Return the known findings of a baseline: a mapping of finding keys to reasons, or a TOML or JSON file of one."""
    if source is None:
        return ()
    entries = source if isinstance(source, Mapping) else _read(Path(source))
    unknown = next((key for key in entries if key.partition(":")[0] not in RULE_IDS), None)
    if unknown is not None:
        where = "the baseline" if isinstance(source, Mapping) else str(source)
        raise UnknownName("lint rule", unknown.partition(":")[0], RULE_IDS, where=where)
    return tuple(Pattern(key, reason, "known") for key, reason in entries.items())


def _read(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the baseline {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise UsageError(
            f"the baseline {path} is not {'JSON' if path.suffix == '.json' else 'TOML'}: {error}"
        ) from None
    known = data.get("known", data) if isinstance(data, dict) else data
    if isinstance(known, list):
        known = dict.fromkeys(known, "") if all(isinstance(key, str) for key in known) else None
    if not isinstance(known, dict) or not all(isinstance(reason, str) for reason in known.values()):
        raise UsageError(f'the baseline {path} is not a list of finding keys, nor "key" = "reason" pairs under [known]')
    return known


def found_in(report: Report) -> tuple[Finding, ...]:
    """Return the findings among a report's evidence."""
    return tuple(fact for fact in report.evidence if isinstance(fact, Finding))


def baseline_text(report: Report, *, reason: str = "") -> str:
    """Return a baseline in TOML that accepts what a lint report finds."""
    lines = [f"{_string(key)} = {_string(reason)}" for key in _keys(report)]
    return "\n".join(["# Findings that are known; state the reason for each.", "[known]", *lines, ""])


def write_baseline(report: Report, path: str | Path, *, reason: str = "") -> Path:
    """Write a baseline that accepts what a lint report finds (JSON or TOML by suffix), and return its path."""
    target = Path(path)
    known = {"known": dict.fromkeys(_keys(report), reason)}
    as_json = json.dumps(known, indent=2, ensure_ascii=False) + "\n"
    return written(target, as_json if target.suffix == ".json" else baseline_text(report, reason=reason))


def _keys(report: Report) -> list[str]:
    return list(dict.fromkeys(finding.key for finding in found_in(report)))


def written(path: Path, text: str) -> Path:
    """Write a text file and return its path; one clear error where that cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror or error}") from None
    return path


def _string(text: str) -> str:
    """Return a TOML basic string; JSON's escapes are TOML's, but for DEL, which JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
