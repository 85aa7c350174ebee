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
# # ORM evaluation
#
# This review answers: **what should the application speak to the database with?** Every ORM runs the same scenarios on
# the plan's own tables. Its rows must equal those of a raw driver before its time counts; its statements are counted by
# the server.
#
# The run below is a quick one: fewer rounds, a smaller seed, no features probed. It tells what is twice as slow from what
# is not, and says so where it cannot. The decision itself rests on a full run, `dbplan compare-orms store credits
# --selection docs/orm/selection.md`. For another plan change the values below, or from a shell:
# `dbplan notebook run notebooks/06_orm_evaluation.ipynb -p plan_name=… -o build`.

# %% tags=["parameters"]
plan_name = "store"
server = "postgresql"
quick = True

# %%
import pandas as pd
from matplotlib import pyplot as plt

from dbplan import compare_orms, read
from dbplan.orms.selecting import selection

plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left"})
plt.rcParams.update({"figure.figsize": (8, 3.2), "axes.titlesize": 10})
plt.rcParams.update({"axes.prop_cycle": plt.cycler(color=["#0a5f9e"])})
plan = read(plan_name)
plan

# %% [markdown]
# ## Measured
#
# Dots are medians as multiples of the raw driver's, lines their intervals; where the line crosses 1 there is no
# difference to be told. Python's, asynchronous Python's and Node's ratios are to drivers of their own.

# %% tags=["nbval-ignore-output"]
report = compare_orms(plan, on=server, quick=quick)
report

# %% [markdown]
# ## Rows first
#
# How many scenarios each came through with the right rows, returned and left behind, and what it did not. Times differ
# from machine to machine; this does not.

# %%
facts = pd.DataFrame([vars(fact) for fact in report.evidence if type(fact).__name__ == "OrmTiming"])
facts = facts[~facts["orm"].str.endswith(" again")]
pd.crosstab(facts["orm"], facts["outcome"])

# %% [markdown]
# ## Statements
#
# What one call sends, by the server's own count; those that steer transactions and sessions, such as BEGIN and COMMIT,
# stand beside them in the page above. One that sends more asks the network more often; where the server is a
# millisecond away, each costs one.

# %%
own = "^(?!.* control$)"  # without the columns of those that steer transactions
report.frames["Python: statements of one call"].set_index("scenario").filter(regex=own)

# %%
report.frames["Python, asynchronous: statements of one call"].set_index("scenario").filter(regex=own)

# %%
report.frames["Node: statements of one call"].set_index("scenario").filter(regex=own)

# %% [markdown]
# N + 1: parents with their children, one parent and ten. A slope above 0 would be a statement more for each parent.

# %%
growing = [name for name in report.frames if name.endswith("statements for N parents with their children")]
pd.concat(report.frames[name] for name in growing).set_index("contestant")

# %% [markdown]
# ## Memory and start
#
# What a process holds once its models are loaded and the first query has come back: what every worker of an application
# costs before it does anything.

# %% tags=["nbval-ignore-output"]
starts = report.frames["Start, memory, size"].set_index("contestant")
memory = starts["memory once open"].sort_values(ascending=False) / 1e6
memory.plot.barh(title="Memory once open, MB", xlabel="", ylabel="", figsize=(8, 4.5))
plt.show()

# %% tags=["nbval-ignore-output"]
starts[["cold start", "memory once open", "install", "packages"]]

# %% [markdown]
# ## What an error tells
#
# A row that is there already: does the error name its code, and the constraint or the columns that are taken? Who has to
# read the message's words instead, breaks when they change.

# %%
errors = report.frames["What the error tells by its attributes"].set_index("contestant")
errors[["error", "code", "constraint", "columns"]].fillna("—")

# %% [markdown]
# ## Choosing
#
# Marks from 0 to 1, weighed for a small product team; a plan's `priorities` weigh for another. Those that are
# called level cannot be told apart by this run, and each weight names at which value another would be first.

# %% tags=["nbval-ignore-output"]
selection(plan, report)

# %% [markdown]
# ## Decision
#
# By the full run, with features probed and load measured, as [the selection document](../docs/orm/selection.md) has it
# with its evidence, its options and its consequences: for a Next.js team, and for one that may take either, **Prisma** and
# TypeORM are level on both plans. The applications are written for Prisma, so Prisma is taken; a team that minds what is
# installed, or has few readers at the same moment, takes TypeORM. A Python team takes **Peewee**. Where the quick run above
# names another for Python: it weighs no features, and Peewee has more of them than Tortoise. Set-up, each command of it run:
# [Prisma](../docs/orm/prisma.md), [TypeORM](../docs/orm/typeorm.md), [Peewee](../docs/orm/peewee.md),
# [Drizzle](../docs/orm/drizzle.md), [SQLAlchemy](../docs/orm/sqlalchemy.md).
