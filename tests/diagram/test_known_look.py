import builtins
import importlib
import re
import sys
from xml.etree import ElementTree as ET

import pytest

from dbplan.diagram import erd, known_look
from dbplan.errors import NotCovered


def drawn(plan):
    """The report, or None on a host without the system libraries; what is said there must name them."""
    try:
        return erd(plan, look="eralchemy2")
    except NotCovered as refused:
        assert "pip install 'dbplan[workbook]'" in str(refused) or known_look.DEBIAN in str(refused)
        return None


def test_the_drawing_holds_every_table_and_says_what_it_lacks(schemas, capfd):
    if report := drawn(schemas.shop()):
        figure, note = report.blocks[:2]
        texts = {element.text for element in ET.fromstring(figure.svg).iter("{http://www.w3.org/2000/svg}text")}
        assert {table.name for table in schemas.shop().tables} <= texts
        assert note.text == known_look.LIMITS
        assert set(figure.sources) == {"mmd", "er", "dot"}
        assert capfd.readouterr() == ("", "")


def test_cardinalities_are_right_where_eralchemy2_alone_is_not(schemas):
    if report := drawn(schemas.circle()):
        lines = report.blocks[0].sources["er"].splitlines()
        assert "a ?--? a" in lines
        assert "c 1--* b" in lines


def test_the_same_plan_gives_the_same_bytes(schemas):
    if report := drawn(schemas.shop()):
        assert report.blocks[0] == erd(schemas.shop(), look="eralchemy2").blocks[0]


def test_strange_names_do_not_break_the_drawing(schemas):
    if report := drawn(schemas.ugly()):
        assert ET.fromstring(report.blocks[0].svg) is not None
        assert "[Sales & Co.Order]" in report.blocks[0].sources["er"]


MISSING = {
    ModuleNotFoundError("No module named 'eralchemy2'", name="eralchemy2"): "needs eralchemy2, .*dbplan\\[workbook\\]",
    ImportError("libglib-2.0.so.0: cannot open shared object file"): f"libglib-2.0.*{re.escape(known_look.DEBIAN)}",
}


@pytest.mark.parametrize("error", MISSING)
def test_what_is_missing_is_said_with_its_mend(schemas, monkeypatch, error):
    real = builtins.__import__

    def fail(name, *rest, **options):
        if name == "eralchemy2":
            raise error
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(NotCovered, match=MISSING[error]):
        erd(schemas.shop(), look="eralchemy2")


def test_it_is_imported_when_it_is_asked_for():
    importlib.reload(sys.modules["dbplan.diagram"])
    assert "eralchemy2" not in vars(sys.modules["dbplan.diagram.entities"])
