"""The files and folders that were ticked on a build page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import QueryDict

from tiles.build.choosing import source_path
from tiles.core.errors import BadInput

NOTHING_CHOSEN = "Choose at least one folder or file."


def keys_chosen(answers: QueryDict) -> dict[str, Any]:
    """The keys that were ticked, and what is wrong with them."""
    return {"dems": answers.getlist("dems"), "imagery": answers.getlist("imagery"), "errors": {}}


def chosen_dems(keys: list[str], *, needed: bool = True) -> list[Path]:
    """Raises BadInput for nothing where something is needed, and for what may not be chosen."""
    if needed and not keys:
        raise BadInput(NOTHING_CHOSEN, field="dems")
    return [_path(key, "dems") for key in keys]


def chosen_raster(keys: list[str]) -> str:
    """Imagery on disk, as `imagery_survey` takes it. Raises BadInput."""
    if len(keys) != 1:
        raise BadInput("Choose the folder or file that holds the imagery.", field="imagery")
    return f"raster:{_path(keys[0], 'imagery')}"


def _path(key: str, field: str) -> Path:
    try:
        return source_path(key)
    except BadInput as error:
        error.extra["field"] = field
        raise
