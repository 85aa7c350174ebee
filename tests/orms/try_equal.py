"""Print where contestants differ from psycopg.

In tests/: python -m orms.try_equal PLAN[,PLAN] NAME[,NAME] [SCENARIO[,SCENARIO]]; orms.nasty:METADATA is a plan too.
"""

import sys
import tempfile
from pathlib import Path

from orms.arena import arena

from dbplan import read
from dbplan.orms.scenarios import SCENARIOS


def main(plans, names, scenarios=None):
    wanted = scenarios.split(",") if scenarios else list(SCENARIOS)
    for plan in plans.split(","):
        with tempfile.TemporaryDirectory() as folder, arena(read(plan), Path(folder)) as field:
            truth = field.answers("psycopg", wanted)
            for name in names.split(","):
                for scenario, answer in field.answers(name, wanted).items():
                    same = answer == truth[scenario] and "results" in answer
                    print(
                        f"{plan:14} {name:18} {scenario:15} {'equal' if same else difference(answer, truth[scenario])}"
                    )


def difference(answer, truth):
    if "results" not in answer or "results" not in truth:
        return f"{str(answer)[:300]}   (psycopg: {str(truth)[:100]})"
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
    main(*sys.argv[1:])
