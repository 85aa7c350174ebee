"""Exports: a plan written for the tools that a team will use."""
