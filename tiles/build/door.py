"""What is checked before anything is written: every wrong input is one sentence, and leaves no row and no file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from django.conf import settings

from tiles.core.errors import ApplicationError, BadInput
from tiles.core.files import require_free
from tiles.core.paths import area_folder
from tiles.imagery import imagery_reaches, imagery_survey
from tiles.models import Area, DemFile
from tiles.raster.errors import RasterError
from tiles.raster.reading import RasterInfo, verify
from tiles.raster.stretch import Normalisation

from . import plan
from .fineness import upsampling_checked
from .griding import grid_is_plain, grid_of
from .sheets import require_cut, sheets_of

NORMALISATIONS: tuple[str, ...] = get_args(Normalisation)
TILE_SIZES = (16, 4096)
RESERVED = ("new",)
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@contextmanager
def at_field(field: str) -> Iterator[None]:
    """Turn what is wrong with a raster into BadInput, and say by which answer of the form it came in."""
    try:
        yield
    except RasterError as error:
        raise BadInput(str(error), code=error.code, field=field) from error
    except BadInput as error:
        error.extra.setdefault("field", field)
        raise


def require_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug) or slug in RESERVED:
        raise BadInput(
            f"{slug!r} cannot be an area's short name: use lower-case letters, digits and hyphens, as in japan-korea, "
            "at most 80; not new.",
            field="slug",
        )


def require_numbers(area: Area) -> None:
    """Raise BadInput for a tile size or a limit that makes no sense."""
    least, most = TILE_SIZES
    if not least <= area.tile_size <= most:
        raise BadInput(f"The tile size must lie between {least} and {most} pixels.", field="tile_size")
    for field, label in (("void_limit", "void"), ("uncovered_limit", "uncovered")):
        if not 0 <= getattr(area, field) <= 100:
            raise BadInput(f"The {label} limit is a percentage: choose it between 0 and 100.", field=field)


def require_stretch(stretch: Mapping[str, Any]) -> None:
    if stretch["normalisation"] not in NORMALISATIONS:
        raise BadInput(f"The normalisation must be one of: {', '.join(NORMALISATIONS)}.", field="normalisation")
    if not 0 <= stretch["percent"] < 50:
        raise BadInput("The stretch takes a percentage from 0 (off) to below 50.", field="percent")


def require_room(slug: str) -> None:
    """Raise ApplicationError when the area's files could not be written, DiskFull when the disk is nearly full."""
    folder = area_folder(slug)
    for place in (folder, *(folder.iterdir() if folder.is_dir() else ())):
        _require_writable(place)
    require_free(settings.DEMETER_DATA, settings.DEMETER_MIN_FREE)


def _require_writable(folder: Path) -> None:
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise ApplicationError(
            f"The data folder cannot be written: {place.name} is a file and not a folder. Move it away.",
            code="unwritable",
        )
    if not os.access(place, os.W_OK | os.X_OK):
        raise ApplicationError(
            f"The data folder cannot be written ({place.name}). Check its owner and mode.", code="unwritable"
        )


def dems_checked(area: Area, given: Sequence[Path], *, thorough: bool) -> tuple[list[DemFile], list[Path]]:
    """The area's known elevation files and the new ones, in order, all of them usable.

    thorough: also read every pixel and compare checksums, which takes as long as reading the files.
    Raises BadInput with the field it belongs to.
    """
    with at_field("dems"):
        known, new = plan.dem_files_match(area, plan.dem_paths(given)) if area.pk else ([], plan.dem_paths(given))
        for file in known:
            plan.dem_file_require_same(file, thorough=thorough)
        infos = [_dem_checked(path, thorough=thorough) for path in new]
    if not known and not new:
        raise BadInput("Name at least one elevation model, a file or a folder.", field="dems")
    if not known and grid_is_plain(area.recipe):
        _require_window(area.tile_size, infos)
    return known, new


def _dem_checked(path: Path, *, thorough: bool) -> RasterInfo:
    info = plan.dem_inspect(path)
    if thorough:
        verify(path)
    return info


def _require_window(tile_size: int, infos: Sequence[RasterInfo]) -> None:
    grids = [info.grid for info in infos if info.grid]
    if not any(min(grid.width, grid.height) >= tile_size for grid in grids):
        largest = max(grids, key=lambda grid: min(grid.width, grid.height))
        raise BadInput(
            f"No tile of {tile_size} x {tile_size} fits: the largest elevation model has "
            f"{largest.width} x {largest.height} pixels. Choose a smaller tile size.",
            field="tile_size",
        )


def imagery_checked(text: str, **chosen: Any) -> dict[str, Any]:
    """The spec of the imagery asked for; `chosen` as imagery_survey takes it. Raises BadInput."""
    with at_field("imagery"):
        return imagery_survey(text, **chosen)


def require_overlap(dems: Sequence[Path], imagery: Mapping[str, Any]) -> None:
    """Raise BadInput when the imagery reaches none of these elevation files."""
    with at_field("dems"):
        grids = [plan.dem_inspect(path).grid for path in dems]
        boxes = [grid.bounds_lonlat() for grid in grids if grid]
    if boxes and not any(imagery_reaches(imagery, box) for box in boxes):
        raise BadInput(
            "The imagery and the elevation models do not overlap anywhere: they show different places.",
            field="imagery",
        )


def grid_checked(area: Area, new: Sequence[Path], imagery: Mapping[str, Any], *, first: bool) -> list[str]:
    """What there is to warn of about the grid that the new elevation files are cut on; headers only are read.

    first: whether the area has none so far; one window at least must then fit. Raises BadInput when the files cannot be
    cut as asked, or would be enlarged more than anybody allowed.
    """
    if not new:
        return []
    options = grid_of(area.recipe)
    with at_field("dems"):
        sheets = sheets_of(new, imagery=imagery, tile_size=area.tile_size, options=options)
        if first:
            require_cut(sheets)
        return upsampling_checked(area, sheets, allowed=bool(options.allow_upsampling))
