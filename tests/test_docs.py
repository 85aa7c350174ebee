"""What the documentation says is what runs."""

import ast
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from dbplan.domains import PLANS
from dbplan.exports import TARGETS, export
from dbplan.sources import read

ROOT = Path(__file__).parents[1]


@pytest.mark.generated
def test_the_command_line_reference_is_what_help_says():
    words = [sys.executable, "-m", "typer", "dbplan.cli", "utils", "docs", "--name", "dbplan"]
    environment = os.environ | {"TERMINAL_WIDTH": "120", "COLUMNS": "120"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    text = done.stdout.strip() + "\n"
    page = ROOT / "docs" / "cli.md"
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        page.write_text(text)
    assert page.read_text() == text, "docs/cli.md is stale; make docs"


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_to_files_lead_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_no_file_is_over_500_lines():
    long = [p for p in (ROOT / "dbplan").rglob("*.py") if len(p.read_text().splitlines()) > 500]
    assert long == []


README = (ROOT / "README.md").read_text()
CONSOLE = re.compile(r"^    \$ dbplan (.+)\n((?:    (?!\$).*\n|\n(?=    (?!\$)))*)", re.M)


def test_every_command_of_the_readme_is_one():
    known = (ROOT / "docs" / "cli.md").read_text()
    commands = [re.match(r"(?:(?:migrate|db|notebook) )?[a-z-]+", words)[0] for words, _ in CONSOLE.findall(README)]
    assert len(commands) > 5
    assert [command for command in commands if f"`dbplan {command}`" not in known] == []


def test_what_the_readme_prints_is_printed():
    shown = [(words, textwrap.dedent(output)) for words, output in CONSOLE.findall(README) if output.strip()]
    assert shown
    for words, output in shown:
        done = subprocess.run(
            [sys.executable, "-c", "from dbplan.cli import main; main()", *words.split()],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"COLUMNS": "80"},
        )
        for part in output.split("\n…"):
            assert part.strip("\n") in done.stdout


REQUIREMENTS = ROOT / "docs" / "requirements.md"
ANSWERS = {"met": "met", "differently": "answered differently", "not covered yet": "not covered yet"}


def numbered(sign, *counts):
    """Return AC1.1, AC1.2, AC2.1 … for the sign AC and the counts 2, 1, …; for one count AC1, AC2 …"""
    if len(counts) == 1:
        return [f"{sign}{n}" for n in range(1, counts[0] + 1)]
    return [f"{sign}{part}.{n}" for part, count in enumerate(counts, 1) for n in range(1, count + 1)]


def fields(model, names):
    return [f"`{model}.{name}`" for name in names.split()]


ASKED = {
    "wallet": [*numbered("", 4, 4, 4, 4, 4), *numbered("T", 5, 4, 4, 3, 4), *numbered("N", 9)],
    "store": [
        *numbered("AC", 4, 3, 6, 4, 5, 5, 4, 4, 4, 4),
        *(*numbered("M", 12), *numbered("F", 6), *numbered("D", 5), *numbered("DoD", 7)),
        *(*numbered("V", 5), *numbered("N", 3)),
    ],
    "clone_jobs": ["Goal", "P1", "P2", *(f"COD-09-{n:03}" for n in range(1, 31))],
    "credits": [
        *numbered("S", 6),
        *numbered("DB", 6),
        *fields("User", "id credits membershipTier membershipExpiresAt createdAt updatedAt transactions auditLogs"),
        "`@@index([membershipTier])`",
        *fields("Transaction", "id userId action amount balanceBefore balanceAfter metadata createdAt user"),
        *("`@@index([userId, createdAt(sort: Desc)])`", "`@@index([action])`"),
        *fields("AuditLog", "id userId action status metadata errorMessage createdAt user"),
        *("`@@index([userId, createdAt(sort: Desc)])` of AuditLog", "`@@index([status])`"),
        *fields("IdempotencyRecord", "key result createdAt expiresAt"),
        "`@@index([expiresAt])`",
        *(*numbered("MG", 12), *numbered("O", 12), *numbered("B", 10), *numbered("X", 7)),
    ],
    "transcription": [
        *numbered("T", 4),
        *("1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3"),
        *("User", "`User.email`", "Account", "`Account.user`", "`@@unique([provider, providerAccountId])`"),
        *("Session", "`Session.sessionToken`", "`Session.user`"),
        *("VerificationToken", "`@@unique([identifier, token])`"),
        *("UserUsage", "`UserUsage.userId`", "`UserUsage.user`", "`@id @default(cuid())`"),
        *(f"3.{n}" for n in range(1, 8)),
        *("`createUser()`", "`findUserById()`", "`findUserByEmail()`", "`updateUser()`", "`deleteUser()`"),
        *("`createSession()`", "`findSession()`", "`deleteSession()`", "`cleanupExpiredSessions()`"),
        *("`createUserUsage()`", "`incrementUsage()`", "`getUserUsage()`", "`checkUsageLimit()`", "`resetUsage()`"),
        "`trackUserUsage()`",
        *(f"`{name}()` of `src/lib/usage.ts`" for name in ("getUserUsage", "checkUsageLimit", "resetUsage")),
        *(*(f"5.{n}" for n in range(1, 7)), *(f"6.{n}" for n in range(1, 10))),
        *(*numbered("A", 15), *numbered("F", 10), *numbered("I", 11)),
        *(*numbered("E", 2), *numbered("Z", 7), *numbered("Q", 4)),
    ],
}
"""Plan → what its requirement asks for, line by line, by the number or the name that the table gives it."""

