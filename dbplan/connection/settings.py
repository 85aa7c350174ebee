"""Settings per environment, from `.env` files and the environment, typed and masked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dbplan.errors import UnknownName, UsageError

DEV_DATABASE = "sqlite:///dev.db"


class Environment(StrEnum):
    """Where a program runs."""

    DEVELOPMENT = "development"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"


POOL_SIZES: Mapping[Environment, int] = {
    Environment.DEVELOPMENT: 5,
    Environment.TEST: 5,
    Environment.STAGING: 10,
    Environment.PRODUCTION: 10,
}
"""Open connections per process; as many again may overflow, so production holds 10 to 20."""


class Settings(BaseSettings):
    """What one environment connects to, and how.

    `DATABASE_URL` serves the application, `DIRECT_URL` migrations (past a pooler); both are secrets.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_file_encoding="utf-8", populate_by_name=True)

    environment: Environment = Field(
        Environment.DEVELOPMENT, validation_alias=AliasChoices("DBPLAN_ENVIRONMENT", "DBPLAN_ENV")
    )
    database_url: SecretStr | None = Field(None, validation_alias="DATABASE_URL")
    direct_url: SecretStr | None = Field(None, validation_alias="DIRECT_URL")
    pool_size: int | None = Field(None, validation_alias="DBPLAN_POOL_SIZE", ge=1, le=500)
    pool_timeout: int = Field(20, validation_alias="DBPLAN_POOL_TIMEOUT", ge=1, description="seconds")
    slow_query: float = Field(1.0, validation_alias="DBPLAN_SLOW_QUERY", gt=0, description="seconds")

    @property
    def production(self) -> bool:
        """Whether a mistake here hurts users."""
        return self.environment is Environment.PRODUCTION

    @property
    def url(self) -> str:
        """The URL of the application's database; development falls back to a SQLite file."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if self.environment is Environment.DEVELOPMENT:
            return DEV_DATABASE
        raise UsageError(
            f"the {self.environment} environment has no DATABASE_URL; "
            f"set it in the environment or in .env.{self.environment}"
        )

    @property
    def migration_url(self) -> str:
        """The URL that migrations use: DIRECT_URL, else the application's."""
        return self.direct_url.get_secret_value() if self.direct_url is not None else self.url

    @property
    def pool(self) -> int:
        """Connections that one process keeps."""
        return self.pool_size or POOL_SIZES[self.environment]


def settings(environment: str | None = None, *, folder: Path | None = None) -> Settings:
    """Return the settings of an environment.

    Later wins: `.env`, `.env.local`, `.env.ENVIRONMENT` of `folder` (the current one), the process environment.
    Raises UnknownName for an environment that there is not, UsageError for a value of the wrong type.
    """
    name = environment or os.environ.get("DBPLAN_ENVIRONMENT") or os.environ.get("DBPLAN_ENV")
    if name and name not in set(Environment):
        raise UnknownName("environment", name, (str(e) for e in Environment))
    folder = folder or Path()
    base = (folder / ".env", folder / ".env.local")
    try:
        if not name:
            name = str(Settings(_env_file=base).environment)  # type: ignore[call-arg]
        files = (*base, folder / f".env.{name}")
        return Settings(_env_file=files).model_copy(update={"environment": Environment(name)})  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise UsageError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
