from pathlib import Path

import pytest

from dbplan.connection import settings
from dbplan.errors import UnknownName, UsageError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("DBPLAN_ENVIRONMENT", "DBPLAN_ENV", "DATABASE_URL", "DIRECT_URL"):
        monkeypatch.delenv(name, raising=False)


def test_development_falls_back_to_a_file(tmp_path: Path):
    here = settings(folder=tmp_path)
    assert (here.environment, here.url, here.migration_url) == ("development", "sqlite:///dev.db", "sqlite:///dev.db")


def test_later_files_and_the_environment_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///base.db\nDBPLAN_POOL_SIZE=3\n")
    (tmp_path / ".env.staging").write_text("DATABASE_URL=sqlite:///staging.db\n")
    assert settings(folder=tmp_path).url == "sqlite:///base.db"
    staging = settings("staging", folder=tmp_path)
    assert (staging.url, staging.pool) == ("sqlite:///staging.db", 3)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///process.db")
    assert settings("staging", folder=tmp_path).url == "sqlite:///process.db"


def test_the_environment_may_be_named_in_the_file(tmp_path: Path):
    (tmp_path / ".env").write_text("DBPLAN_ENV=production\nDATABASE_URL=postgresql://h/db\n")
    assert settings(folder=tmp_path).production
    assert settings(folder=tmp_path).pool == 10


def test_migrations_go_by_the_direct_url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("DATABASE_URL", "postgresql://pooler/db")
    monkeypatch.setenv("DIRECT_URL", "postgresql://server/db")
    assert settings(folder=tmp_path).migration_url == "postgresql://server/db"


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/db")
    assert "hunter2" not in repr(settings(folder=tmp_path)) + str(settings(folder=tmp_path))


def test_production_without_a_url_says_what_to_set(tmp_path: Path):
    with pytest.raises(UsageError, match=r"production environment has no DATABASE_URL; set it .*\.env\.production"):
        _ = settings("production", folder=tmp_path).url


def test_wrong_values_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UnknownName, match="environments are: development, production, staging, test"):
        settings("prod", folder=tmp_path)
    monkeypatch.setenv("DBPLAN_POOL_SIZE", "plenty")
    with pytest.raises(UsageError, match="DBPLAN_POOL_SIZE"):
        settings(folder=tmp_path)
