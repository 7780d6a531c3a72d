"""The shape of the generated land: a coast, islands, a plain, and mountains carved by their own rivers.

Heights come from the stream power law in its steady state: the slope of a river is uplift / area**0.45, limited on
hillsides by the angle of repose. Areas and heights are summed along the drainage tree by pointer jumping, so that a
million nodes need about a dozen array operations. Solved on ever finer lattices, 4 pixels a node on the last.
Source of the law and its steady state: Howard 1994, doi 10.1029/94WR00757; Tzathas et al. 2024, doi 10.1145/3680528.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portal.demo.scene_drainage import Nodes, jumps, lengths, receivers, roots
from portal.demo.scene_noise import Array, box_blur, extreme, fractal, refine, sample, smoothstep, soft_blur, soften

#: Pixels to a node of the finest drainage lattice.
NODE = 4
AREA_EXPONENT = 0.45
REPOSE = 0.62
#: Slope of a river that drains one node of the finest lattice, at uplift 1.
_ERODIBILITY = 1.9
#: Metres of water over the floor of the lake's basin.
_LAKE_RISE = 90.0
#: Islands and headlands off the coast: x, y and size as shares of the scene, and height.
_ISLANDS = (
    (0.12, 0.63, 0.036, 0.06),
    (0.215, 0.70, 0.030, 0.05),
    (0.085, 0.39, 0.030, 0.06),
    (0.17, 0.45, 0.022, 0.05),
)


@dataclass(frozen=True)
class Land:
    """Lattices of the land, all (h, w), one node for NODE x NODE pixels.

    height: metres, negative under the sea. flood: upstream area in nodes. receiver: flat index of the node that a
    node drains to, itself at an outlet. flats: 0..1, how much the ground is river or coast deposit. lake: the lake.
    lake_level: metres. bend: rows and columns, in nodes, by which the lattice was bent after the rivers were traced:
    what stands at p was at p + bend there. receiver and source_area (upstream area again) are the unbent ones.
    """

    height: Array
    area: Array
    receiver: Nodes
    flats: Array
    lake: NDArray[np.bool_]
    lake_level: float
    bend: tuple[Array, Array]
    source_area: Array


@dataclass(frozen=True)
class _Plan:
    """The plan on one lattice, (h, w): uplift (relative), base (True where the sea level holds), lake."""

    uplift: Array
    base: NDArray[np.bool_]
    lake: NDArray[np.bool_]
    offshore: Array


def make_land(seed: int, shape: tuple[int, int], metres: float, lake: tuple[float, float, float, float]) -> Land:
    """Make the land for a scene of shape pixels of `metres` metres.

    lake: the rectangle that must be under water: centre x, y, half width, half height as shares of the scene's width
    and height; half width 0 for no lake.
    """
    nodes = (-(-shape[0] // NODE), -(-shape[1] // NODE))
    plan = _plan(seed, nodes, lake)
    height, area, receiver, level = _carve(seed, plan, nodes, metres * NODE)
    lake_nodes = _flood_lake(height, receiver, plan.lake, level)
    height, flats = _deposit(height, area, lake_nodes, metres * NODE)
    height = _dry_pools(_drown(seed, height, plan), receiver)
    level = float(round(level + _LAKE_RISE - 10))
    height = np.where(height > 0, soften(height, 0.1), height)
    height[lake_nodes] = level
    bend = _bends(seed, nodes)
    source_area = area
    height, area, flats = (_bent(field, bend) for field in (height, area, flats * (height > 0)))
    water = _bent(lake_nodes.astype(np.float32), bend)
    return Land(height, area, receiver, flats, water >= 0.5, level, bend, source_area)


def _plan(seed: int, shape: tuple[int, int], lake: tuple[float, float, float, float]) -> _Plan:
    """Lay out sea, plain, ranges and lake in shares of the scene, so that a tiny scene has all of them too."""
    rng = np.random.default_rng([seed, 1])
    h, w = shape
    extent = max(shape)
    x = np.linspace(0, 1, w, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, h, dtype=np.float32)[:, None]
    wide = fractal(rng, shape, period=extent / 3, gain=0.55)
    rough = fractal(rng, shape, period=extent / 9, gain=0.62)
    coast = 0.36 + 0.05 * np.sin(6.0 * y + 0.6) - 0.09 * np.exp(-(((y - 0.20) / 0.13) ** 2))
    inland = x - coast + 0.045 * wide + 0.030 * rough
    island = np.full(shape, -1, np.float32)
    for cx, cy, size, strength in _ISLANDS:
        away = np.hypot(x - cx + 0.02 * wide, (y - cy) * 1.3 + 0.02 * rough) / size
        island = np.maximum(island, strength * (1 - away) + 0.025 * rough)
    inland = np.maximum(inland, island)
    inland -= 0.20 * np.exp(-(((x - 0.30) / 0.10) ** 2) - ((y - 0.80) / 0.06) ** 2)
    crest = 0.74 + 0.07 * np.sin(4.2 * y + 2.0) + 0.035 * wide + 0.03 * rough
    main = np.exp(-(((x - crest) / (0.165 + 0.03 * np.clip(wide, -2, 2))) ** 2))
    north = np.exp(-(((y - 0.08 - 0.2 * (x - 0.3)) / 0.13) ** 2)) * smoothstep(x, 0.1, 0.3)
    islands = smoothstep(island, -0.03, 0.05) * (0.34 + 0.12 * wide)
    hills = 0.20 * smoothstep(rough + 0.6 * wide, 0.4, 1.6) * smoothstep(inland, 0.02, 0.1)
    uplift = np.maximum.reduce([main * (1.0 + 0.25 * rough), 0.75 * north, islands, hills])
    uplift = np.clip(uplift, 0.0, 1.4) * (1.0 + 0.18 * rough)
    uplift = 0.018 + np.clip(uplift - 0.06, 0, None)
    cx, cy, half_width, half_height = lake
    core = np.zeros(shape, bool)
    if half_width > 0:
        core = np.abs((x - cx) / half_width) ** 2.2 + np.abs((y - cy) / half_height) ** 2.2
        core = core < np.maximum(2.06, 2.7 + 0.8 * rough + 0.8 * wide)
    return _Plan(uplift.astype(np.float32), inland < -0.03, core, inland.astype(np.float32))


def _carve(seed: int, plan: _Plan, shape: tuple[int, int], metres: float) -> tuple[Array, Array, Nodes, float]:
    """Let rivers carve the plan, from a coarse lattice to the finest. Returns height, area, receiver, lake level."""
    rng = np.random.default_rng([seed, 2])
    levels = 0
    while levels < 3 and min(shape) >> (levels + 1) >= 24:
        levels += 1
    height: Array | None = None
    level = 0.0
    for k in range(levels, -1, -1):
        size = (-(-shape[0] // 2**k), -(-shape[1] // 2**k))
        pick = np.ix_(_spread(size[0], shape[0], k), _spread(size[1], shape[1], k))
        base, lake, uplift = plan.base[pick], plan.lake[pick], plan.uplift[pick]
        if height is None:
            height = np.where(base, 0, 100 * box_blur(uplift, 2) + 300 * np.maximum(plan.offshore[pick], 0))
            height = (height + rng.random(size, dtype=np.float32) * 8 * ~base).astype(np.float32)
        else:
            height = refine(height, size)
            height += rng.standard_normal(size, dtype=np.float32) * 6 * smoothstep(height, 0, 200)
        wobble = rng.uniform(0.75, 1.3, size=(8, *size)).astype(np.float32)
        if lake.any():
            level = float(np.percentile(height[lake], 8)) if k == levels else level
        rounds = (60, 14, 5, 3)[levels - k]
        for turn in range(rounds):
            if lake.any() and k == levels and turn == rounds // 2:
                level = round(float(np.percentile(height[lake], 10)))
            settled = k < levels or turn >= rounds // 2
            outlets = base | lake if settled else base
            height[base] = 0
            if lake.any() and settled:
                height[lake] = level
            height, area, receiver = _settle(height, outlets, uplift, wobble, metres * 2**k, metres)
    assert height is not None  # noqa: S101
    return height, area, receiver, level


def _spread(count: int, total: int, level: int) -> Nodes:
    return np.minimum(np.arange(count) * 2**level + 2**level // 2, total - 1)


def _settle(
    height: Array, outlets: NDArray[np.bool_], uplift: Array, wobble: Array, metres: float, unit: float
) -> tuple[Array, Array, Nodes]:
    """One round: find where each node drains, and give rivers the slope that their water keeps."""
    receiver = receivers(height, outlets, wobble)
    steps = jumps(receiver)
    area = np.ones(height.size + 1)
    area[-1] = 0
    for nodes, target in steps:
        area += np.bincount(target, weights=area[nodes], minlength=area.size)
        area[-1] = 0
    area = area[:-1] * (metres / unit) ** 2
    slope = np.minimum(_ERODIBILITY * uplift.ravel() / area**AREA_EXPONENT, REPOSE * (0.55 + 0.45 * uplift.ravel()))
    rise = np.append(slope * lengths(receiver, height.shape[1]) * metres, 0)
    rise[:-1][outlets.ravel()] = height[outlets]
    for nodes, target in steps:
        rise[nodes] += rise[target]
    settled = rise[:-1].reshape(height.shape).astype(np.float32)
    return settled, area.reshape(height.shape).astype(np.float32), receiver


def _flood_lake(height: Array, receiver: Nodes, core: NDArray[np.bool_], level: float) -> NDArray[np.bool_]:
    """The lake with its arms: every node that drains into the core and lies less than _LAKE_RISE above it."""
    if not core.any():
        return core
    return core | (core.ravel()[roots(receiver)].reshape(core.shape) & (height < level + _LAKE_RISE))


def _deposit(height: Array, area: Array, lake: NDArray[np.bool_], metres: float) -> tuple[Array, Array]:
    """Fill valley floors and the coastal plain with gravel and silt, more along larger rivers.

    Returns the height and the share of deposit, 0..1.
    """
    radius = max(1, round(480 / metres))
    water = soft_blur(np.log10(extreme(area, radius, largest=True)), radius)
    floor = soft_blur(extreme(height, radius, largest=False), radius) + 9.0 * np.clip(water - 1.4, 0, 2.6)
    fill = np.clip(floor - height, 0, 60) * ~lake
    height = height + np.float32(0.9) * fill
    relief = soft_blur(extreme(height, 2, largest=True) - extreme(height, 2, largest=False), 2)
    return height, np.maximum(smoothstep(fill, 1.0, 10.0) * smoothstep(relief, 90, 40), smoothstep(relief, 42, 18))


def _dry_pools(height: Array, receiver: Nodes) -> Array:
    """Raise ground that lies under the sea level but not along a way that the sea can come in by."""
    barrier = height.ravel().copy()
    for nodes, target in jumps(receiver):
        barrier[nodes] = np.maximum(barrier[nodes], barrier[target])
    pool = (height <= 0) & (barrier.reshape(height.shape) > 0)
    return np.where(pool, np.float32(2.5), height)


def _bends(seed: int, shape: tuple[int, int]) -> tuple[Array, Array]:
    rng = np.random.default_rng([seed, 5])
    bends = [1.6 * fractal(rng, shape, period=24, gain=0.45) for _ in range(2)]
    return bends[0].astype(np.float32), bends[1].astype(np.float32)


def _bent(field: Array, bend: tuple[Array, Array]) -> Array:
    """Resample a lattice along the bends, which hides that its rivers were traced in eight directions."""
    rows, cols = np.indices(field.shape, dtype=np.float32)
    return sample(field, cols + bend[1], rows + bend[0])


def _drown(seed: int, height: Array, plan: _Plan) -> Array:
    """Raise the sea over the shelf: little at the plain, much at steep coasts, where valleys become bays."""
    rng = np.random.default_rng([seed, 3])
    extent = max(height.shape)
    rise = 5.0 + 55.0 * smoothstep(soft_blur(plan.uplift, max(1, extent // 60)), 0.06, 0.5)
    rise *= 1.0 + 0.25 * fractal(rng, height.shape, period=extent / 8)
    depth = 900.0 * np.minimum(plan.offshore + 0.035, 0) - 3
    return np.where(plan.base, np.minimum(depth, -3.0), height - np.maximum(rise, 3.0)).astype(np.float32)


def steepness(land: Land) -> Array:
    """How much gully detail the ground wants, (h, w) about 0..2: by its slope, none on deposits and water."""
    gy, gx = np.gradient(np.maximum(land.height, -10))
    steep = np.minimum(np.hypot(gx, gy) / 60.0, 2.0).astype(np.float32)
    steep[land.lake] = 0
    return box_blur(steep, 1) * (1 - 0.85 * land.flats)
