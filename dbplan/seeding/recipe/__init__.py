"""Recipes: what a plan's owner knows better than the schema says."""
