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
# # Handover
#
# This review answers: **is what the other team will use the schema that we agreed on?** One side is what is meant, the
# other what is to be handed over or what is there: models, a Prisma schema, or a live database, in any pair.
#
# Change the values below: each side is any plan, `package.models:Base`, `path/schema.prisma`, or a database URL. From a
# shell: `dbplan notebook run notebooks/02_handover.ipynb -p meant=… -p there=… -o build`.

# %% tags=["parameters"]
meant = "../docs/tour/schema.prisma"
there = "../docs/tour/shop.py"
target = "drizzle"

# %%
from dbplan import diff, erd, export, read

plan = read(meant)
plan

# %% [markdown]
# ## What is meant

# %%
erd(plan)

# %% [markdown]
# ## Where the other side differs
#
# A real server writes both schemas down in its own words, and the words are compared: what only reads differently is no
# difference. Each finding has the statement that makes the other side as it is meant, where one is safe.

# %%
diff(meant, there)

# %% [markdown]
# ## The same schema for the other team's tool
#
# Names, types, keys, indexes and actions as the tool itself would make them; what it cannot say is listed beneath, with
# the SQL that makes up for it.

# %%
export(plan, target)
