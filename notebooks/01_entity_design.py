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
# # Entity design
#
# This review answers one question: **can we build on this schema?** It goes from the picture to the proof: what the
# entities are and mean, which faults a reader of the schema finds, what a real server says about the queries and
# indexes at volume, and whether the revisions lead to the same schema and back.
#
# Change the three values below to review another plan: any name that `dbplan plans` lists, `package.models:Base`, or a
# database URL. From a shell: `dbplan notebook run notebooks/01_entity_design.ipynb -p plan_name=… -o build`.

# %% tags=["parameters"]
plan_name = "credits"
server = "postgresql"
rows = 20_000

# %%
from dbplan import benchmark, dictionary, dry_run, erd, lint, read, sandbox, seed

plan = read(plan_name)
plan

# %% [markdown]
# ## Entities and how they relate
#
# A line ends in a bar where exactly one row is meant, in a ring where there may be none, in a crow's foot where there
# may be many.

# %%
erd(plan)

# %% [markdown]
# ## What each table and column means
#
# The meaning stands in the models and travels with them into the database. Under each table: its constraints and
# indexes, and the decisions where the requirement was answered differently from its letter.

# %%
dictionary(plan)

# %% [markdown]
# ## Faults that can be read off the schema
#
# Each rule says why it matters and how to mend what it found. An error fails the review; a note is a matter of taste.

# %%
lint(plan)

# %% [markdown]
# ## What a server says
#
# The plan is put on a throwaway database, filled with data that holds every constraint, and asked its own questions.
# Same `random_state`, same rows.

# %% tags=["nbval-ignore-output"]
with sandbox(plan, on=server) as stage:
    data = seed(stage, rows=rows, random_state=7)
    verdicts = benchmark(stage)
data

# %% [markdown]
# Times differ from machine to machine and from run to run: read the intervals and the order, not single figures.

# %% tags=["nbval-ignore-output"]
verdicts

# %% [markdown]
# What must not differ is what the indexes are for:

# %%
verdicts.verdict

# %% [markdown]
# ## From here to there and back
#
# Every revision is run up, down and up again on data, and the schema that the server then holds is compared, object for
# object, with what it was and with what the models say.

# %% tags=["nbval-ignore-output"]
rehearsal = dry_run(plan, on=server)
rehearsal

# %%
rehearsal.verdict

# %% [markdown]
# ## Decision
#
# Build on it when the findings above hold no error, no frequent query scans a large table, and the last line says that
# models and migrations agree. What is left over belongs on the board, with its mend.
