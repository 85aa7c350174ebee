"""Adapters: one module for each Python contestant, with the same functions in each.

To add one: a line in `contestants.py`, a target of `export()` for its models, and a module here that has

    IS_ASYNC = False                  True where the functions below are coroutines, `version` and `adapt` excepted
    open(study) -> db                 make a pool of `study.pool` connections, load the models in `study.models`
    close(db)
    version() -> dict                 "version" of the ORM, "driver" by name and version
    ping(db)                          SELECT 1
    bind(db, scenario) -> b           look up what the scenario needs; raise NotCovered for what cannot be said.
                                      A text `b.note` is shown: that it takes raw SQL, say
    adapt(db, b, params) -> params    optional: Python's values as a user of this ORM holds them, such as enums' members
    explain(error) -> dict            optional: "code", "constraint" and "columns" of an error on a unique key

and a function `name(db, b, params)` for each scenario of `scenarios.py`, all that time is taken of:

    scenario                    params                    returns
    insert_one                  row                       the row as inserted
    bulk_insert                 rows                      how many
    point_read                  key                       the row, or None
    filtered_list               value                     rows WHERE filter = value, in `order`, `limit`
    list_to_one                 after: a key              rows after it by key, each with "parent": a row or None
    nested_include, deep_include    keys                  rows by key, each with "children": rows in `children.order`
    aggregate                   nothing                   "group", "count" and "total", by group, without NULL
    update_one                  key, value                1: `update` is set
    upsert                      row                       1: inserted, or `update` set where the key is there
    transaction                 key, value, row           the row as it was: locked, `update` set, row into `insert`
    delete_cascade              key                       1: deleted, before it what the database does not delete itself
    keyset_page                 after: values of `order`  rows that come after, in `order`, `limit`
    json_filter                 value                     rows WHERE filter ->> path = value, by key, `limit`

A row is a dict by the names that the database has for columns, with at least `scenario.columns`; keys and rows that are
given are such dicts, too. Classes, attributes and relations are found in the ORM's own metadata, never guessed by name.
Each function does what the ORM's documentation recommends for the task, in a session of its own, for nothing may be
kept from call to call; reads run in autocommit where that is a setting. `psycopg` is the reference: a contestant counts
where its results and the rows that it leaves are the same.
"""
