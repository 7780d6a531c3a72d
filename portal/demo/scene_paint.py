"""Painting a block of the generated scene, from bare ground to what an instrument in orbit records of it.

Vegetation by altitude, slope and moisture, fields on the flats, towns, rock and snow, beaches, rivers and the sea; then
lit by the sun over the terrain, blurred a little as an instrument does, and made noisy.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from portal.demo.landcover import Block, Country
from portal.demo.scene_fields import paint_parcels, paint_towns
from portal.demo.scene_noise import BLOCK, HALO, Array, box_blur, hashed, smoothstep, soften

SUN_AZIMUTH = 150.0
SUN_ALTITUDE = 55.0
#: Noise of the instrument in reflectance x 10000, by band, before what grows with the signal.
_NOISE = np.array((16, 14, 15, 20), np.float32)[:, None, None]


def paint_block(country: Country, row: int, col: int, metres: float) -> tuple[Array, NDArray[np.uint16]]:
    """Paint the block whose first pixel is (row, col), on a grid of `metres` metres.

    Returns heights, (BLOCK, BLOCK) float32 metres, negative under the sea, and reflectance x 10000,
    (4, BLOCK, BLOCK) uint16, red first, never 0.
    """
    block = Block(country, row, col)
    gy, gx = np.gradient(np.maximum(block.height, 0), np.float32(metres))
    if block.height.max() > -1:
        slope = np.hypot(gx, gy)
        _vegetation(block, slope, gy)
        paint_parcels(block, slope)
        _stone_and_snow(block, slope, gy)
        paint_towns(block, slope)
        _farmsteads(block, slope)
        block.lay("asphalt", 0.8 * block.drawn(country.lines.roads))
        _light(block, gx, gy)
        _inland_water(block)
        _shore(block, slope)
    _sea(block)
    core = (slice(HALO, -HALO), slice(HALO, -HALO))
    return block.height[core].copy(), _recorded(block)[(slice(None), *core)]


def _vegetation(block: Block, slope: Array, northing: Array) -> None:
    """Grass, scrub and woods. Woods want shade, moisture and some height, and stop at a ragged tree line."""
    country, height = block.country, block.height
    warmth, woods = block.lattice(country.warmth), block.lattice(country.woods)
    rolling, clump, grain = block.texture("rolling"), block.texture("clump"), block.texture("grain")
    mottle = 1 + 0.035 * grain + 0.07 * clump + 0.05 * rolling
    for band, (dry, green) in enumerate(((0.063, 0.038), (0.096, 0.071), (0.098, 0.050), (0.245, 0.320))):
        lush = smoothstep(height + 300 * rolling - 150 * warmth, 0, 1000) * 0.75 + 0.2 * block.lattice(country.moist)
        block.bands[band] = (dry + (green - dry) * np.clip(lush, 0, 1)) * mottle
    scrub = smoothstep(0.9 * clump + 0.9 * rolling + 0.5 * woods + 3 * slope, -0.2, 1.0)
    block.lay("scrub", 0.85 * scrub, 1 + 0.05 * grain + 0.08 * clump)
    shady = np.clip(northing * 2.4, -0.9, 0.9)
    dense = 0.70 * woods + 0.45 * rolling + 0.22 * clump - shady + 2.4 * np.minimum(slope, 0.4)
    dense += 0.7 * smoothstep(height, 60, 700) - 0.45 - 0.5 * block.flats - 0.35 * block.gully * (slope > 0.06)
    line = 1720 + 130 * warmth + 90 * rolling + 60 * clump - 160 * shady
    wood = smoothstep(dense, 0.0, 0.65) * smoothstep(height, line + 60, line - 60) * (height > 1)
    high = smoothstep(height + 250 * rolling + 120 * clump + 150 * shady, 650, 1150)
    crown = 1 + 0.07 * grain + 0.09 * block.texture("clump", 3)
    felled = smoothstep(block.texture("clump", 2) + block.texture("rolling", 3), 2.1, 2.3)
    wood *= 1 - 0.8 * felled
    block.lay("broadleaf", wood * (1 - high), crown)
    block.lay("conifer", wood * high, crown)


def _stone_and_snow(block: Block, slope: Array, northing: Array) -> None:
    """Alpine grass over the tree line, bare rock where it is steep or high, scree under it, snow on shaded summits."""
    height, slope = block.height, soften(soften(slope))
    rolling, clump, grain = block.texture("rolling", 2), block.texture("clump", 1), block.texture("grain", 2)
    alpine = smoothstep(height + 110 * rolling + 80 * clump, 1600, 1800)
    block.lay("meadow", alpine * 0.8, 0.95 + 0.09 * grain + 0.07 * clump)
    bare = smoothstep(height + 700 * (slope - 0.45) + 150 * rolling + 110 * clump, 1780, 2050)
    bare = np.maximum(bare, 0.8 * smoothstep(slope + 0.10 * clump + 0.05 * rolling, 0.80, 1.02))
    ledges = 1 + 0.10 * grain + 0.12 * clump + 0.06 * rolling
    block.lay("rock", bare, ledges)
    scree = bare * smoothstep(block.texture("clump", 3) + 0.6 * rolling, 0.3, 1.3)
    block.lay("scree", 0.8 * scree, ledges)
    cold = height - 260 * np.clip(northing * 2, -1, 1) * -1 - 500 * np.maximum(slope - 0.45, 0)
    snow = smoothstep(cold + 110 * rolling + 90 * clump + 30 * grain, 2120, 2330)
    block.lay("snow", snow, 0.95 + 0.03 * grain)


def _farmsteads(block: Block, slope: Array) -> None:
    """Single houses with pale roofs and yards, and ponds: what sparkles in any settled country."""
    rows = np.arange(block.row, block.row + block.side, dtype=np.int32)[:, None]
    cols = np.arange(block.col, block.col + block.side, dtype=np.int32)[None, :]
    chance = hashed(rows, cols, block.country.seed + 70)
    settled = (block.height > 2) & (block.height < 1750) & (slope < 0.45)
    many = 0.0004 + 0.0014 * smoothstep(block.flats, 0.2, 0.8)
    block.lay("roof", 0.9 * (settled & (chance < many)))
    block.lay("pond", 0.9 * (settled & (chance > 1 - 0.25 * many)))


def _light(block: Block, gx: Array, gy: Array) -> None:
    """Light the ground by the sun and a bluish sky; columns run east and rows south."""
    azimuth, altitude = math.radians(SUN_AZIMUTH), math.radians(SUN_ALTITUDE)
    east, south = math.sin(azimuth) * math.cos(altitude), -math.cos(azimuth) * math.cos(altitude)
    up = math.sin(altitude)
    direct = (up - east * gx - south * gy) / np.sqrt(1 + gx * gx + gy * gy) / np.float32(up)
    direct = np.maximum(direct, 0.0)
    for band, sky in zip(block.bands, (0.24, 0.19, 0.16, 0.12), strict=True):
        band *= sky + (1 - sky) * direct


def _inland_water(block: Block) -> None:
    """Rivers between gravel banks, and the lake with its paler rim."""
    river = block.drawn(block.country.lines.rivers)
    if river.any():
        bank = np.clip(box_blur(river, 2) * 1.3, 0, 1) * block.flats
        block.lay("gravel", 0.5 * bank * smoothstep(block.texture("clump", 2), -0.2, 1.0))
        green = np.clip(box_blur(river, 3) * 1.5, 0, 1)
        block.lay("broadleaf", 0.4 * green * smoothstep(block.texture("clump", 3), 0.0, 1.0))
        block.lay("river", np.minimum(river * 1.1, 1))
    if (block.lake > 0.1).any():
        lake = smoothstep(block.lake, 0.38, 0.5)
        rim = lake * (1 - smoothstep(block.lake, 0.5, 0.98))
        ripple = 1 + 0.05 * block.texture("waves") + 0.06 * block.texture("rolling", 1)
        block.lay("lake", lake, ripple)
        block.lay("shallow", 0.35 * rim)


def _shore(block: Block, slope: Array) -> None:
    """Beaches where the land meets the sea gently, bare cliffs where it does not."""
    near = box_blur((block.height <= 0).astype(np.float32), 2)
    if not near.any():
        return
    gentle = smoothstep(slope, 0.14, 0.05) * smoothstep(
        block.texture("rolling", 3) + 0.4 * block.texture("clump"), -0.5, 0.5
    )
    block.lay("sand", 0.9 * smoothstep(near, 0.12, 0.42) * gentle, 1 + 0.06 * block.texture("grain"))
    block.lay("scrub", 0.6 * smoothstep(near, 0.15, 0.4) * smoothstep(slope, 0.10, 0.25))


def _sea(block: Block) -> None:
    """The sea: bottom and silt showing through near the coast, then blue, with glint on the waves and surf."""
    sea = block.height <= 0
    if not sea.any():
        return
    depth = np.maximum(-block.height, 0)
    rolling, waves, clump = block.texture("rolling"), block.texture("waves"), block.texture("clump", 1)
    bottom = np.exp(-depth * (0.045 + 0.012 * np.clip(rolling, -2, 2)))
    silt = bottom * smoothstep(block.lattice(block.country.flats_near), 0.1, 0.8)
    water = np.empty_like(block.bands)
    glint = 0.0018 * waves + 0.0011 * block.texture("grain", 1) * (1 + 0.5 * rolling) + 0.0012 * rolling
    glint += 0.0014 * smoothstep(block.texture("rolling", 2), 0.6, 1.3) * (1 + 0.4 * waves)
    for band, (deep, shallow, mud) in enumerate(_SEA):
        value = deep + (shallow - deep) * np.clip(bottom * (0.85 + 0.10 * clump), 0, 1)
        value += 0.55 * silt * (mud - value) * (0.8 + 0.2 * rolling)
        water[band] = value + glint
    surf = smoothstep(box_blur((block.height > 0).astype(np.float32), 1), 0.05, 0.6)
    surf *= smoothstep(block.texture("clump", 2) + block.texture("rolling", 1), 0.1, 1.0)
    water += 0.3 * surf * (np.float32(0.17) - water)
    np.copyto(block.bands, water, where=sea)


#: Reflectance of open sea, of shallow water over sand and of silty water, by band.
_SEA = ((0.042, 0.074, 0.070), (0.026, 0.090, 0.092), (0.011, 0.042, 0.078), (0.006, 0.012, 0.026))


def _recorded(block: Block) -> NDArray[np.uint16]:
    """What the instrument makes of it: haze that thins with height, a slight blur, noise, whole numbers; red first."""
    air = np.exp(-np.maximum(block.height, 0) / 2500)
    for band, path in zip(block.bands, (0.006, 0.004, 0.002, 0.001), strict=True):
        band += np.float32(path) * air
    signal = soften(block.bands, 0.11)[[2, 1, 0, 3]] * np.float32(10000)
    rng = np.random.default_rng([block.country.seed, 30, block.row, block.col])
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    signal += noise * (_NOISE + np.float32(0.008) * signal)
    return np.clip(np.rint(signal), 1, 65535).astype(np.uint16)


__all__ = ["BLOCK", "paint_block"]
