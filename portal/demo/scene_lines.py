"""What people and water drew on the generated landscape: rivers, roads and where towns are.

Lines follow the land: rivers its drainage tree, roads the cheapest way between towns.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from portal.demo.scene_noise import Array, box_blur, extreme, fractal, sample, smoothstep
from portal.demo.terrain import NODE, Land

#: Nodes between the junctions of the lattice that roads are planned on.
_ROAD_STEP = 6


@dataclass(frozen=True)
class Lines:
    """rivers, roads: (H, W) uint8, how much of a pixel is water or road, 0..255.

    towns: (h, w) float32 lattice, 0..1, how densely built. moist: (h, w) float32 lattice, 0..1, near water.
    """

    rivers: NDArray[np.uint8]
    roads: NDArray[np.uint8]
    towns: Array
    moist: Array


def draw_lines(land: Land, shape: tuple[int, int], seed: int) -> Lines:
    """Draw rivers and roads on shape pixels, and lay out towns."""
    rng = np.random.default_rng([seed, 10])
    towns, centres = _towns(rng, land)
    rivers = _rivers(rng, land, shape)
    roads = _roads(rng, land, centres, shape)
    wet = smoothstep(np.log10(extreme(land.area, 2, largest=True)), 1.8, 4.0)
    return Lines(rivers, roads, towns, box_blur(wet.astype(np.float32), 3))


def _rivers(rng: np.random.Generator, land: Land, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Rivers as wide as their catchment asks for, smoothed along their course and bent with the land."""
    h, w = land.height.shape
    area = land.source_area.ravel()
    nodes = np.flatnonzero((area > 260) & (land.receiver != np.arange(area.size)))
    y, x = (np.arange(area.size) // w).astype(np.float32), (np.arange(area.size) % w).astype(np.float32)
    y, x = _unbend(land, y, x)
    wander = [fractal(rng, (h, w), period=7, gain=0.5) for _ in range(2)]
    slow = np.clip(land.flats, 0, 1)
    x += (sample(wander[0] * slow, x, y)) * 0.8
    y += (sample(wander[1] * slow, x, y)) * 0.8
    order = nodes[np.argsort(area[nodes])]
    down = land.receiver[nodes]
    donor = np.arange(area.size)
    donor[land.receiver[order]] = order
    for _ in range(3):
        for place in (x, y):
            place[nodes] = 0.5 * place[nodes] + 0.25 * (place[down] + place[donor[nodes]])
    canvas = Image.new("L", (shape[1], shape[0]))
    pen = ImageDraw.Draw(canvas)
    width = 0.55 * (area[order] / 260.0) ** 0.36
    ends = land.receiver[order]
    middle = (NODE - 1) / 2
    points = np.stack([x[order], y[order], x[ends], y[ends]], axis=1) * NODE + middle
    for (x0, y0, x1, y1), size in zip(points.tolist(), width.tolist(), strict=True):
        pen.line((x0, y0, x1, y1), fill=int(min(255, 150 * size)), width=max(1, round(size)))
    return np.asarray(canvas)


def _unbend(land: Land, y: Array, x: Array) -> tuple[Array, Array]:
    """Where nodes of the drainage tree came to lie after the land was bent."""
    row, col = y.copy(), x.copy()
    for _ in range(3):
        dy, dx = sample(land.bend[0], col, row), sample(land.bend[1], col, row)
        row, col = y - dy, x - dx
    return row, col


def _towns(rng: np.random.Generator, land: Land) -> tuple[Array, list[tuple[int, int, float]]]:
    """Put towns on flat ground, the larger ones near sea and rivers. Returns their density and (row, col, radius)."""
    h, w = land.height.shape
    near_sea = box_blur((land.height <= 0).astype(np.float32), 12)
    river = smoothstep(np.log10(extreme(land.area, 4, largest=True)), 2.5, 4.5)
    suited = land.flats * (0.15 + river + 2.5 * near_sea) * (land.height > 2) * ~land.lake
    worth = suited.ravel().astype(np.float64) + 1e-12
    count = max(3, round(h * w / 9000))
    picks = rng.choice(worth.size, size=count, p=worth / worth.sum())
    density = np.zeros((h, w), np.float32)
    ragged = fractal(rng, (h, w), period=16, gain=0.6)
    sizes = np.sort(rng.pareto(1.5, count))[::-1]
    centres = []
    for pick, size in zip(picks.tolist(), sizes.tolist(), strict=True):
        row, col, radius = pick // w, pick % w, min(3.0 + 2.4 * size, 0.045 * max(h, w), 30.0)
        reach = int(2.5 * radius) + 2
        rows, cols = slice(max(row - reach, 0), row + reach), slice(max(col - reach, 0), col + reach)
        yy, xx = np.ogrid[rows.start : min(rows.stop, h), cols.start : min(cols.stop, w)]
        away = np.hypot(yy - row, xx - col) / radius
        built = np.clip(1.25 - away + 0.40 * ragged[rows, cols], 0, 1)
        density[rows, cols] = np.maximum(density[rows, cols], built)
        centres.append((row, col, radius))
    gy, gx = np.gradient(np.maximum(land.height, 0))
    density *= smoothstep(np.hypot(gx, gy).astype(np.float32), 14, 5) * (land.height > 0.5) * ~land.lake
    return density.astype(np.float32), centres


def _roads(
    rng: np.random.Generator, land: Land, centres: list[tuple[int, int, float]], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Roads from every town to the two largest, along the cheapest way, so that they join as real ones do."""
    coarse = land.height[::_ROAD_STEP, ::_ROAD_STEP]
    rough = np.exp(0.9 * fractal(rng, coarse.shape, period=7, gain=0.7))
    canvas = Image.new("L", (shape[1], shape[0]))
    pen = ImageDraw.Draw(canvas)
    for rank, (row, col, _) in enumerate(centres[:2]):
        wet = (coarse <= 0.5) | land.lake[::_ROAD_STEP, ::_ROAD_STEP]
        parent = _cheapest_ways(coarse, wet, rough, (row // _ROAD_STEP, col // _ROAD_STEP))
        uses = np.zeros(parent.size, np.int64)
        for r, c, radius in centres:
            place = (r // _ROAD_STEP) * coarse.shape[1] + c // _ROAD_STEP
            while parent[place] >= 0 and parent[place] != place:
                uses[place] += 1 + int(radius)
                place = int(parent[place])
        _draw_tree(pen, parent, uses, coarse.shape[1], 120 if rank else 150)
    return np.asarray(canvas)


def _cheapest_ways(height: Array, wet: NDArray[np.bool_], rough: Array, start: tuple[int, int]) -> NDArray[np.int64]:
    """Dijkstra over a lattice: climbs cost, water costs most. Returns each node's flat parent, or -1."""
    h, w = height.shape
    z, water, noise = height.ravel().tolist(), wet.ravel().tolist(), rough.ravel().tolist()
    first = start[0] * w + start[1]
    best = [float("inf")] * (h * w)
    parent = np.full(h * w, -1, np.int64)
    best[first], parent[first] = 0.0, first
    heap = [(0.0, first)]
    while heap:
        cost, node = heapq.heappop(heap)
        if cost > best[node]:
            continue
        row, col = divmod(node, w)
        for dy, dx, length in _WAYS:
            if not (0 <= row + dy < h and 0 <= col + dx < w):
                continue
            other = node + dy * w + dx
            step = length * (0.4 + noise[other] + (30.0 if water[other] else 0.03 * abs(z[other] - z[node])))
            if cost + step < best[other]:
                best[other] = cost + step
                parent[other] = node
                heapq.heappush(heap, (cost + step, other))
    return parent


_WAYS = [(dy, dx, (dy * dy + dx * dx) ** 0.5) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


def _draw_tree(pen: ImageDraw.ImageDraw, parent: NDArray[np.int64], uses: NDArray[np.int64], w: int, ink: int) -> None:
    nodes = np.flatnonzero(uses)
    y, x = (np.arange(parent.size) // w).astype(np.float64), (np.arange(parent.size) % w).astype(np.float64)
    down = parent[nodes]
    donor = np.arange(parent.size)
    donor[down] = nodes
    for _ in range(2):
        for place in (x, y):
            place[nodes] = 0.4 * place[nodes] + 0.3 * (place[down] + place[donor[nodes]])
    scale = NODE * _ROAD_STEP
    points = np.stack([x[donor[nodes]], y[donor[nodes]], x[nodes], y[nodes], x[down], y[down]], axis=1) * scale
    for (x0, y0, x1, y1, x2, y2), use in zip(points.tolist(), uses[nodes].tolist(), strict=True):
        curve = _bend(((x0 + x1) / 2, (y0 + y1) / 2), (x1, y1), ((x1 + x2) / 2, (y1 + y2) / 2))
        pen.line(curve, fill=min(ink + 6 * use, 235), width=2 if use > 120 else 1)


def _bend(
    start: tuple[float, float], corner: tuple[float, float], end: tuple[float, float]
) -> list[tuple[float, float]]:
    """A quadratic Bezier curve of six pieces."""
    curve = []
    for k in range(7):
        t = k / 6
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        curve.append((a * start[0] + b * corner[0] + c * end[0], a * start[1] + b * corner[1] + c * end[1]))
    return curve
