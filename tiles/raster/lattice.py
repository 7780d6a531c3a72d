"""Grids that are made from other grids: their common lattice, the part that both cover, a metric one, windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.errors import CRSError
from rasterio.warp import transform as transform_points

from tiles.raster.errors import GridMismatch, RasterError
from tiles.raster.grid import OFF_THE_GLOBE, Grid

# A hundredth of a pixel: far below what shows, far above what rounding in a header does.
TOLERANCE_PX = 0.01
EDGE_POINTS = 21
UTM_LATITUDES = (-80.0, 84.0)
# South, north, west, east and zone: where the six degrees of a zone are not kept, south-west Norway and Svalbard.
UTM_EXCEPTIONS = (
    (56.0, 64.0, 3.0, 12.0, 32),
    (72.0, 84.0, 0.0, 9.0, 31),
    (72.0, 84.0, 9.0, 21.0, 33),
    (72.0, 84.0, 21.0, 33.0, 35),
    (72.0, 84.0, 33.0, 42.0, 37),
)

Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle of whole pixels: its upper left corner and its size."""

    col: int
    row: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.col + self.width

    @property
    def bottom(self) -> int:
        return self.row + self.height

    def common(self, other: Box) -> Box | None:
        """What both cover, or None."""
        col, row = max(self.col, other.col), max(self.row, other.row)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Box(col, row, right - col, bottom - row) if right > col and bottom > row else None

    def without(self, other: Box) -> list[Box]:
        """What is left when `other` is taken out, in up to four rectangles."""
        hole = self.common(other)
        if hole is None:
            return [self]
        parts = (
            Box(self.col, self.row, self.width, hole.row - self.row),
            Box(self.col, hole.bottom, self.width, self.bottom - hole.bottom),
            Box(self.col, hole.row, hole.col - self.col, hole.height),
            Box(hole.right, hole.row, self.right - hole.right, hole.height),
        )
        return [part for part in parts if part.width > 0 and part.height > 0]

    def touches(self, other: Box) -> bool:
        """Whether both overlap or have an edge or a corner in common."""
        return (
            self.col <= other.right
            and other.col <= self.right
            and self.row <= other.bottom
            and other.row <= self.bottom
        )


def box_in(lattice: Grid, grid: Grid) -> Box | None:
    """Where `grid` lies on the lattice of `lattice`, or None when its pixels are not pixels of that lattice.

    The CRS must be the same, and all corners of `grid` within a hundredth of a pixel of the lattice.
    """
    if lattice.crs != grid.crs and lattice.rio_crs != grid.rio_crs:
        return None
    into = ~lattice.transform @ grid.transform
    col, row = (round(value) for value in into @ (0, 0))
    for corner in ((0, 0), (grid.width, 0), (0, grid.height), (grid.width, grid.height)):
        x, y = into @ corner
        if max(abs(x - col - corner[0]), abs(y - row - corner[1])) > TOLERANCE_PX:
            return None
    return Box(col, row, grid.width, grid.height)


def common_lattice(grids: Sequence[Grid]) -> Grid:
    """The grid on the lattice of the first that covers them all. Raises GridMismatch when there is no one lattice."""
    first = grids[0]
    boxes = [box_in(first, grid) for grid in grids]
    known = [box for box in boxes if box is not None]
    if len(known) < len(boxes):
        raise GridMismatch("They have no pixel lattice in common: coordinate system, pixel size or phase differ.")
    col, row = min(box.col for box in known), min(box.row for box in known)
    return first.window(col, row, max(box.right for box in known) - col, max(box.bottom for box in known) - row)


