"""Random plans through Drizzle and TypeORM: nothing differs but what is said to."""

import json
from contextlib import ExitStack

import pytest
from exports.loop import empty_database, run, taken, typeorm_options, unexplained
from exports.random_plans import drawn, many, plans
from node_tools import node

from dbplan.exports import drizzle, typeorm
from dbplan.exports.beyond import needed_first, script


@pytest.fixture(scope="module")
def found():
    """Random plans, as many as one run of each tool takes."""
    return drawn(plans(), many(6))


def saved(folder, texts):
    paths = [folder / f"{number}.ts" for number, _ in enumerate(texts)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    return paths


def test_drizzle(found, tmp_path):
    written = [drizzle.write(plan, "postgresql") for plan in found]
    paths = saved(tmp_path, [one.files["schema.ts"] for one in written])
    answers = json.loads(node("drizzle.mjs", "postgresql", *paths))
    for plan, one, path in zip(found, written, paths, strict=True):
        assert answers[str(path)]["ok"], (answers[str(path)]["text"], path.read_text())
        with empty_database(*(finding.mend for finding in one.lost)) as stage:
            run(stage, answers[str(path)]["text"])
            assert unexplained(plan, taken(stage), one.lost) == ([], []), path.read_text()
    _well_written(paths)


def test_typeorm(found, tmp_path):
    written = [typeorm.write(plan, "postgresql") for plan in found]
    paths = saved(tmp_path, [one.files["entities.ts"] for one in written])
    with ExitStack() as stack:
        first = [[f.mend for f in one.lost if needed_first(f)] for one in written]
        stages = [stack.enter_context(empty_database(*mends)) for mends in first]
        jobs = [{"file": str(p), "options": typeorm_options(s)} for p, s in zip(paths, stages, strict=True)]
        (tmp_path / "jobs.json").write_text(json.dumps(jobs), "utf-8")
        answers = json.loads(node("typeorm.mjs", tmp_path / "jobs.json"))
        for plan, one, stage, answer, path in zip(found, written, stages, answers, paths, strict=True):
            assert answer["ok"], (answer["text"], path.read_text())
            run(stage, script(f for f in one.lost if not needed_first(f)))
            made = taken(stage, ignore=["typeorm_metadata"])
            assert unexplained(plan, made, one.lost) == ([], []), path.read_text()
    _well_written(paths)


def _well_written(paths):
    assert node("typescript.mjs", "types", *paths) == ""
    formatted = json.loads(node("typescript.mjs", "format", *paths))
    assert {str(path): path.read_text("utf-8") for path in paths} == formatted
