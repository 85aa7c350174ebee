"""Documents are text in a column that is declared JSONB."""

import sqlalchemy as sa

from dbplan.ddl.documents import JsonText


def test_a_document_is_text_in_a_column_declared_jsonb():
    table = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("d", JsonText))
    with sa.create_engine("sqlite://").begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), {"id": 1, "d": {"a": [1]}})
        assert connection.execute(sa.select(table.c.d)).scalar_one() == {"a": [1]}
        assert connection.execute(sa.select(table.c.id).where(table.c.d["a"][0].as_integer() == 1)).scalar_one() == 1
        assert connection.exec_driver_sql("SELECT typeof(d), d FROM t").one() == ("text", '{"a": [1]}')
        assert str(table.c.d.type) == "JSONB"
        assert str(sa.inspect(connection).get_columns("t")[1]["type"]) == "JSONB"
