# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Seed data
#
# This review answers: **can we develop, test and measure on rows that nobody has to protect?** From one recipe come a
# handful of rows for a desk, a fixed set for tests, and as many as a load test wants: the same rows every time, none of
# which breaks a constraint.
#
# Change the values below for another plan; the last three say where a balance stands that runs from row to row. From a
# shell: `dbplan notebook run notebooks/05_seed_data.ipynb -p plan_name=… -o build`.

# %% tags=["parameters"]
plan_name = "credits"
server = "postgresql"
rows = 6_000
ledger = "transactions"
owner = "user_id"
level = "balance_after"

# %%
from dataclasses import replace
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib import pyplot as plt
from sqlalchemy import Column, String

from dbplan import anonymise, profile, read, sandbox, seed
from dbplan.plan import copy_metadata
from dbplan.seeding import explain

plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left"})
plt.rcParams.update({"figure.figsize": (8, 2.6)})
plt.rcParams.update({"axes.prop_cycle": plt.cycler(color=["#0a5f9e"]), "axes.titlesize": 10})
plan = read(plan_name)
plan

# %% [markdown]
# ## What the recipe says
#
# A plan needs no recipe: names, types, keys and CHECKs say most of it. What they cannot say stands in `seeds/`, and
# each column tells which of the two decides. Saved as `.toml`, this is a recipe that yields the same rows; a schema
# that is new here can begin with that.

# %%
explain(plan, rows=rows)

# %% [markdown]
# ## Rows in the development database
#
# From a shell: `dbplan seed credits --to sqlite:///dev.db --profile dev`. Here the database is one that is thrown away;
# what is looked at below is read back from it.

# %% tags=["nbval-ignore-output"]
with sandbox(plan, on=server) as stage:
    written = seed(stage, rows=rows)
    found = profile(stage)
    balances = pd.read_sql(f"SELECT {owner}, created_at, {level} FROM {ledger} ORDER BY created_at", stage.engine)
    first = pd.read_sql(f"SELECT * FROM {ledger} ORDER BY created_at, id", stage.engine)
written

# %% [markdown]
# Times and sizes differ from machine to machine; rows and violations do not.

# %%
written.verdict

# %% [markdown]
# ## What is in it
#
# The profile is measured on the database, not on what was meant to be written: for each table how many rows, of what
# size; for each foreign key how many children a parent has; when rows came to be; for each column its NULLs, different
# values, ends, and the most common ones. `dbplan profile PLAN --to URL` tells the same of any live database, and only
# reads.

# %% tags=["nbval-ignore-output"]
found

# %% [markdown]
# Every table of a report is a DataFrame. A few parents have many children, most have few:

# %%
found.frames["Children of each parent"]

# %%
children = balances[owner].value_counts()
children.plot.hist(bins=30, title=f"Rows of {ledger} by {owner}", xlabel="rows", ylabel="parents")
plt.show()

# %% [markdown]
# Rows come over the whole time that the recipe covers, never before the row that they refer to:

# %%
by_month = balances["created_at"].dt.tz_localize(None).dt.to_period("M").value_counts().sort_index()
by_month.plot(title=f"Rows of {ledger} by month", xlabel="", ylabel="rows", ylim=(0, None))
plt.show()

# %% [markdown]
# What a column leaves out, beside what the recipe asks for. Where a condition decides as well (`only_when`), no share
# is asked for.

# %%
columns = pd.concat(found.frames, names=["of"]).reset_index("of")
columns = columns[columns["of"].str.startswith("Columns of") & (columns["NULL"] > 0)]
nulls = columns.assign(column=columns["of"].str[11:] + "." + columns["column"]).set_index("column")[["NULL", "asked"]]
nulls.round(3).fillna("")

# %%
nulls["NULL"].sort_values().plot.barh(title="NULL, as a share of rows", xlabel="", ylabel="", xlim=(0, 1))
plt.show()

# %% [markdown]
# ## Sums that add up
#
# The balance after each row is the one before it and the amount, from the first row of a user to the last. Levels are
# drawn and movements follow from them, so that any part of the table can be made without the rest. The first rows of
# the user who has the most:

# %%
busiest = balances[balances[owner] == children.index[0]].set_index("created_at")[level].head(60)
busiest.plot(drawstyle="steps-post", title=f"{level} of one {owner}", xlabel="", ylim=(0, None))
plt.show()

# %% [markdown]
# ## The same rows, every time
#
# A cell follows from the random state, the names of its table and column, and its row: not from the clock, the server,
# or what else is generated. Another server gets the same rows: every fact of the profile but the sizes is the same.

# %%
with sandbox(plan, on="sqlite") as stage:
    seed(stage, rows=rows)
    again = profile(stage)
again.evidence[len(plan.tables) :] == found.evidence[len(plan.tables) :]

# %% [markdown]
# And when the schema moves on, what is there stays: a model gets a column, and every other cell of every row is what it
# was.

# %%
metadata = copy_metadata(plan.metadata)
metadata.tables[ledger].append_column(Column("nickname", String(30)))
with sandbox(replace(plan, metadata=metadata, queries=()), on=server) as stage:
    seed(stage, rows=rows)
    grown = pd.read_sql(f"SELECT * FROM {ledger} ORDER BY created_at, id", stage.engine)
grown[["nickname"]].describe()

# %%
bool((grown[first.columns].astype(str) == first.astype(str)).all(axis=None))

# %% [markdown]
# ## Files instead of a database
#
# Parquet, CSV, JSON lines or SQL, the same rows again; from a shell `dbplan seed credits --format csv -o build/csv`.

# %%
with TemporaryDirectory() as folder:
    files = seed(folder, plan, format="csv", rows=rows)
    head = pd.read_csv(f"{folder}/{ledger}.csv", nrows=3)
files.frame[["file", "rows", "size"]]

# %%
head

# %% [markdown]
# ## What a load test would take
#
# The profile `load` asks for a million rows of the largest table unless the recipe says otherwise. Nothing is written
# yet. What is then written in an hour is written in chunks, goes on where it was broken off, and spreads over as many
# processes as there are.

# %%
with sandbox(plan, on=server) as stage:
    load = seed(stage.engine, plan, profile="load", dry_run=True)
load

# %% [markdown]
# ## Real rows, nobody in them
#
# Where invented rows will not do: a live database's rows, with what is personal replaced and every key intact. The same
# value is replaced alike in every table and every run. `dbplan anonymise PLAN --from URL --to URL` is the same from a
# shell.

# %% tags=["nbval-ignore-output"]
people = read("wallet")
with sandbox(people, on="sqlite") as live, sandbox(people, on="sqlite") as desk:
    seed(live, rows=2_000)
    copied = anonymise(live, desk)
    before = pd.read_sql("SELECT id, email, name, status FROM users ORDER BY id LIMIT 5", live.engine)
    after = pd.read_sql("SELECT id, email, name, status FROM users ORDER BY id LIMIT 5", desk.engine)
copied

# %%
before.merge(after, on="id", suffixes=("", " there"))[["email", "email there", "name", "name there", "status there"]]

# %% [markdown]
# ## Decision
#
# Develop on `--profile dev`, test on the fixed set of `--profile test`, measure on `--profile load`. When a model
# changes, the rows that are not concerned stay as they are, and so do the tests that name them.
