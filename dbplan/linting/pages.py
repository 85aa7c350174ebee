"""Rule pages: what each rule says, with what lint really finds in its bad example."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path, PurePosixPath

from dbplan.errors import SourceError
from dbplan.evidence import Finding, Severity
from dbplan.linting.accepted import written
from dbplan.linting.ddl import is_ddl
from dbplan.linting.rules import BY_FAMILY, RULES
from dbplan.linting.schema import Schema
from dbplan.linting.study import findings
from dbplan.plan import Plan
from dbplan.rule import Rule

HOUSE = Path(__file__).parents[2]
EXAMPLES = HOUSE / "tests" / "examples"
_FOLDER = PurePosixPath("docs/rules")
MADE = "<!-- Made from the rule and its examples by `make docs`; change those, not this page. -->"


def example(path: Path) -> Plan:
    """Return the plan of an example module: its `metadata` (or `Base.metadata`), and its `ROWS` where it has some."""
    spec = spec_from_file_location(f"lint_example_{path.parent.name}_{path.stem}".replace("-", "_"), path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SourceError(f"no example at {path}; every rule has a bad.py and a good.py in its folder")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    metadata = module.metadata if hasattr(module, "metadata") else module.Base.metadata
    return Plan(f"{path.parent.name} ({path.stem})", metadata, rows=getattr(module, "ROWS", {}))


def render(examples: Path = EXAMPLES) -> dict[str, str]:
    """Return every page by its path in the repository: the index and one page a rule."""
    pages = {str(_FOLDER / f"{rule.id}.md"): page(rule, examples) for rule in RULES}
    return {str(_FOLDER / "index.md"): index()} | pages


def write(house: Path = HOUSE) -> list[Path]:
    """Write the pages into the repository and return the ones that changed."""
    changed = []
    for name, text in render(house / "tests" / "examples").items():
        path = house / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            changed.append(written(path, text))
    return changed


def index() -> str:
    """Return the page that lists the rules by family."""
    parts = ["# Lint rules", MADE, _scale()]
    for family, rules in BY_FAMILY.items():
        rows = [f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {_cell(rule.condition)} |" for rule in rules]
        parts += [f"## {family}", "\n".join(("| rule | severity | finds |", "|---|---|---|", *rows))]
    return "\n\n".join(parts) + "\n"


def _scale() -> str:
    counts = {severity: sum(rule.severity is severity for rule in RULES) for severity in Severity}
    return (
        f"{len(RULES)} rules are asked of a schema: {counts[Severity.ERROR]} find errors (what fails or corrupts), "
        f"{counts[Severity.WARNING]} warnings (likely trouble), {counts[Severity.NOTE]} notes (taste, and habits worth "
        "a second look). Only errors fail a plan. A finding is accepted by `--baseline FILE`, or beside the model: "
        '`info={"lint": {"rule-id": "reason"}}` on a table or a column.'
    )


def page(rule: Rule[Schema], examples: Path = EXAMPLES) -> str:
    """Return the page of one rule, with what it finds in its bad example and that its good one is clean."""
    folder = examples / rule.id
    own = [finding for finding in findings(Schema(example(folder / "bad.py"))) if finding.rule == rule.id]
    parts = [
        f"# {rule.id}",
        MADE,
        f"**{str(rule.severity).capitalize()}.** {rule.condition}",
        f"**Why.** {rule.why}",
        f"**Mend.** {rule.mend}",
        f"**Source.** {rule.source}.",
        f"## Bad\n\n{_fence('python', (folder / 'bad.py').read_text(encoding='utf-8'))}",
        "`dbplan lint` says:",
        "\n\n".join(_said(finding) for finding in own),
        f"## Good\n\n{_fence('python', (folder / 'good.py').read_text(encoding='utf-8'))}",
    ]
    return "\n\n".join(parts) + "\n"


def _said(finding: Finding) -> str:
    said = f"> **{finding.severity}** `{finding.key}`: {finding.message}"
    if not finding.mend:
        return said
    return f"{said}\n\n{_fence('sql', finding.mend) if is_ddl(finding.mend) else finding.mend}"


def _fence(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```"


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