def adjacent_groups(grids: Sequence[Grid]) -> list[list[int]]:
    """Put grids of one lattice that touch or overlap together, also by way of others.

    Returns the indexes of each group in order; groups in the order of their first.
    """
    groups: list[list[int]] = []
    for index in range(len(grids)):
        near = [group for group in groups if any(_adjacent(grids[other], grids[index]) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append(sorted([index, *(other for group in near for other in group)]))
    return sorted(groups)


def _adjacent(a: Grid, b: Grid) -> bool:
    there = box_in(a, b)
    return there is not None and there.touches(Box(0, 0, a.width, a.height))


def outline_in(grid: Grid, of: Grid) -> list[list[Point]]:
    """The four edges of `of` (top, right, bottom, left) as points in pixel coordinates of `grid`.

    Raises RasterError where the outline leaves the area in which one of the coordinate systems is defined.
    """
    w, h, steps = of.width, of.height, [i / (EDGE_POINTS - 1) for i in range(EDGE_POINTS)]
    edges = (
        [(w * s, 0.0) for s in steps],
        [(float(w), h * s) for s in steps],
        [(w * s, float(h)) for s in steps],
        [(0.0, h * s) for s in steps],
    )
    points = _into(grid, of, [point for edge in edges for point in edge])
    return [points[start : start + EDGE_POINTS] for start in range(0, len(points), EDGE_POINTS)]


def _into(grid: Grid, of: Grid, points: Sequence[Point]) -> list[Point]:
    places = [of.transform @ point for point in points]
    if grid.crs != of.crs and grid.rio_crs != of.rio_crs:
        try:
            xs, ys = transform_points(of.rio_crs, grid.rio_crs, [p[0] for p in places], [p[1] for p in places])
        except (CPLE_BaseError, CRSError) as error:
            raise RasterError(OFF_THE_GLOBE) from error
        places = list(zip(xs, ys, strict=True))
    if not all(math.isfinite(value) for place in places for value in place):
        raise RasterError(OFF_THE_GLOBE)
    back = ~grid.transform
    return [(float(x), float(y)) for x, y in (back @ place for place in places)]


def surrounding_box(grid: Grid, of: Grid, margin: int = 0) -> Box:
    """The smallest box of whole pixels of `grid`'s lattice around `of`, `margin` pixels more on each side."""
    points = [point for edge in outline_in(grid, of) for point in edge]
    left, right = _around([x for x, _y in points])
    top, bottom = _around([y for _x, y in points])
    return Box(left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin)


def _around(values: Sequence[float]) -> tuple[int, int]:
    return math.floor(min(values) + TOLERANCE_PX), math.ceil(max(values) - TOLERANCE_PX)


def part_within(lattice: Grid, of: Grid) -> Grid | None:
    """The grid on the lattice of `lattice`, whatever its extent, that lies within `of`; None when nothing does.

    Where `of` is turned against the lattice, it is the rectangle between its edges, so that no row or column of
    windows is lost to slanted corners; where there is none, what surrounds it.
    """
    top, right, bottom, left = outline_in(lattice, of)
    col = math.ceil(max(x for x, _y in left) - TOLERANCE_PX)
    row = math.ceil(max(y for _x, y in top) - TOLERANCE_PX)
    width = math.floor(min(x for x, _y in right) + TOLERANCE_PX) - col
    height = math.floor(min(y for _x, y in bottom) + TOLERANCE_PX) - row
    if width <= 0 or height <= 0:
        box = surrounding_box(lattice, of)
        col, row, width, height = box
    return lattice.window(col, row, width, height) if width > 0 and height > 0 else None


def part_of(grid: Grid, of: Grid) -> Grid | None:
    """As `part_within`, and no more than `grid` itself covers."""
    part = part_within(grid, of)
    box = box_in(grid, part) if part else None
    common = box.common(Box(0, 0, grid.width, grid.height)) if box else None
    return grid.window(*common) if common else None


def utm_crs(lon: float, lat: float) -> str:
    """The code of the UTM zone of a place, degrees, with the wider zones of Norway (32V) and Svalbard (31X to 37X).

    A meridian between two zones belongs to the eastern one, a parallel between two bands to the northern one; band X
    holds its northern edge. Raises RasterError nearer to a pole than UTM reaches.
    """
    south, north = UTM_LATITUDES
    if not south <= lat <= north:
        raise RasterError(f"There is no UTM zone at latitude {lat:.1f}: leave the metric grid out.")
    lon = (lon + 180) % 360 - 180
    zone = int((lon + 180) // 6) % 60 + 1
    for bottom, top, west, east, wider in UTM_EXCEPTIONS:
        if (bottom <= lat < top or lat == top == north) and west <= lon < east:
            zone = wider
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def metric_grid(of: Grid, gsd: float) -> Grid | None:
    """A grid of gsd x gsd metres within `of`, in the UTM zone of its centre; None when not one pixel fits.

    Its corners are whole multiples of gsd, so that grids of neighbours in one zone share one lattice.
    """
    lattice = Grid(utm_crs(*of.centre_lonlat()), (gsd, 0.0, 0.0, 0.0, -gsd, 0.0), 1, 1)
    return part_within(lattice, of)


def resized(grid: Grid, size: int) -> Grid:
    """The same footprint in size x size pixels."""
    transform = grid.transform @ Affine.scale(grid.width / size, grid.height / size)
    return Grid(grid.crs, tuple(transform)[:6], size, size)
