"""What a tool makes of an exported schema, against the plan itself, on a server."""

from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from exports.databases import empty_stage

from dbplan.comparison import differences
from dbplan.sandbox import schema
from dbplan.sources.catalog import snapshot


def catalog_of(plan):
    """Return the catalog of a database made of the plan."""
    with empty_stage() as stage:
        schema.create(plan, stage.engine)
        return taken(stage)


@contextmanager
def empty_database(*before):
    """Give an empty database, after these statements."""
    with empty_stage() as stage:
        run(stage, "\n".join(before))
        yield stage


def run(stage, sql):
    """Run a script of several statements."""
    url = sa.make_url(stage.url)
    options = {"host": url.host or url.query.get("host"), "port": url.port, "user": url.username}
    with psycopg.connect(dbname=url.database, password=url.password, autocommit=True, **options) as connection:
        connection.execute(sql or "SELECT")


def typeorm_options(stage):
    """Return how TypeORM reaches a database."""
    url = sa.make_url(stage.url)
    host = url.host or url.query.get("host")
    reach = {"host": host, "port": url.port, "username": url.username, "password": url.password or ""}
    return {"type": "postgres", "database": url.database, **reach}


def taken(stage, *, ignore=()):
    """Return the catalog of a database."""
    with stage.engine.connect() as connection:
        return snapshot(connection, ignore_tables=ignore)


def unexplained(plan, made, lost):
    """Return what differs and no finding tells, and the findings that tell of no difference."""
    found = differences(made, catalog_of(plan))
    told = {finding.place for finding in lost if not finding.mend.startswith("CREATE ")}
    differing = {place for difference in found for place in _places(difference)}
    return [d for d in found if told.isdisjoint(_places(d))], sorted(told - differing)


def _places(difference):
    """Yield the place of a difference, and the places that a finding may name for it."""
    place = difference.place
    if difference.what.startswith("enum"):
        return {place, type(place)()}
    return {place}
