"""Rules: what is done with columns, as a file says it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from dbplan.errors import RecipeError


def read_rules(path: Path) -> dict[str, str]:
    """Return the rules of a TOML file by `table.column`: a table of it for every table, `column = "kind"` in it.

    Raises RecipeError for a file that cannot be read so.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: {error}") from None
    found = {}
    for table, columns in tables.items():
        if not isinstance(columns, dict):
            raise RecipeError(f'{path}: "{table}" stands outside of a table; write [{table}], then column = "kind"')
        for column, kind in columns.items():
            if not isinstance(kind, str):
                raise RecipeError(
                    f'{path}: [{table}] {column} is {kind!r}; a rule is a text such as "keep", "drop" or "email", and '
                    f'a table in a schema is written ["{table}.{column}"]'
                )
            found[f"{table}.{column}"] = kind
    return found
