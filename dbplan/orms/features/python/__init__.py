"""Probes of Python's ORMs, a file each, with the same function names; `db` is what the adapter's `open` returns."""
