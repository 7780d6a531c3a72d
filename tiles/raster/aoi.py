"""An area of interest: polygons in GeoJSON, and whether a footprint meets them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray
from tiles.raster.errors import BadAoi

MOST_BYTES = 2 * 2**20
MOST_POINTS = 20_000
LEAST_POINTS = 4  # of a ring: a triangle, closed
GEOGRAPHIC = ("CRS84", "4326")

Position = Sequence[float]


def aoi_read(path: Path) -> dict[str, Any]:
    """Read a GeoJSON file. Returns its polygons as one MultiPolygon, longitude and latitude.

    Raises BadAoi for what is no GeoJSON, holds no polygons, is not in EPSG:4326, or is too large.
    """
    try:
        if not path.is_file():
            raise BadAoi(f"{path.name} is not a file on this machine. Name a GeoJSON file.")
        if path.stat().st_size > MOST_BYTES:
            raise BadAoi(f"{path.name} is larger than {MOST_BYTES >> 20} MB. Simplify the outline of the area.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadAoi(f"{path.name} cannot be read as text. Name a GeoJSON file.") from error
    try:
        return aoi_polygons(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise BadAoi(f"{path.name} is not JSON. Name a GeoJSON file.") from error


def aoi_polygons(data: Any) -> dict[str, Any]:
    """The polygons of a GeoJSON object (Polygon, MultiPolygon, Feature, FeatureCollection) as one MultiPolygon.

    Heights of positions are left out. Raises BadAoi.
    """
    _require_geographic(data)
    polygons = [[_ring(ring) for ring in _listed(polygon)] for polygon in _polygons(data)]
    if not polygons or not all(polygons):
        raise BadAoi("The area of interest holds no polygon. Draw at least one.")
    points = sum(len(ring) for polygon in polygons for ring in polygon)
    if points > MOST_POINTS:
        raise BadAoi(f"The area of interest has {points:,} points; simplify it to at most {MOST_POINTS:,}.")
    return {"type": "MultiPolygon", "coordinates": polygons}


def _polygons(data: Any) -> list[Any]:
    kind = data.get("type") if isinstance(data, Mapping) else None
    if kind == "Polygon":
        return [data.get("coordinates")]
    if kind == "MultiPolygon":
        return _listed(data.get("coordinates"))
    if kind == "Feature":
        return _polygons(data.get("geometry"))
    if kind == "FeatureCollection":
        features = _listed(data.get("features"))
        if all(isinstance(feature, Mapping) and feature.get("type") == "Feature" for feature in features):
            return [polygon for feature in features for polygon in _polygons(feature)]
    raise BadAoi("The area of interest must be a GeoJSON Polygon, MultiPolygon, Feature or FeatureCollection of these.")


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadAoi("The area of interest is no valid GeoJSON: a list of coordinates or features is missing.")
    return value


def _ring(ring: Any) -> list[list[float]]:
    points = [_position(position) for position in _listed(ring)]
    if len(points) < LEAST_POINTS or points[0] != points[-1]:
        raise BadAoi("A ring of the area of interest is not closed: it needs four positions, the last like the first.")
    return points


def _position(position: Any) -> list[float]:
    if not isinstance(position, list) or len(position) < 2 or not all(_is_number(value) for value in position[:2]):
        raise BadAoi("A position of the area of interest is not two numbers: longitude and latitude.")
    lon, lat = float(position[0]), float(position[1])
    if abs(lon) > 180 or abs(lat) > 90:
        raise BadAoi(
            f"The position {lon:g}, {lat:g} is no longitude and latitude in degrees. Save the area in EPSG:4326."
        )
    return [lon, lat]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _require_geographic(data: Any) -> None:
    """The old way of naming a coordinate system in GeoJSON; today it is always longitude and latitude."""
    crs = data.get("crs") if isinstance(data, Mapping) else None
    if crs is not None and not any(name in json.dumps(crs) for name in GEOGRAPHIC):
        raise BadAoi("The area of interest names another coordinate system. Save it in EPSG:4326.")


class Aoi:
    """An area of interest that can be asked about footprints."""

    def __init__(self, geometry: Mapping[str, Any]) -> None:
        """geometry: a MultiPolygon as aoi_polygons gives it."""
        self._polygons = [[np.array(ring) for ring in polygon] for polygon in geometry["coordinates"]]

    def meets(self, footprint: Sequence[Position]) -> bool:
        """Whether a closed ring of longitude and latitude, as Grid.footprint gives it, has a point in common with it.

        Longitudes of the ring may run past 180. Edges are straight lines in longitude and latitude.
        """
        ring = np.array(footprint, float)
        return any(
            _meets(polygon, ring + np.array([turn, 0.0])) for turn in (-360.0, 0.0, 360.0) for polygon in self._polygons
        )


def _meets(polygon: Sequence[FloatArray], ring: FloatArray) -> bool:
    outer = polygon[0]
    if (outer.max(axis=0) < ring.min(axis=0)).any() or (ring.max(axis=0) < outer.min(axis=0)).any():
        return False
    if any(_cross(edge, ring) for edge in polygon):
        return True
    # No edges cross: one lies within the other, or both apart. A hole holds its own rings' outside.
    inside = _within(ring[:1], outer)[0] and not any(_within(ring[:1], hole)[0] for hole in polygon[1:])
    return bool(inside or _within(outer[:1], ring)[0])


def _within(points: FloatArray, ring: FloatArray) -> BoolArray:
    """(N,) whether points (N, 2) lie within a closed ring (M, 2), by the even-odd rule."""
    x, y = points[:, :1], points[:, 1:]
    x0, y0, x1, y1 = ring[:-1, 0], ring[:-1, 1], ring[1:, 0], ring[1:, 1]
    spans = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    odd: BoolArray = (spans & (x < at)).sum(axis=1) % 2 == 1
    return odd


def _cross(a: FloatArray, b: FloatArray) -> bool:
    """Whether any edges of two closed rings cross or touch."""
    p, r = a[:-1, None], np.diff(a, axis=0)[:, None]
    q, s = b[None, :-1], np.diff(b, axis=0)[None]
    across = _turn(r, q - p) * _turn(r, q + s - p) <= 0
    along = _turn(s, p - q) * _turn(s, p + r - q) <= 0
    near = (np.minimum(p, p + r) <= np.maximum(q, q + s)).all(-1) & (np.minimum(q, q + s) <= np.maximum(p, p + r)).all(
        -1
    )
    return bool((across & along & near).any())


def _turn(a: FloatArray, b: FloatArray) -> FloatArray:
    turn: FloatArray = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return turn
