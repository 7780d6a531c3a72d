"""The ground of one block of the generated scene: its heights, and the kinds of cover that are laid on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portal.demo.scene_lines import Lines
from portal.demo.scene_noise import (
    BLOCK,
    HALO,
    TEXTURE_SIDE,
    Array,
    extend,
    fractal,
    refine_block,
    smoothstep,
    soft_blur,
    texture,
)
from portal.demo.terrain import Land, steepness

#: Reflectance (blue, green, red, near infrared) of each kind of ground.
COVER = {
    "scrub": (0.033, 0.060, 0.052, 0.215),
    "dry_grass": (0.062, 0.096, 0.108, 0.245),
    "meadow": (0.038, 0.074, 0.050, 0.330),
    "broadleaf": (0.028, 0.052, 0.039, 0.310),
    "conifer": (0.021, 0.034, 0.027, 0.195),
    "rock": (0.108, 0.126, 0.138, 0.190),
    "scree": (0.158, 0.176, 0.188, 0.245),
    "snow": (0.275, 0.282, 0.278, 0.245),
    "sand": (0.135, 0.172, 0.195, 0.265),
    "gravel": (0.120, 0.145, 0.160, 0.215),
    "asphalt": (0.098, 0.112, 0.122, 0.165),
    "roof": (0.270, 0.285, 0.290, 0.330),
    "pond": (0.019, 0.019, 0.016, 0.010),
    "river": (0.040, 0.056, 0.040, 0.025),
    "lake": (0.031, 0.036, 0.020, 0.010),
    "shallow": (0.076, 0.105, 0.056, 0.016),
    "deep": (0.034, 0.026, 0.012, 0.006),
    "silt": (0.075, 0.098, 0.086, 0.030),
    "foam": (0.190, 0.200, 0.195, 0.150),
}


@dataclass(frozen=True)
class Country:
    """All that painting a block needs: extended lattices (see scene_noise.extend), lines, and periodic textures."""

    height: Array
    gullies: Array
    flats: Array
    lake: Array
    towns: Array
    moist: Array
    warmth: Array
    woods: Array
    flats_near: Array
    lines: Lines
    textures: dict[str, Array]
    lake_level: float
    seed: int


def make_textures(seed: int) -> dict[str, Array]:
    """The periodic textures: `rolling` (many scales), `clump` (a few pixels), `ribs` (about 8), `grain`, `waves`."""
    kinds: dict[str, dict[str, Any]] = {
        "rolling": {"slope": 2.6, "longest": 400.0},
        "clump": {"slope": 1.6, "longest": 40.0},
        "ribs": {"slope": 0.9, "longest": 16.0, "shortest": 4.0},
        "grain": {"slope": 0.4, "longest": 10.0},
        "waves": {"slope": 1.6, "longest": 60.0, "shortest": 3.0, "stretch": 3.5},
    }
    return {
        name: texture(np.random.default_rng([seed, 20, number]), **kind)
        for number, (name, kind) in enumerate(kinds.items())
    }


def make_country(land: Land, lines: Lines, textures: dict[str, Array], seed: int) -> Country:
    """Gather what blocks are painted from."""
    rng = np.random.default_rng([seed, 21])
    shape = land.height.shape
    woods = fractal(rng, shape, period=60, gain=0.62)
    warmth = fractal(rng, shape, period=200, gain=0.5)
    silt = soft_blur(land.flats, max(1, max(shape) // 130)) * 2
    return Country(
        height=extend(land.height),
        gullies=extend(steepness(land)),
        flats=extend(land.flats),
        flats_near=extend(silt),
        lake=extend(land.lake.astype(np.float32)),
        towns=extend(lines.towns),
        moist=extend(lines.moist),
        warmth=extend(warmth),
        woods=extend(woods),
        lines=lines,
        textures=textures,
        lake_level=land.lake_level,
        seed=seed,
    )


class Block:
    """One block of the scene with HALO pixels around it: its heights, its light, and its reflectance as it is painted.

    All arrays are (n, n) float32 with n = BLOCK + 2 * HALO; `bands` is (4, n, n).
    """

    def __init__(self, country: Country, row: int, col: int) -> None:
        self.country, self.row, self.col = country, row, col
        self.side = BLOCK + 2 * HALO
        self.flats = self.lattice(country.flats)
        self.lake = self.lattice(country.lake)
        self.height = self._heights()
        self.bands = np.empty((4, self.side, self.side), np.float32)

    def lattice(self, extended: Array) -> Array:
        return refine_block(extended, self.row - HALO, self.col - HALO, self.side, self.side)

    def texture(self, name: str, variant: int = 0) -> Array:
        """The texture's part under the block; another variant is turned so that it goes unnoticed."""
        field = self.country.textures[name]
        field = (field, field[::-1], field[:, ::-1], field[::-1, ::-1])[variant]
        row, col = self.row % TEXTURE_SIDE, self.col % TEXTURE_SIDE
        return field[row : row + self.side, col : col + self.side]

    def drawn(self, canvas: NDArray[np.uint8]) -> Array:
        """A canvas' part under the block, 0..1, zero outside the scene."""
        out = np.zeros((self.side, self.side), np.float32)
        top, left = max(self.row - HALO, 0), max(self.col - HALO, 0)
        part = canvas[top : self.row + BLOCK + HALO, left : self.col + BLOCK + HALO]
        y, x = top - (self.row - HALO), left - (self.col - HALO)
        out[y : y + part.shape[0], x : x + part.shape[1]] = part
        return out * np.float32(1 / 255)

    def lay(self, cover: str | tuple[float, ...], amount: Array, grain: Array | None = None) -> None:
        """Cover the ground with a kind of cover where amount is above 0, its brightness varied by grain (1 = as is)."""
        colour = COVER[cover] if isinstance(cover, str) else cover
        for band, value in zip(self.bands, colour, strict=True):
            target = np.float32(value) if grain is None else np.float32(value) * grain
            band += amount * (target - band)

    def _gullies(self, height: Array) -> Array:
        """Ribs and gullies that run down the slopes: noise averaged along the fall line, of deviation about 1.

        As in line integral convolution, Cabral and Leedom 1993, doi 10.1145/166117.166151.
        """
        gy, gx = np.gradient(height)
        length = np.sqrt(gx * gx + gy * gy) + np.float32(0.3)
        gx, gy = gx / length, gy / length
        rows = np.arange(self.row, self.row + self.side, dtype=np.float32)[:, None] + np.zeros_like(height)
        cols = np.arange(self.col, self.col + self.side, dtype=np.float32)[None, :] + np.zeros_like(height)
        field = self.country.textures["ribs"].ravel()
        total = np.zeros_like(height)
        for step in range(-3, 4):
            row = (rows + np.float32(1.8 * step) * gy).astype(np.int32) & (TEXTURE_SIDE - 1)
            col = (cols + np.float32(1.8 * step) * gx).astype(np.int32) & (TEXTURE_SIDE - 1)
            total += field[row * (TEXTURE_SIDE + 2 * HALO) + col]
        return total * np.float32(1 / 4)

    def _heights(self) -> Array:
        height = self.lattice(self.country.height)
        rough = self.lattice(self.country.gullies)
        self.gully = self._gullies(height)
        height += rough * (8.5 * self.gully + 1.5 * self.texture("clump", 2))
        land = smoothstep(height, 0, 10)
        height += land * (0.7 * self.texture("clump") + 0.15 * self.texture("grain", 1)) * (1 - self.lake)
        water = self.lake >= 0.5
        if water.any():
            height[water] = self.country.lake_level
        return height
