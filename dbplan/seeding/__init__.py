"""Seeding: believable rows that hold every constraint, the same ones for the same random state."""

from dbplan.seeding.filing import seed_files
from dbplan.seeding.profiling.run import profile
from dbplan.seeding.recipe.explaining import explain
from dbplan.seeding.run import seed

__all__ = ["explain", "profile", "seed", "seed_files"]
