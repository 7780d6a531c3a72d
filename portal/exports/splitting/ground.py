"""Footprints on the ground: which overlap, which are near each other, and how far apart the nearest are.

Searches run in longitude and latitude over a tree; distances are measured in metres on a plane that touches the
ellipsoid between the two footprints, and the one that is told is geodesic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from geographiclib.geodesic import Geodesic
from numpy.typing import NDArray

LEAST_METRES_A_DEGREE = 110_500.0
"""Of latitude, and of longitude at the equator: searches in degrees reach a little too far, never short."""
TOUCHING = 1e-6
"""Share of the smaller footprint up to which an overlap is a shared edge and rounding."""
FEW = 500
MOST_COMPARED = 1_000_000
FAR = 100_000.0
"""Metres. Of groups with more pairs than MOST_COMPARED that are farther apart, each place is compared with its nearest
on a plane alone: the pair that is told may be a few per cent farther apart than the nearest of all."""
AT_ONCE = 50_000
"""Pairs that are compared in one go, so that memory stays flat."""

Ring = Sequence[Sequence[float]]
Pairs = NDArray[np.intp]
Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Nearest:
    """Two footprints by their places in the list, and the geodesic distance between their edges in metres."""

    first: int
    second: int
    metres: float


class Footprints:
    """Closed rings of longitude and latitude, which may run past 180, searched by a tree."""

    def __init__(self, rings: Sequence[Ring]) -> None:
        self._shapes = np.array([shapely.Polygon(ring) for ring in rings], object)
        self._bounds = shapely.bounds(self._shapes)
        # The same places a turn on, so that neighbours across the antimeridian are found.
        west, east = self._bounds[:, 0], self._bounds[:, 2]
        owners = [np.arange(len(rings)), np.flatnonzero(east > 170), np.flatnonzero(west < -170)]
        moved = [_moved(self._shapes[who], turn) for who, turn in zip(owners, (0.0, -360.0, 360.0), strict=True)]
        self._owners = np.concatenate(owners)
        self._tree = shapely.STRtree(np.concatenate(moved))

    def overlapping(self, *, share: float = TOUCHING) -> Pairs:
        """(P, 2) pairs that have more than a share of the smaller one in common, each once, the smaller place first.

        By default, all that have more in common than an edge.
        """
        return self._picked(self._near(0.0), lambda pairs: self._overlap(pairs, share))

    def within(self, metres: float) -> Pairs:
        """(P, 2) pairs whose edges are less than so many metres apart, overlapping ones among them."""
        return self._picked(self._near(metres), lambda pairs: (self._apart(pairs) < metres) | self._overlap(pairs))

    def nearest(self, groups: NDArray[np.intp], one: int, other: int) -> Nearest | None:
        """The nearest two footprints of which one is of group `one` and the other of `other`; None without such.

        groups: (N,) the group of each footprint.
        """
        ones, others = np.flatnonzero(groups == one), np.flatnonzero(groups == other)
        if not (len(ones) and len(others)):
            return None
        best, found = np.inf, (0, 0)
        for asked, pairs in self._promising(ones, others):
            if asked > best:
                break
            apart = self._apart(pairs)
            nearest = int(apart.argmin())
            if apart[nearest] < best:
                best, found = float(apart[nearest]), (int(pairs[nearest, 0]), int(pairs[nearest, 1]))
        first, second = sorted(found)
        return Nearest(first, second, self._geodesic(np.array([first, second])))

    def _promising(self, ones: NDArray[np.intp], others: NDArray[np.intp]) -> Iterator[tuple[float, Pairs]]:
        """Pairs of one of each that may be the nearest, and a bound in metres below which no pair from here on is.

        Longitude is squeezed as at the highest latitude of all, so that a distance on that plane is never too long:
        where a place's nearest on it is farther than the best so far, its true nearest is too.
        """
        highest = min(float(np.abs(self._bounds[:, [1, 3]]).max()), 89.0)
        squeeze = np.array([np.cos(np.radians(highest)), 1.0])
        near = np.isin(self._owners, others)
        owners = self._owners[near]
        tree = shapely.STRtree(_squeezed(self._tree.geometries[near], squeeze))
        asking = _squeezed(self._shapes[ones], squeeze)
        (who, found), degrees = tree.query_nearest(asking, return_distance=True, all_matches=False)
        order = np.lexsort((owners[found], ones[who], degrees))
        best = np.inf
        for start in range(0, len(order), FEW):
            part = order[start : start + FEW]
            bound = LEAST_METRES_A_DEGREE * float(degrees[part[0]])
            first = np.stack([ones[who[part]], owners[found[part]]], axis=1)
            best = min(best, float(self._apart(first).min()))
            yield bound, first
            if bound > best:
                return
            if best > FAR and len(ones) * len(others) > MOST_COMPARED:
                continue
            # Another one of the others may be nearer in truth than the one that is nearest on the plane.
            reach = best / LEAST_METRES_A_DEGREE
            closer, also = tree.query(asking[who[part]], predicate="dwithin", distance=reach)
            more = np.stack([ones[who[part]][closer], owners[also]], axis=1)
            for few in _parts(more[:MOST_COMPARED]):
                yield bound, few

    def _near(self, metres: float) -> Pairs:
        """Pairs that may be so near, each once: their boxes, widened by it, meet."""
        up = metres / LEAST_METRES_A_DEGREE
        south, north = self._bounds[:, 1] - up, self._bounds[:, 3] + up
        widest = np.minimum(np.maximum(np.abs(south), np.abs(north)), 89.9)
        out = np.minimum(metres / (LEAST_METRES_A_DEGREE * np.cos(np.radians(widest))), 360.0)
        boxes = shapely.box(self._bounds[:, 0] - out, south, self._bounds[:, 2] + out, north)
        asked, found = self._tree.query(boxes)
        pairs = np.sort(np.stack([asked, self._owners[found]], axis=1), axis=1)
        return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)

    def _picked(self, pairs: Pairs, test: Callable[[Pairs], NDArray[np.bool_]]) -> Pairs:
        return np.concatenate([part[test(part)] for part in _parts(pairs)]) if len(pairs) else pairs

    def _overlap(self, pairs: Pairs, share: float = TOUCHING) -> NDArray[np.bool_]:
        """Shares of an area are the same in degrees as in metres."""
        a, b = self._shapes[pairs[:, 0]], self._beside(pairs)
        common = shapely.area(shapely.intersection(a, b))
        overlap: NDArray[np.bool_] = common > share * np.minimum(shapely.area(a), shapely.area(b))
        return overlap

    def _apart(self, pairs: Pairs) -> NDArray[np.float64]:
        """(P,) metres between the edges on the plane; 0 where they meet."""
        apart: NDArray[np.float64] = shapely.distance(*self._on_planes(pairs))
        return apart

    def _geodesic(self, pair: NDArray[np.intp]) -> float:
        """Metres between the nearest points of two edges, along the WGS 84 ellipsoid."""
        pairs = pair[None]
        (a,), (b,) = self._on_planes(pairs)
        if shapely.intersects(a, b):
            return 0.0
        (scale,) = self._scales(pairs)
        (x0, y0), (x1, y1) = shapely.get_coordinates(shapely.shortest_line(a, b)) / scale
        return float(Geodesic.WGS84.Inverse(y0, x0, y1, x1)["s12"])

    def _on_planes(self, pairs: Pairs) -> tuple[Shapes, Shapes]:
        """Both of each pair in metres east and north, by the scale of the latitude between them."""
        scales = self._scales(pairs)
        return _scaled(self._shapes[pairs[:, 0]], scales), _scaled(self._beside(pairs), scales)

    def _scales(self, pairs: Pairs) -> NDArray[np.float64]:
        """(P, 2) metres a degree of longitude and of latitude between the two of each pair."""
        middles = (self._bounds[:, 1] + self._bounds[:, 3]) / 2
        lats = (middles[pairs[:, 0]] + middles[pairs[:, 1]]) / 2
        return np.stack(metres_a_degree(lats), axis=1)

    def _beside(self, pairs: Pairs) -> Shapes:
        """The second of each pair, a turn on where that brings it nearer to the first."""
        middles = (self._bounds[:, 0] + self._bounds[:, 2]) / 2
        turns = 360.0 * np.round((middles[pairs[:, 0]] - middles[pairs[:, 1]]) / 360.0)
        return _moved(self._shapes[pairs[:, 1]], turns)


def _parts(pairs: Pairs) -> Iterator[Pairs]:
    for start in range(0, len(pairs), AT_ONCE):
        yield pairs[start : start + AT_ONCE]


def _moved(shapes: Shapes, turns: float | NDArray[np.float64]) -> Shapes:
    """Shapes moved east by so many degrees, one number for all or one each."""
    if not np.any(turns):
        return shapes
    coordinates, owners = shapely.get_coordinates(shapes, return_index=True)
    coordinates[:, 0] += np.broadcast_to(turns, len(shapes))[owners]
    moved: Shapes = shapely.set_coordinates(shapes.copy(), coordinates)
    return moved


def _squeezed(shapes: Shapes, squeeze: NDArray[np.float64]) -> Shapes:
    """Shapes with longitude and latitude multiplied by two numbers."""
    return _scaled(shapes, np.broadcast_to(squeeze, (len(shapes), 2)))


def _scaled(shapes: Shapes, scales: NDArray[np.float64]) -> Shapes:
    coordinates, owners = shapely.get_coordinates(shapes, return_index=True)
    scaled: Shapes = shapely.set_coordinates(shapes.copy(), coordinates * scales[owners])
    return scaled


def metres_a_degree(lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres on the ground of a degree of longitude and of latitude at latitudes, on the WGS 84 ellipsoid."""
    a, f = 6_378_137.0, 1 / 298.257223563
    e2 = f * (2 - f)
    root = 1 - e2 * np.sin(np.radians(lat)) ** 2
    across = a / np.sqrt(root) * np.cos(np.radians(lat))
    along = a * (1 - e2) / root**1.5
    return np.radians(np.maximum(across, 1.0)), np.radians(along)
