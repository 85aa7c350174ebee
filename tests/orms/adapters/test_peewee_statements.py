"""Peewee's queries: many rows go in parts that a statement holds."""

import pytest
from peewee import IntegerField, Model, SqliteDatabase

from dbplan.orms.adapters.peewee_models import Face
from dbplan.orms.adapters.peewee_statements import BATCH, MOST, Bound, bulk_inserts
from dbplan.orms.scenarios import Scenario


@pytest.mark.parametrize(("columns", "most"), [(3, BATCH), (400, MOST // 400)])
def test_parts_have_as_many_rows_as_a_statement_takes(columns, most):
    fields = {f"c{number}": IntegerField(null=True) for number in range(columns)}
    model = type("Wide", (Model,), {**fields, "Meta": type("Meta", (), {"database": SqliteDatabase(None)})})
    bound = Bound(Scenario("bulk_insert", "wide", ()), Face("wide", model, fields, ()), None, {})
    rows = [dict.fromkeys(fields, 1)] * (2 * most + 1)
    given = [len(query.sql()[1]) // columns for query in bulk_inserts(bound, {"rows": rows})]
    assert given == [most, most, 1]
