"""An area's outlines on a graticule: a map that needs no internet and no basemap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Ring = Sequence[Sequence[float]]
WIDTH, LOWEST, HIGHEST = 320.0, 120.0, 300.0
MARGIN = 0.08
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


@dataclass(frozen=True)
class Line:
    """A meridian or a parallel in picture coordinates, with its label."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str


@dataclass(frozen=True)
class Graticule:
    """A picture of `width` x `height` units: closed outlines as SVG point lists, and lines under them."""

    width: float
    height: float
    outlines: list[str]
    meridians: list[Line]
    parallels: list[Line]


def graticule(rings: Sequence[Ring]) -> Graticule | None:
    """Draw rings of longitude and latitude in degrees, equirectangular at their middle latitude. None without any."""
    points = [point for ring in rings for point in ring]
    if not points:
        return None
    west, east = _padded(min(p[0] for p in points), max(p[0] for p in points))
    south, north = _padded(min(p[1] for p in points), max(p[1] for p in points))
    squeeze = max(0.05, math.cos(math.radians((south + north) / 2)))
    scale = WIDTH / ((east - west) * squeeze)
    height = min(max((north - south) * scale, LOWEST), HIGHEST)
    scale = min(scale, height / (north - south))
    width = (east - west) * squeeze * scale

    def x(lon: float) -> float:
        return round((lon - west) * squeeze * scale, 1)

    def y(lat: float) -> float:
        return round((north - lat) * scale, 1)

    step = _step(max(east - west, north - south) / 4)
    return Graticule(
        width=round(width, 1),
        height=round((north - south) * scale, 1),
        outlines=[" ".join(f"{x(lon)},{y(lat)}" for lon, lat in ring) for ring in rings],
        meridians=[Line(x(lon), 0, x(lon), y(south), _label(lon, "E", "W")) for lon in _multiples(west, east, step)],
        parallels=[Line(0, y(lat), x(east), y(lat), _label(lat, "N", "S")) for lat in _multiples(south, north, step)],
    )


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = max((high - low) * MARGIN, 1e-4)
    return low - pad, high + pad


def _step(wanted: float) -> float:
    return min(STEPS, key=lambda step: abs(math.log(step / wanted)))


def _multiples(low: float, high: float, step: float) -> Iterator[float]:
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield round(number * step, 6)


def _label(degrees: float, positive: str, negative: str) -> str:
    return f"{abs(degrees):g}° {positive if degrees >= 0 else negative}"
