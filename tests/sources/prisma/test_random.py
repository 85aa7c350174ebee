"""Random schemas: whatever Prisma accepts makes the database that Prisma makes of it."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from node_tools import node
from prisma_equality import unequal
from prisma_models import schemas

COUNT = 8


def drawn(strategy, count):
    """Return examples of a strategy: Prisma is asked for all of them at once."""
    found = []

    @settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strategy)
    def keep(example):
        found.append(example)

    keep()
    return sorted(set(found), key=len)


@pytest.mark.parametrize("provider", ["postgresql", "sqlite"])
def test_our_database_is_prismas(provider, tmp_path):
    paths = []
    for number, text in enumerate(drawn(schemas(provider), COUNT)):
        paths.append(tmp_path / f"{number}.prisma")
        paths[-1].write_text(text, encoding="utf-8")
    answers = json.loads(node("prisma.mjs", "each", *paths))
    accepted = [(path, answer["text"]) for path, answer in zip(paths, answers, strict=True) if answer["ok"]]
    refused = [answer["text"] for answer in answers if not answer["ok"]]
    assert len(accepted) > len(refused) * 2, refused
    for path, ddl in accepted:
        assert unequal(path, ddl) == (), path.read_text(encoding="utf-8")
