"""Print where contestants differ from psycopg, or from sqlite3 with --sqlite.

In tests/: python -m orms.try_equal PLAN[,PLAN] NAME[,NAME] [SCENARIO[,SCENARIO]] [--sqlite]; orms.nasty:METADATA is a
plan too.
"""

import sys
import tempfile
from pathlib import Path

from orms.arena import arena
from orms.files import files

from dbplan import read
from dbplan.orms.scenarios import SCENARIOS


def main(plans, names, scenarios=None, *, opened=arena, reference="psycopg"):
    wanted = scenarios.split(",") if scenarios else list(SCENARIOS)
    for plan in plans.split(","):
        with tempfile.TemporaryDirectory() as folder, opened(read(plan), Path(folder)) as field:
            truth = field.answers(reference, wanted)
            for name in names.split(","):
                for scenario, answer in field.answers(name, wanted).items():
                    same = answer == truth[scenario] and "results" in answer
                    print(
                        f"{plan:14} {name:18} {scenario:15} {'equal' if same else difference(answer, truth[scenario])}"
                    )


def difference(answer, truth):
    if "results" not in answer or "results" not in truth:
        return f"{str(answer)[:300]}   (due: {str(truth)[:100]})"
    for mine, theirs in zip(answer["results"], truth["results"], strict=True):
        if mine != theirs:
            return f"DIFFERS\n   mine   {first(mine, theirs)}\n   truth  {first(theirs, mine)}"
    return f"STATE DIFFERS {answer.get('state')} instead of {truth.get('state')}"


def first(one, other):
    if isinstance(one, list) and isinstance(other, list):
        rows = [a for a, b in zip(one, other, strict=False) if a != b]
        return (
            first(rows[0], next(b for a, b in zip(one, other, strict=False) if a != b)) if rows else f"{len(one)} rows"
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return {k: v for k, v in one.items() if k not in other or other[k] != v}
    return one


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--sqlite"]
    main(*words, **({"opened": files, "reference": "sqlite3"} if "--sqlite" in sys.argv else {}))
