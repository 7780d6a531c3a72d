"""The files and folders that were ticked on a build page, and where it says what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.http import QueryDict

from tiles.build.choosing import source_path, source_tree, source_uploads
from tiles.core.errors import ApplicationError, BadInput, NotAllowed

from .build_grid import FIELD

NOTHING_CHOSEN = "Choose at least one folder or file."


def keys_chosen(answers: QueryDict) -> dict[str, Any]:
    """The keys that were ticked, and what is wrong with them."""
    return {"dems": answers.getlist("dems"), "imagery": answers.getlist("imagery"), "errors": {}}


def inputs_context(chosen: dict[str, Any]) -> dict[str, Any]:
    """What the questions about inputs show."""
    return {
        "dem_nodes": source_tree(chosen["dems"]),
        "imagery_nodes": source_tree(chosen["imagery"]),
        "uploaded": source_uploads(chosen["dems"]),
        "chosen": chosen,
    }


IMAGERY = "imagery."
"""What stands before the name of a part of the imagery that is asked for, in an error's `field`."""


def say_beside(
    form: forms.Form,
    grid: forms.Form,
    chosen: dict[str, Any],
    error: ApplicationError,
    asked: forms.Form | None = None,
) -> None:
    """Put an error beside the question it is about. Raises NotAllowed again, which is about none.

    asked: the questions about the imagery that were answered, where there are any.
    """
    if isinstance(error, NotAllowed):
        raise error
    field = error.extra.get("field") or ""
    of_grid = field.removeprefix(FIELD)
    if field.startswith(FIELD) and of_grid in grid.fields:
        grid.add_error(of_grid, error.message)
    elif field.startswith(IMAGERY) and asked and field.removeprefix(IMAGERY) in asked.fields:
        asked.add_error(field.removeprefix(IMAGERY), error.message)
    elif (field := field.partition(".")[0]) in ("dems", "imagery"):
        chosen["errors"][field] = error.message
    else:
        form.add_error(field if field in form.fields else None, error.message)


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
