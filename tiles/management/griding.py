"""The options of a build's grid on the command line."""

from __future__ import annotations

from argparse import BooleanOptionalAction, _ArgumentGroup
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from tiles.build.griding import GRIDS, GridOptions
from tiles.core.errors import BadInput
from tiles.models import Job, JobEvent
from tiles.raster.aoi import aoi_read
from tiles.raster.errors import BadAoi


def add_grid(parser: CommandParser) -> None:
    grid = parser.add_argument_group("on which grid tiles are cut; fixed once an area has tiles")
    grid.add_argument(
        "--grid", choices=GRIDS, help="copy the heights as they are (dem, default), or resample them onto finer imagery"
    )
    grid.add_argument("--gsd", type=float, metavar="METRES", help="a grid in the local UTM zone instead")
    grid.add_argument(
        "--resize",
        type=int,
        nargs="?",
        const=0,
        metavar="PIXELS",
        help="resample whole files, or windows of so many pixels, to the tile size",
    )
    _add_windows(grid)


def _add_windows(grid: _ArgumentGroup) -> None:
    grid.add_argument("--stride", type=int, metavar="PIXELS", help="from window to window (default: a window)")
    grid.add_argument("--start-index", type=int, metavar="N", help="number of the first tile (default 0)")
    grid.add_argument("--mosaic", action="store_true", default=None, help="cut adjacent elevation models as one")
    grid.add_argument("--aoi", type=Path, metavar="FILE.geojson", help="only tiles that meet these polygons, EPSG:4326")
    grid.add_argument(
        "--allow-upsampling",
        action=BooleanOptionalAction,
        default=None,
        help="also where the grid is more than 4 times finer than heights or imagery",
    )
    grid.add_argument("--limit", type=int, metavar="N", help="make at most so many tiles this time")


def grid_asked(options: dict[str, Any]) -> GridOptions | None:
    """What the command line says of the grid; None when it says nothing. Raises BadInput for a file that is no area."""
    asked = {name: options[name] for name in GridOptions.__dataclass_fields__ if options[name] is not None}
    if "aoi" in asked:
        try:
            asked["aoi"] = aoi_read(asked["aoi"])
        except BadAoi as error:
            raise BadInput(str(error), code=error.code, field="grid.aoi") from error
    return GridOptions(**asked) if asked else None


def grid_warnings(job: Job) -> list[str]:
    """What the log of a build that was just started warns of."""
    warnings = JobEvent.objects.filter(job=job, level=JobEvent.Level.WARNING).order_by("id")
    return list(warnings.values_list("message", flat=True))
