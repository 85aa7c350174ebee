"""Saving: by suffix, whole or not at all, and one clear line when it cannot be."""

import csv
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dbplan.errors import CannotWrite, UsageError
from dbplan.report import Report
from dbplan.report.blocks import Text, table
from dbplan.report.cells import estimate
from dbplan.report.files import forms, write
from dbplan.report.html import page


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_form_of_a_report_can_be_saved(sample, tmp_path):
    for suffix in forms(sample):
        path = sample.save(tmp_path / suffix / f"review.{suffix}")
        assert path.stat().st_size > 0
    assert set(forms(sample)) == {"html", "md", "txt", "json", "csv", "svg", "png", "mmd"}
    assert (tmp_path / "html" / "review.html").read_text("utf-8") == page(sample)
    assert (tmp_path / "txt" / "review.txt").read_text("utf-8") == str(sample)
    assert json.loads((tmp_path / "json" / "review.json").read_text("utf-8"))["title"] == sample.title
    assert (tmp_path / "mmd" / "review.mmd").read_text("utf-8").startswith("erDiagram")


def test_a_path_may_be_a_string_and_its_suffix_in_capitals(sample, tmp_path):
    assert sample.save(str(tmp_path / "REVIEW.HTML")) == tmp_path / "REVIEW.HTML"


@pytest.mark.parametrize("name", ["review.pdf", "review", ".html", "review.html.bak"])
def test_a_wrong_suffix_names_the_right_ones(sample, tmp_path, name):
    with pytest.raises(UsageError, match="one of html, md, txt, json, csv, svg, png, mmd"):
        sample.save(tmp_path / name)
    assert names(tmp_path) == []


def test_a_report_without_figure_or_table_is_not_offered_theirs(tmp_path):
    with pytest.raises(UsageError, match="one of html, md, txt, json$"):
        Report("x", "y", True, (Text("z"),)).save(tmp_path / "x.svg")


def test_further_tables_are_saved_beside_the_first(sample, tmp_path):
    sample.save(tmp_path / "review.csv")
    assert names(tmp_path) == [
        "review-every-index-at-the-planned-volume.csv",
        "review-every-rule-that-looked.csv",
        "review-rows-written.csv",
        "review-service-time-of-each-named-query-one-client.csv",
        "review-table.csv",
        "review.csv",
    ]
    with (tmp_path / "review-rows-written.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"table": "users", "rows": "100000", "seconds (s)": "0.812", "rows a second (1/s)": "123152.7"}
    assert rows[2]["seconds (s)"] == ""


def test_the_figures_of_markdown_lie_beside_it(sample, tmp_path):
    sample.save(tmp_path / "the review.md")
    assert names(tmp_path) == ["the review.md", "the review.svg"]
    assert "](the%20review.svg)" in (tmp_path / "the review.md").read_text("utf-8")
    assert "var(" not in (tmp_path / "the review.svg").read_text("utf-8")


def test_missing_folders_are_made_and_a_file_is_replaced_whole(sample, tmp_path):
    path = tmp_path / "a" / "b" / "review.txt"
    sample.save(path)
    path.chmod(0o600)
    replace(sample, title="Another").save(path)
    assert path.read_text("utf-8").startswith("Another")
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(path.parent) == ["review.txt"]


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    write(tmp_path / "ours.txt", b"x")
    (tmp_path / "theirs.txt").write_bytes(b"x")
    assert (tmp_path / "ours.txt").stat().st_mode == (tmp_path / "theirs.txt").stat().st_mode


def test_a_path_below_a_file_cannot_be_written(sample, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite, match="cannot write .*review.html: .*choose a folder") as caught:
        sample.save(tmp_path / "file" / "review.html")
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_way_stays_and_nothing_is_left(sample, tmp_path):
    (tmp_path / "review.html").mkdir()
    with pytest.raises(CannotWrite, match=r"cannot write .*review\.html"):
        sample.save(tmp_path / "review.html")
    assert names(tmp_path) == ["review.html"]


def test_a_folder_that_may_not_be_written_to_is_named(tmp_path):
    # A read-only folder stops everybody but root, whom /proc stops.
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    target = (Path("/proc/self") if os.geteuid() == 0 and Path("/proc/self").exists() else folder) / "review.txt"
    with pytest.raises(CannotWrite, match=r"cannot write .*review\.txt"):
        write(target, b"x")


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path):
    path = tmp_path / "review.txt"
    path.write_text("old")
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from dbplan.errors import CannotWrite; from dbplan.report.files import write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (10, {resource.RLIM_INFINITY}))\n"
        "try: write(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except CannotWrite as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert "file too large" in done.stdout
    assert path.read_text() == "old"
    assert names(tmp_path) == ["review.txt"]


def test_figures_have_a_column_for_each_number(tmp_path):
    cells = [(estimate(1.5, 1.25, 1.75, "ratio"),), ("hung",)]
    report = Report("t", "v", blocks=(table({"Pony": "ratio"}, cells),))
    assert report.save(tmp_path / "x.csv").read_text().splitlines() == [
        "Pony (×),Pony low (×),Pony high (×)", "1.5,1.25,1.75", "hung,,",
    ]  # fmt: skip
    kept = json.loads(report.save(tmp_path / "x.json").read_text())["tables"][0]
    assert [field["title"] for field in kept["fields"]] == ["Pony", "Pony low", "Pony high"]
    assert kept["rows"] == [[1.5, 1.25, 1.75], ["hung", None, None]]
