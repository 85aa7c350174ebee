import os
from dataclasses import replace
from pathlib import Path

import pytest

from dbplan.diagram import files
from dbplan.domains import PLANS
from dbplan.domains.credits import PLAN
from dbplan.errors import CannotWrite
from dbplan.sources import read

FOLDER = Path(__file__).parents[2] / "erd"


@pytest.mark.generated
@pytest.mark.parametrize("name", PLANS)
def test_the_pictures_of_a_worked_plan_are_fresh(name):
    if os.environ.get("DBPLAN_GOLDEN") == "write":
        files.write(read(name), FOLDER)
    assert files.stale(read(name), FOLDER) == [], "erd/ is stale; make docs"


def test_there_is_no_picture_of_a_plan_that_is_gone():
    assert {path.stem for path in FOLDER.iterdir()} <= set(PLANS)


def test_what_was_written_is_not_stale(tmp_path):
    written = files.write(PLAN, tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["credits.svg", "credits.png", "credits.mmd"]
    assert files.stale(PLAN, tmp_path / "new" / "folder") == []


def test_missing_pictures_are_stale(tmp_path):
    assert files.stale(PLAN, tmp_path) == files.paths(PLAN, tmp_path)


def test_another_schema_makes_every_picture_stale(tmp_path, schemas):
    files.write(replace(schemas.shop(), name="credits"), tmp_path)
    assert files.stale(PLAN, tmp_path) == files.paths(PLAN, tmp_path)


def test_each_picture_is_looked_at_by_itself(tmp_path):
    svg, png, mmd = files.write(PLAN, tmp_path)
    svg.write_text(svg.read_text("utf-8") + "<!-- touched -->", "utf-8")
    assert files.stale(PLAN, tmp_path) == [svg]
    files.write(PLAN, tmp_path)
    mmd.unlink()
    png.write_bytes(png.read_bytes().replace(b"svg-sha256\x00", b"svg-sha256\x001"))
    assert files.stale(PLAN, tmp_path) == [png, mmd]


def test_line_endings_of_another_system_make_nothing_stale(tmp_path):
    svg, _, mmd = files.write(PLAN, tmp_path)
    for path in (svg, mmd):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert files.stale(PLAN, tmp_path) == []


def test_the_stamped_picture_is_still_a_png(tmp_path):
    from matplotlib.image import imread

    _, png, _ = files.write(PLAN, tmp_path)
    height, width, _ = imread(png).shape
    assert width > height > 500


def test_a_name_cannot_lead_out_of_the_folder(tmp_path):
    plan = replace(PLAN, name="../my plan")
    assert [path.name for path in files.paths(plan, tmp_path)] == ["-my-plan.svg", "-my-plan.png", "-my-plan.mmd"]


def test_a_folder_in_the_way_is_said(tmp_path):
    (tmp_path / "credits.svg").mkdir()
    with pytest.raises(CannotWrite, match=r"cannot read .*credits\.svg"):
        files.stale(PLAN, tmp_path)
