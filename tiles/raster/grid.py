"""A grid: coordinate system, affine transform and size. Two layers are aligned when their grids are equal."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.warp import transform as transform_points

from tiles.raster.errors import GridMismatch, MissingCrs, RasterError

METRES_PER_DEGREE = 111_320.0
EDGE_SEGMENTS = 5
# Keeps dx above zero at the poles, where a degree of longitude has no length.
MIN_COS_LATITUDE = 1e-6
WGS84 = "EPSG:4326"
WEB_MERCATOR = "EPSG:3857"
OFF_THE_GLOBE = "The grid reaches outside the area where its coordinate system is defined."

AffineNumbers = tuple[float, float, float, float, float, float]


class _CrsFacts(NamedTuple):
    crs: CRS
    geographic: bool
    unit: float  # metres per unit when projected, degrees per unit when geographic


@lru_cache(maxsize=256)
def _facts(text: str) -> _CrsFacts:
    try:
        crs = CRS.from_user_input(text) if text.startswith("EPSG:") else CRS.from_wkt(text)
    except CRSError as error:
        raise MissingCrs("The coordinate system of the grid is not one that is known here.") from error
    if crs.is_geographic:
        return _CrsFacts(crs, True, math.degrees(crs.units_factor[1]))
    return _CrsFacts(crs, False, float(crs.linear_units_factor[1]))


@lru_cache(maxsize=256)
def _crs_text(crs: CRS) -> str:
    """Name a CRS as "EPSG:n" only when that code means exactly this CRS; else keep it whole as WKT2."""
    wkt = str(crs.to_wkt(version="WKT2_2019"))
    epsg = crs.to_epsg()
    if epsg is not None and CRS.from_epsg(epsg) == crs:
        return f"EPSG:{epsg}"
    # A transformation bound to the CRS moves the data, and ESRI's dialect would drop it.
    return wkt if wkt.startswith("BOUNDCRS") else _esri_code(crs) or wkt


def _esri_code(crs: CRS) -> str | None:
    """The code of a CRS from a .prj: it names no axes, so it equals its code only in ESRI's dialect, which has none."""
    try:
        dialect = crs.to_wkt(version="WKT1_ESRI")
        epsg = CRS.from_wkt(dialect).to_epsg()
        same = epsg is not None and CRS.from_epsg(epsg).to_wkt(version="WKT1_ESRI") == dialect
    except CRSError:
        return None
    return f"EPSG:{epsg}" if same else None


