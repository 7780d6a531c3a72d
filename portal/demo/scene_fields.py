"""Parcels: field mosaics on the flats and street blocks in towns.

Ground is divided into districts (nearest of jittered points); in each, strips of parcels run in the district's own
direction, so that no two neighbouring districts line up, as on any old farmland seen from above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portal.demo.landcover import Block
from portal.demo.scene_noise import HALO, Array, hashed, smoothstep

#: Reflectance (blue, green, red, near infrared) of fields as they look in early summer, and how common each is.
CROPS = np.array(
    [
        (0.031, 0.070, 0.040, 0.430),
        (0.028, 0.062, 0.032, 0.480),
        (0.045, 0.088, 0.062, 0.340),
        (0.066, 0.108, 0.114, 0.290),
        (0.086, 0.133, 0.150, 0.310),
        (0.074, 0.116, 0.138, 0.270),
        (0.064, 0.091, 0.109, 0.175),
        (0.049, 0.068, 0.078, 0.120),
        (0.084, 0.115, 0.134, 0.200),
        (0.050, 0.078, 0.074, 0.230),
        (0.036, 0.054, 0.046, 0.260),
        (0.052, 0.122, 0.112, 0.390),
    ],
    np.float32,
)
_CROP_SHARE = np.array([16, 12, 12, 9, 11, 9, 9, 6, 5, 6, 7, 2], float)
_TREES = np.array((0.024, 0.042, 0.029, 0.260), np.float32)


@dataclass(frozen=True)
class Parcels:
    """Of n pixels: who (two numbers 0..1 that a parcel's pixels share), district (likewise), edge (pixels to the
    parcel's boundary), lane (whether that boundary is a lane rather than a hedge, 0..1)."""

    who: Array
    other: Array
    district: Array
    edge: Array
    lane: Array


def divide(
    x: Array, y: Array, seed: int, cell: float, depth: tuple[float, float], width: tuple[float, float]
) -> Parcels:
    """Divide the ground at pixels (x, y) into districts about `cell` pixels wide, and those into parcels.

    depth, width: least and greatest size of a parcel in pixels; each district has its own between them.
    """
    number, dx, dy = _districts(x, y, seed, cell)
    angle = 3.14159 * hashed(number, 1, seed)
    size = hashed(number, 2, seed)
    tall = depth[0] + (depth[1] - depth[0]) * size
    wide = width[0] + (width[1] - width[0]) * (0.5 * size + 0.5 * hashed(number, 3, seed))
    u = np.cos(angle) * dx + np.sin(angle) * dy
    v = np.cos(angle) * dy - np.sin(angle) * dx
    strip, across = _cut(v, tall)
    wide = (wide * (0.55 + 0.9 * hashed(number, strip, seed, 4))).astype(np.float32)
    piece, along = _cut((u + 97 * hashed(number, strip, seed, 5)).astype(np.float32), wide)
    halved = hashed(number, strip, piece, seed + 6) < 0.35
    upper = halved & (across > tall / 2)
    near_v = np.minimum(across, tall - across)
    near_v = np.where(halved, np.minimum(near_v, np.abs(across - tall / 2)), near_v)
    near_u = np.minimum(along, wide - along)
    key = piece * 2 + upper
    who, other = hashed(number, strip, key, seed + 7), hashed(number, strip, key, seed + 8)
    lane = hashed(number, np.rint(v / tall).astype(np.int32), seed, 9) * (near_v <= near_u)
    return Parcels(who, other, hashed(number, 10, seed), np.minimum(near_u, near_v), lane)


def _cut(place: NDArray[np.floating], size: NDArray[np.floating]) -> tuple[NDArray[np.int32], Array]:
    """Which piece of the given size a place falls in, and how far into it."""
    piece = np.floor(place / size)
    return piece.astype(np.int32), (place - piece * size).astype(np.float32)


def _districts(x: Array, y: Array, seed: int, cell: float) -> tuple[NDArray[np.int32], Array, Array]:
    """The nearest of points jittered on a square lattice: its number, and the offset from it in pixels."""
    col, row = np.floor(x / cell).astype(np.int32), np.floor(y / cell).astype(np.int32)
    low_col, low_row = int(col.min()) - 1, int(row.min()) - 1
    cols = np.arange(low_col, int(col.max()) + 2, dtype=np.int32)[None, :]
    rows = np.arange(low_row, int(row.max()) + 2, dtype=np.int32)[:, None]
    px = ((cols + hashed(cols, rows, seed)) * cell).astype(np.float32).ravel()
    py = ((rows + hashed(cols, rows, seed + 1)) * cell).astype(np.float32).ravel()
    pitch = cols.size
    home = (row - low_row) * pitch + (col - low_col)
    best = np.full(x.shape, np.inf, np.float32)
    winner = home.copy()
    for shift in (-pitch - 1, -pitch, -pitch + 1, -1, 0, 1, pitch - 1, pitch, pitch + 1):
        other = home + shift
        away = (x - px[other]) ** 2 + (y - py[other]) ** 2
        nearer = away < best
        best = np.where(nearer, away, best)
        winner = np.where(nearer, other, winner)
    number = (rows * 7919 + cols).astype(np.int32).ravel()[winner]
    return number, x - px[winner], y - py[winner]


def paint_parcels(block: Block, slope: Array) -> None:
    """Lay the field mosaic on ground that is flat, low and not too dry, with hedges and lanes between fields."""
    country = block.country
    warmth = block.lattice(country.warmth)
    fertile = (
        0.8 * block.flats
        + 0.3 * smoothstep(slope, 0.24, 0.06)
        + 0.25 * block.lattice(country.moist)
        - 0.0004 * np.maximum(block.height - 100, 0)
    )
    fertile += 0.30 * block.texture("rolling", 1) + 0.10 * block.texture("clump", 3) + 0.15 * warmth
    amount = smoothstep(fertile, 0.32, 0.42) * smoothstep(slope, 0.26, 0.17) * (block.height > 1.5)
    picked = amount > 0.02
    if not picked.any():
        return
    rows, cols = np.nonzero(picked)
    x, y = (cols + (block.col - HALO)).astype(np.float32), (rows + (block.row - HALO)).astype(np.float32)
    bow = 14 * warmth[picked]
    parcels = divide(x + bow, y - bow, country.seed, 74.0, (4.5, 13.0), (7.0, 30.0))
    colour = _crop_colours(parcels, block.texture("rolling", 3)[picked], block.texture("grain", 3)[picked])
    edge = np.clip(1.15 - parcels.edge, 0, 1)
    hedge = edge * (parcels.district > 0.45) * (parcels.lane < 0.8) * 0.6
    lane = edge * (parcels.lane >= 0.8) * 0.75
    share = amount[picked]
    for band in range(4):
        value = colour[band] + hedge * (_TREES[band] - colour[band])
        value += lane * (np.float32((0.11, 0.135, 0.155, 0.21)[band]) - value)
        flat = block.bands[band]
        flat[picked] += share * (value - flat[picked])


def _crop_colours(parcels: Parcels, rolling: Array, grain: Array) -> Array:
    """Reflectance of every field pixel, (4, n): its crop, how well it stands, and the soil under it."""
    bounds = np.cumsum(_CROP_SHARE) / _CROP_SHARE.sum()
    # A district favours some crops: its fields draw from a part of the list that is shifted and narrowed.
    drawn = (parcels.who * 0.62 + 0.38 * parcels.district + 0.13 * (parcels.other > 0.8)) % 1.0
    crop = np.minimum(np.searchsorted(bounds, drawn), len(CROPS) - 1)
    vigour = 0.82 + 0.36 * parcels.other + 0.045 * grain + 0.05 * rolling
    return CROPS.T[:, crop] * vigour.astype(np.float32)


def paint_towns(block: Block, slope: Array) -> None:
    """Lay towns: blocks of roofs and yards, streets between them, parks, and works with large pale roofs."""
    density = block.lattice(block.country.towns)
    density = density + 0.10 * block.texture("clump") * (density > 0.02)
    picked = (density > 0.12) & (block.height > 1.2) & (slope < 0.3)
    if not picked.any():
        return
    rows, cols = np.nonzero(picked)
    x, y = (cols + (block.col - HALO)).astype(np.float32), (rows + (block.row - HALO)).astype(np.float32)
    streets = divide(x, y, block.country.seed + 50, 34.0, (3.2, 5.2), (4.0, 9.0))
    built = smoothstep(density[picked], 0.12, 0.42)
    house = hashed((cols + block.col).astype(np.int32), (rows + block.row).astype(np.int32), block.country.seed + 60)
    red, pale = streets.who, streets.other
    roof = 0.75 + 0.55 * house + 0.25 * red
    works = ((pale > 0.93) & (streets.district > 0.35)).astype(np.float32)
    park = ((pale < 0.10) | (house < 0.10 + 0.25 * (1 - built))).astype(np.float32)
    street = np.clip(1.1 - streets.edge, 0, 1) * 0.7
    for band, (wall, tree, hall, tar) in enumerate(_TOWN):
        value = wall * roof * (1 + (0.22, 0.0, -0.04, 0.0)[3 - band] * (red - 0.5))
        value += park * (tree * (0.8 + 0.4 * house) - value)
        value += works * (hall * (0.7 + 0.5 * red) - value)
        value += street * (tar - value)
        flat = block.bands[band]
        flat[picked] += built * (value.astype(np.float32) - flat[picked])


#: Reflectance of roofs and yards, trees, works and streets, by band.
_TOWN = (
    (0.085, 0.030, 0.212, 0.092),
    (0.110, 0.050, 0.230, 0.110),
    (0.113, 0.038, 0.224, 0.111),
    (0.190, 0.280, 0.290, 0.150),
)
