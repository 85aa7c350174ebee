"""Constraints: keys, references and CHECKs, and how each is held by construction."""