@dataclass(frozen=True)
class Grid:
    """The pixel lattice of a layer.

    crs: "EPSG:n" when a code is known exactly, else WKT.
    affine: (a, b, c, d, e, f) as in `affine.Affine`; maps (column, row) of pixel *corners* to CRS coordinates.
    A file marked AREA_OR_POINT=Point is read by GDAL into the same corner-based form, so its heights belong to
    pixel centres here as in every other file.
    width, height: pixels.
    """

    crs: str
    affine: AffineNumbers
    width: int
    height: int

    def __post_init__(self) -> None:
        numbers = tuple(float(value) for value in self.affine)
        if len(numbers) != 6 or not all(math.isfinite(value) for value in numbers):
            raise ValueError("A grid's affine is six finite numbers.")
        if self.width < 1 or self.height < 1:
            raise ValueError("A grid has at least one column and one row.")
        object.__setattr__(self, "affine", numbers)
        object.__setattr__(self, "width", int(self.width))
        object.__setattr__(self, "height", int(self.height))
        if self.transform.is_degenerate:
            raise ValueError("A grid's pixels have an area.")

    @classmethod
    def of(cls, dataset: Any) -> "Grid":
        """Read the grid of an open rasterio dataset. Raises MissingCrs when it is not georeferenced."""
        name = Path(str(dataset.name)).name
        if dataset.crs is None:
            raise MissingCrs(f"{name} has no coordinate system: it does not say where on Earth it lies.")
        if dataset.transform == Affine.identity():
            raise MissingCrs(f"{name} has a coordinate system but no position: it does not say where its corner lies.")
        return cls(_crs_text(dataset.crs), tuple(dataset.transform)[:6], dataset.width, dataset.height)

    def window(self, col: int, row: int, width: int, height: int) -> "Grid":
        """Cut out a part: col and row are the offset of its upper left corner in pixels of this grid."""
        corner = self.transform @ Affine.translation(col, row)
        return Grid(self.crs, tuple(corner)[:6], width, height)

    @property
    def transform(self) -> Affine:
        return Affine(*self.affine)

    @property
    def rio_crs(self) -> CRS:
        return _facts(self.crs).crs

    @property
    def is_geographic(self) -> bool:
        return _facts(self.crs).geographic

    def pixel_size_m(self) -> tuple[float, float]:
        """Size (dx, dy) of a pixel on the ground at the grid's centre, metres.

        Geographic: 111,320 m a degree, times cos(latitude) along x. Projected: the CRS unit in metres; web
        Mercator is stretched by 1 / cos(latitude), which is taken out.
        """
        a, b, _, d, e, _ = self.affine
        _, geographic, unit = _facts(self.crs)
        if geographic:
            latitude = self._centre()[1] * unit
            per_y = METRES_PER_DEGREE * unit
            per_x = per_y * max(math.cos(math.radians(latitude)), MIN_COS_LATITUDE)
        else:
            per_x = per_y = unit
            if self.crs == WEB_MERCATOR:
                per_x = per_y = unit * math.cos(math.radians(self.centre_lonlat()[1]))
        return math.hypot(a * per_x, d * per_y), math.hypot(b * per_x, e * per_y)

    @property
    def gsd_m(self) -> float:
        """Ground sample distance, metres: the mean of dx and dy."""
        dx, dy = self.pixel_size_m()
        return (dx + dy) / 2

    def centre_lonlat(self) -> tuple[float, float]:
        """Longitude and latitude of the centre, degrees, EPSG:4326."""
        return self._lonlat([self._centre()])[0]

    def footprint(self) -> list[list[float]]:
        """Outline as a closed, counter-clockwise ring of [longitude, latitude], degrees, EPSG:4326.

        Edges carry points between the corners, because they bend when they are projected. Across the
        antimeridian the ring stays in one piece: longitudes run on past 180.
        """
        w, h, n = self.width, self.height, EDGE_SEGMENTS
        edge = [
            *((0.0, h * i / n) for i in range(n)),
            *((w * i / n, float(h)) for i in range(n)),
            *((float(w), h - h * i / n) for i in range(n)),
            *((w - w * i / n, 0.0) for i in range(n)),
        ]
        a, b, c, d, e, f = self.affine
        ring = self._lonlat([(x * a + y * b + c, x * d + y * e + f) for x, y in edge])
        centre = self.centre_lonlat()[0]
        points = [[_unwrap(lon, centre), lat] for lon, lat in ring]
        return [*points, list(points[0])]

    def lattice_lonlat(self, nodes: int) -> tuple[list[float], list[float]]:
        """Longitudes and latitudes of nodes x nodes points spread evenly over the grid, from corner to corner.

        Row by row from the first pixel's outer corner, degrees, EPSG:4326. Across the antimeridian longitudes run on
        past 180, so that what lies between two points can be interpolated.
        """
        steps = [number / (nodes - 1) for number in range(nodes)]
        points = [self.transform @ (self.width * x, self.height * y) for y in steps for x in steps]
        lonlat = self._lonlat(points)
        centre = self.centre_lonlat()[0]
        return [_unwrap(lon, centre) for lon, _ in lonlat], [lat for _, lat in lonlat]

    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the footprint, degrees, EPSG:4326; east may exceed 180."""
        ring = self.footprint()
        lons, lats = [p[0] for p in ring], [p[1] for p in ring]
        return min(lons), min(lats), max(lons), max(lats)

    def matches(self, other: "Grid", tolerance_px: float = 1e-6) -> bool:
        """Whether both have the same CRS and size, and corners within tolerance_px pixels of each other."""
        if (self.width, self.height) != (other.width, other.height):
            return False
        if self.crs != other.crs and self.rio_crs != other.rio_crs:
            return False
        into_self = ~self.transform @ other.transform
        for corner in ((0, 0), (self.width, 0), (0, self.height), (self.width, self.height)):
            x, y = into_self @ corner
            if max(abs(x - corner[0]), abs(y - corner[1])) > tolerance_px:
                return False
        return True

    def to_dict(self) -> dict[str, Any]:
        return {"crs": self.crs, "affine": list(self.affine), "width": self.width, "height": self.height}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Grid":
        return cls(data["crs"], tuple(data["affine"]), data["width"], data["height"])

    def _centre(self) -> tuple[float, float]:
        x, y = self.transform @ (self.width / 2, self.height / 2)
        return float(x), float(y)

    def _lonlat(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        if self.crs == WGS84:
            return [(float(x), float(y)) for x, y in points]
        try:
            xs, ys = transform_points(self.rio_crs, WGS84, [p[0] for p in points], [p[1] for p in points])
        except (CPLE_BaseError, CRSError) as error:
            raise RasterError(OFF_THE_GLOBE) from error
        if not all(math.isfinite(value) for value in (*xs, *ys)):
            raise RasterError(OFF_THE_GLOBE)
        return list(zip(xs, ys, strict=True))


def _unwrap(lon: float, centre: float) -> float:
    if lon - centre > 180:
        return lon - 360
    return lon + 360 if centre - lon > 180 else lon


def require_equal(a: Grid, b: Grid) -> None:
    """Raise GridMismatch, saying what differs, unless both grids are the same."""
    if a.matches(b):
        return
    if (a.width, a.height) != (b.width, b.height):
        reason = f"one is {a.width} x {a.height} pixels, the other {b.width} x {b.height}"
    elif a.crs != b.crs and a.rio_crs != b.rio_crs:
        reason = "their coordinate systems differ"
    else:
        x, y = (~a.transform @ b.transform) @ (0, 0)
        reason = f"the second starts {x:.3g} columns and {y:.3g} rows from the first, or its pixels differ in size"
    raise GridMismatch(f"The two layers are not on one grid: {reason}.")
