"""Tables whose triggers refuse writes: the next best are written to, and a note says which were passed over and why."""

from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text, func, select

from dbplan import sandbox, seed
from dbplan.orms import trying
from dbplan.orms.counting import Meter
from dbplan.orms.gathering import scenarios
from dbplan.orms.referee import Referee
from dbplan.orms.renewing import Renewal
from dbplan.orms.scenarios import WRITES
from dbplan.plan import Plan

REFUSE = """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no revision is open for %', TG_TABLE_NAME; END $$"""
EARLY = "CREATE TRIGGER guard_{0} BEFORE {1} ON {0} FOR EACH ROW EXECUTE FUNCTION refuse()"
LATE = (
    "CREATE CONSTRAINT TRIGGER guard_{0} AFTER {1} ON {0} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "EXECUTE FUNCTION refuse()"
)


def guarded(guard=EARLY, **refused):
    """A team, its entries and visits, and by table what a trigger refuses."""
    metadata = MetaData(info={"dialect": "postgresql", "routines": (REFUSE,)})
    Table("team", metadata, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))
    for name, said in (("entry", "said"), ("visit", "why")):
        team = ForeignKey("team.id", ondelete="CASCADE")
        Table(name, metadata, Column("id", Integer, primary_key=True), Column("team_id", team, nullable=False),
              Column(said, Text))  # fmt: skip
    for name, events in refused.items():
        metadata.tables[name].info["triggers"] = (guard.format(name, events),)
    return Plan("guarded", metadata)


def chosen(plan):
    """Which table each write is of, what is missing, and the notes on tables that were passed over."""
    with sandbox(plan) as stage:
        assert stage.refused == ()
        seed(stage, rows=60)
        derived, drawn = scenarios(stage, 7)
        found = {name: one.table for name, one in derived.scenarios.items() if name in WRITES}
        if one := derived.scenarios.get("transaction"):
            found["transaction"] = one.table, one.insert.table
        return found, dict(derived.missing), [note for note in drawn.notes if "refuses" in note]


FREE = {
    "insert_one": "entry", "bulk_insert": "entry", "update_one": "team", "upsert": "team",
    "transaction": ("team", "entry"), "delete_cascade": "team",
}  # fmt: skip


def test_without_refusals_the_best_tables_are_written_to():
    found, _, notes = chosen(guarded())
    assert (found, notes) == (FREE, [])


@pytest.mark.parametrize("guard", [EARLY, LATE], ids=["at once", "at the end of a transaction"])
def test_the_next_best_table_is_inserted_into(guard):
    found, _, notes = chosen(guarded(guard, entry="INSERT"))
    assert found == FREE | {"insert_one": "visit", "bulk_insert": "visit", "transaction": ("team", "visit")}
    assert notes == ["the server refuses inserts of entry (no revision is open for entry); inserts are of visit"]


def test_several_tables_are_passed_over_and_those_that_read_stay():
    plan = guarded(team="UPDATE OR DELETE", entry="INSERT OR UPDATE OR DELETE")
    found, missing, notes = chosen(plan)
    assert found == {
        "insert_one": "visit", "bulk_insert": "visit", "update_one": "visit", "upsert": "visit",
        "transaction": ("visit", "team"),
    }  # fmt: skip
    refused = "the server refuses deletes of team (no revision is open for team), and no other table will do"
    assert missing["delete_cascade"] == refused
    assert notes == [
        "the server refuses inserts and updates and upserts of entry (no revision is open for entry); "
        "inserts are of visit and team; updates are of visit; upserts are of visit",
        "the server refuses updates and upserts and deletes of team (no revision is open for team); "
        "updates are of visit; upserts are of visit; no deletes",
    ]


def test_where_every_table_refuses_the_reason_is_told():
    everything = dict.fromkeys(("team", "entry", "visit"), "INSERT OR UPDATE OR DELETE")
    found, missing, _ = chosen(guarded(**everything))
    assert found == {}
    assert missing["insert_one"] == (
        "the server refuses inserts of entry (no revision is open for entry), visit (no revision is open for visit), "
        "team (no revision is open for team), and no other table will do"
    )


def test_what_was_tried_is_undone():
    with sandbox(guarded(entry="INSERT")) as stage:
        seed(stage, rows=60)
        scenarios(stage, 7)
        tables = stage.plan.metadata.tables
        with stage.engine.connect() as connection:
            left = {name: connection.scalar(select(func.count()).select_from(one)) for name, one in tables.items()}
            armed = connection.exec_driver_sql("SELECT tgenabled FROM pg_trigger WHERE tgname = 'guard_entry'").scalar()
    assert left == {"team": 54, "entry": 60, "visit": 40}, "what is taken out of the table passed over is back"
    assert armed == "O"


def test_rows_that_nobody_may_delete_are_taken_out_between_batches_all_the_same():
    with sandbox(guarded(entry="UPDATE OR DELETE")) as stage:
        seed(stage, rows=60)
        derived, _ = scenarios(stage, 7)
        scenario = derived.scenarios["insert_one"]
        assert scenario.table == "entry"
        referee = Referee(stage, Meter(None, "nobody counts"), derived.tables, Renewal(stage))
        with referee.clone(None) as clone:
            clone.connection.execute("INSERT INTO entry (id, team_id) VALUES (901, 1), (902, 1)")
            with pytest.raises(psycopg.errors.RaiseException, match="no revision is open"):
                replace(referee, renewal=None).restore(clone, scenario)
            assert referee.restore(clone, scenario) == 2
            with pytest.raises(psycopg.errors.RaiseException, match="no revision is open"):
                clone.connection.execute("DELETE FROM entry")


def test_who_is_no_superuser_inserts_only_where_rows_may_go_again(monkeypatch):
    monkeypatch.setattr(trying, "may_renew", lambda _: False)
    found, _, notes = chosen(guarded(entry="DELETE"))
    assert (found["insert_one"], found["transaction"]) == ("visit", ("team", "visit"))
    assert notes[0].startswith("the server refuses inserts of entry (no revision is open for entry)")