FIELDS = {
    "User": "id email name emailVerified image createdAt updatedAt",
    "Account": "id userId type provider providerAccountId refresh_token access_token expires_at token_type scope "
    "id_token session_state",
    "Session": "id sessionToken userId expires",
    "VerificationToken": "identifier token expires",
    "UserUsage": "id userId summaryCount lastUsed createdAt updatedAt",
}
"""The fields of the models that `transcription` was asked for."""


@cache
def requirements():
    """Return the lines of each plan's tables: number or name, what is asked for, the answer."""
    found = {}
    for section in re.split(r"^## ", REQUIREMENTS.read_text("utf-8"), flags=re.M)[1:]:
        heading, _, body = section.partition("\n")
        lines = [line for line in body.splitlines() if line.startswith("| ") and not line.startswith("| | ")]
        found[re.search(r"`(\w+)`", heading)[1]] = [tuple(re.split(r" \| ", line.strip("| \n"))) for line in lines]
    return found


def verdict(rows):
    """Return the sentence that counts the answers."""
    counts = Counter(re.match("|".join(ANSWERS), answer)[0] for _, _, answer in rows)
    told = [f"{counts[word]} {'is' if counts[word] == 1 else 'are'} {words}" for word, words in ANSWERS.items()]
    return f"Of {len(rows)} lines, {', '.join(told[:-1])} and {told[-1]}."


def test_every_line_of_the_requirements_is_answered():
    assert requirements().keys() == set(PLANS) == ASKED.keys()
    for plan, asked in ASKED.items():
        assert [row[0] for row in requirements()[plan]] == asked
        assert len(set(asked)) == len(asked)
    for model, names in FIELDS.items():
        (line,) = (words for name, words, _ in requirements()["transcription"] if name == model)
        assert re.findall(r"`(\w+)`", line) == names.split()


def test_an_answer_says_which_kind_it_is_and_why():
    for name, _, answer in (row for rows in requirements().values() for row in rows):
        assert re.fullmatch(rf"(?:{'|'.join(ANSWERS)})(?:: .+)?", answer), name
        assert ": " in answer or answer == "not covered yet", name
        assert not re.match(r"met: (?!.*(?:\]\(|`|as [A-Z0-9`]|the same))", answer), (
            f"{name} is met, and nothing shows it"
        )


@pytest.mark.generated
def test_the_answers_are_counted():
    text = REQUIREMENTS.read_text("utf-8")
    for plan, rows in requirements().items():
        text = re.sub(rf"(^## .*`{plan}`\n\n).*", lambda m, rows=rows: m[1] + verdict(rows), text, flags=re.M)
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        REQUIREMENTS.write_text(text, "utf-8")
    assert REQUIREMENTS.read_text("utf-8") == text, "docs/requirements.md is stale; make docs"


