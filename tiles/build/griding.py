"""On which grid an area's tiles are cut: the options a person chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tiles.core.errors import BadInput
from tiles.raster.aoi import aoi_polygons
from tiles.raster.errors import BadAoi

GRIDS = ("dem", "imagery")


@dataclass(frozen=True)
class GridOptions:
    """On which grid tiles are cut. None means the default for a new area, and what stands for one that has tiles.

    grid: "dem", windows are copied out of the elevation model as they are (default), or "imagery", windows lie on the
    pixels of raster imagery and the heights are resampled onto them.
    gsd: metres; windows lie on a grid of the local UTM zone, and the heights are resampled onto it (none).
    resize: the side in pixels of the elevation model of windows that are resampled to the tile size; 0 makes one tile
    of each whole file (none: not resized).
    stride: pixels of the grid from window to window; smaller than a window they overlap, larger they leave gaps (a
    window). start_index: number of the first tile (0). mosaic: adjacent files of one lattice are cut as one (no).
    aoi: a GeoJSON object in EPSG:4326; only windows whose footprint meets its polygons become tiles (everywhere).
    allow_upsampling: let the grid be more than 4 times finer than what is put on it (no); may change later.
    limit: this build makes at most so many tiles, the lowest numbers first; not kept, the next build goes on (all).
    """

    grid: str | None = None
    gsd: float | None = None
    resize: int | None = None
    stride: int | None = None
    start_index: int | None = None
    mosaic: bool | None = None
    aoi: Mapping[str, Any] | None = None
    allow_upsampling: bool | None = None
    limit: int | None = None


# What an area keeps, with what a new one has. The limit is a build's own.
KEPT: dict[str, Any] = {
    "grid": "dem",
    "gsd": None,
    "resize": None,
    "stride": None,
    "start_index": 0,
    "mosaic": False,
    "aoi": None,
    "allow_upsampling": False,
}
# Says only what is refused, and not where tiles lie.
MAY_CHANGE = "allow_upsampling"
OPTION = {name: "--" + name.replace("_", "-") for name in KEPT}
LARGEST_NUMBER = 2**31 - 1


def grid_of(recipe: Mapping[str, Any]) -> GridOptions:
    """The options that an area was built with, without gaps, by its recipe."""
    return GridOptions(**{**KEPT, **recipe.get("grid", {})})


def grid_settled(recipe: Mapping[str, Any], asked: GridOptions | None, *, built: bool) -> dict[str, Any]:
    """What an area keeps in `recipe["grid"]`, once `asked` is asked for.

    built: whether its tiles are numbered already; then only what stands may be asked for again, and until then all that
    is asked at once replaces what was asked before. Raises BadInput with the `field`, `grid.<name>`.
    """
    before = asdict(grid_of(recipe))
    given = {name: value for name in KEPT if (value := getattr(asked, name, None)) is not None}
    if "aoi" in given:
        given["aoi"] = _aoi(given["aoi"])
    if built:
        for name, value in given.items():
            if name != MAY_CHANGE and value != before[name]:
                raise BadInput(
                    f"The tiles of this area were cut {_cut(name, before[name])}, and it keeps that. "
                    "Build a new area for another grid.",
                    field=f"grid.{name}",
                )
        settled = before | given
    else:
        settled = (KEPT | given) if given else before
    settled = {name: settled[name] for name in KEPT}
    _require(settled)
    return settled


def grid_is_plain(recipe: Mapping[str, Any]) -> bool:
    """Whether windows are copied out of one elevation file each, on its own pixels."""
    options = grid_of(recipe)
    return options.grid == "dem" and options.gsd is None and options.resize is None and not options.mosaic


def limit_of(asked: GridOptions | None) -> int | None:
    """How many tiles this build makes at most. Raises BadInput."""
    limit = asked.limit if asked else None
    if limit is not None and limit < 1:
        raise BadInput("A build makes at least one tile: choose a limit of 1 or more.", field="grid.limit")
    if limit is not None and limit > LARGEST_NUMBER:
        raise BadInput("No area has so many tiles. Leave the limit out to make all of them.", field="grid.limit")
    return limit


def _cut(name: str, value: Any) -> str:
    if name == "aoi":
        return "within another area of interest" if value else "without an area of interest"
    if value is None or value is False:
        return f"without {OPTION[name]}"
    return f"with {OPTION[name]}" if value is True else f"with {OPTION[name]} {value}"


def _aoi(given: Any) -> dict[str, Any]:
    try:
        return aoi_polygons(given)
    except BadAoi as error:
        raise BadInput(str(error), code=error.code, field="grid.aoi") from error


def _require(grid: Mapping[str, Any]) -> None:
    """Raise BadInput for numbers that make no sense and options that exclude each other."""
    wrong = {
        "grid": grid["grid"] not in GRIDS and f"The grid must be one of: {', '.join(GRIDS)}.",
        "gsd": grid["gsd"] is not None
        and not 0 < grid["gsd"] < MOST_METRES
        and f"A metric grid has pixels of more than 0 and less than {MOST_METRES:,} m.",
        "resize": grid["resize"] is not None
        and not 0 <= grid["resize"] <= LARGEST_NUMBER
        and f"Windows that are resized are 1 to {LARGEST_NUMBER:,} pixels wide; 0 takes each file as a whole.",
        "stride": grid["stride"] is not None
        and not 1 <= grid["stride"] <= LARGEST_NUMBER
        and f"The stride is a number of pixels from 1 to {LARGEST_NUMBER:,}.",
        "start_index": not 0 <= grid["start_index"] <= LARGEST_NUMBER // 2
        and f"The first tile has a number from 0 to {LARGEST_NUMBER // 2:,}.",
    }
    for name, message in wrong.items():
        if message:
            raise BadInput(message, field=f"grid.{name}")
    chosen = [name for name, on in _FROM_ELSEWHERE.items() if on(grid)]
    if len(chosen) > 1:
        options = " and ".join(OPTION[name] for name in chosen)
        raise BadInput(f"{options} exclude each other: choose one grid.", field=f"grid.{chosen[-1]}")
    if grid["resize"] == 0 and grid["stride"] is not None:
        raise BadInput(
            "A file that is resized as a whole has one window, so there is no stride. "
            "Name the window: --resize PIXELS.",
            field="grid.stride",
        )


MOST_METRES = 100_000
_FROM_ELSEWHERE: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "grid": lambda grid: grid["grid"] != "dem",
    "gsd": lambda grid: grid["gsd"] is not None,
    "resize": lambda grid: grid["resize"] is not None,
}
