"""The heights of tiles that are not copied out of one elevation file: mosaics, and other grids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tiles.models import Area, DemFile, TilePair
from tiles.raster.errors import Unreadable
from tiles.raster.grid import Grid
from tiles.raster.heights import Heights, Part

from .griding import grid_is_plain
from .sheets import OpenFiles

# Kernels reach beyond a tile, by one pixel of the files: at most this share of its side, for tiles have 16 at least.
REACH = 0.5

Ring = Sequence[Sequence[float]]


def is_plain(area: Area) -> bool:
    return grid_is_plain(area.recipe)


class Mosaics:
    """The elevation files of an area as the tiles of one chunk read them."""

    def __init__(self, area: Area) -> None:
        self._files = OpenFiles()
        self._parts: dict[str, Part] = {}
        self._members: dict[int, list[DemFile]] = {}
        self._area = area

    def of(self, tile: TilePair, file: DemFile) -> Heights:
        """The heights about a tile. Raises RasterError when a file cannot be opened or is not what was planned."""
        files = [file] if file.mosaic is None else self._near(tile, file.mosaic)
        return Heights([self._part(member) for member in files], self._files.opened)

    def close(self) -> None:
        self._files.close()

    def _near(self, tile: TilePair, mosaic: int) -> list[DemFile]:
        """The files of a mosaic that the tile may need, in order."""
        if mosaic not in self._members:
            members = DemFile.objects.filter(area=self._area, mosaic=mosaic)
            self._members[mosaic] = list(members.order_by("position"))
        near = [file for file in self._members[mosaic] if _reaches(tile.footprint or [], file.footprint)]
        return near or self._members[mosaic][:1]

    def _part(self, file: DemFile) -> Part:
        if file.path not in self._parts:
            path = Path(file.path)
            if not path.is_file() or path.stat().st_size != file.size:
                raise Unreadable(f"{file.name} is gone or has changed since the build was planned.")
            self._parts[file.path] = Part(path, Grid.of(self._files.opened(path)))
        return self._parts[file.path]


def _reaches(tile: Ring, file: Ring) -> bool:
    """Whether the box about a tile, enlarged by REACH, touches that of a file, also across the antimeridian."""
    west, south, east, north = _bounds(tile)
    x, y = (east - west) * REACH, (north - south) * REACH
    left, bottom, right, top = _bounds(file)
    if top < south - y or bottom > north + y:
        return False
    return any(left + turn <= east + x and right + turn >= west - x for turn in (-360, 0, 360))


def _bounds(ring: Ring) -> tuple[float, float, float, float]:
    lons, lats = [point[0] for point in ring], [point[1] for point in ring]
    return min(lons), min(lats), max(lons), max(lats)