def defined(path):
    """Return the names that a Python file defines at its top, or the anchors of the headings of a page."""
    if path.suffix == ".md":
        headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), flags=re.M)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    names = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        names |= {node.name} if hasattr(node, "name") else set()
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def test_every_name_that_an_answer_links_to_is_defined():
    links = re.findall(r"\]\(([^)#\s]+)#([^)\s]+)\)", REQUIREMENTS.read_text("utf-8"))
    assert len(links) > 100
    missing = [f"{file}#{name}" for file, name in links if name not in defined(REQUIREMENTS.parent / file)]
    assert missing == []


def test_every_line_and_index_that_an_answer_refers_to_is_there():
    for plan, rows in requirements().items():
        names = {name for name, _, _ in rows}
        lines = {said for _, _, answer in rows for said in re.findall(r"\bas ([A-Z]*\d[\w.]*|`\w+\.\w+`)", answer)}
        assert {said.rstrip(".") for said in lines} - names == set(), plan
        indexes = {index.name for table in read(plan).tables for index in table.indexes}
        assert {said for row in rows for said in re.findall(r"`(ix_\w+)`", row[2])} - indexes == set(), plan


def test_every_command_of_the_requirements_is_one():
    known = (ROOT / "docs" / "cli.md").read_text()
    said = re.findall(r"`dbplan ((?:(?:migrate|db|notebook) )?[a-z-]+)((?: [^`]+)?)`", REQUIREMENTS.read_text("utf-8"))
    assert len(said) > 20
    assert [command for command, _ in said if f"`dbplan {command}`" not in known] == []
    subjects = {rest.split()[0] for _, rest in said if rest}
    assert {subject for subject in subjects if not subject.startswith("-")} <= {*PLANS, "URL"}


def test_what_is_counted_and_what_is_defined_is_told_apart():
    assert verdict([("1", "a", "met: x"), ("2", "b", "not covered yet")]) == (
        "Of 2 lines, 1 is met, 0 are answered differently and 1 is not covered yet."
    )
    assert "requirements" in defined(Path(__file__))
    assert "nobody" not in defined(Path(__file__))
    assert "versions" in defined(ROOT / "docs" / "migrations.md")


def test_the_page_on_columns_runs_and_names_them_all():
    from sqlalchemy import create_engine

    from dbplan import columns
    from dbplan.linting import lint
    from dbplan.plan import Plan

    page = (ROOT / "docs" / "columns.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.S)
    made = {"__name__": "example"}
    exec(example, made)
    engine = create_engine("sqlite://")
    made["Base"].metadata.create_all(engine)
    engine.dispose()
    assert lint(Plan("example", made["Base"].metadata)).ok
    public = {n for n, v in vars(columns).items() if getattr(v, "__module__", "") == columns.__name__ and n[0] != "_"}
    public |= {"TYPES", "EMPTY", "ZERO", "EMAIL", "PASSWORD_HASH", "JsonDocument"}
    assert {name for name in public if f"`{name}`" not in page} == {"AccountType", "Hashed", "now"}


def counted_losses():
    """Return a table: for each target, what it cannot say of each worked plan."""
    targets = [name for name in TARGETS if name not in ("ddl", "models", "mongodb")]
    rows = [f"| | {' | '.join(PLANS)} |", f"|---|{'---:|' * len(PLANS)}"]
    for target in targets:
        counts = (len(export(read(plan), target).evidence) for plan in PLANS)
        rows.append(f"| `{target}` | {' | '.join(map(str, counts))} |")
    return "\n".join(rows)


@pytest.mark.generated
def test_what_the_targets_cannot_say_is_counted():
    page = ROOT / "docs" / "exports.md"
    wanted = re.sub(
        r"(<!-- counted -->\n).*?(?=<!-- /counted -->)",
        lambda match: f"{match[1]}{counted_losses()}\n",
        page.read_text("utf-8"),
        flags=re.S,
    )
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        page.write_text(wanted, "utf-8")
    assert page.read_text("utf-8") == wanted, "docs/exports.md is stale; make docs"


def test_every_target_is_on_the_page():
    page = (ROOT / "docs" / "exports.md").read_text("utf-8")
    assert [name for name in TARGETS if f"| `{name}` |" not in page] == []
