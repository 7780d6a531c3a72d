"""What is wrong with some tiles of the generated scene, on purpose: what a reviewer should find.

Each flaw is confined to one tile's window. Those of the elevation are planted in the mosaic of all files, so that
files still share their edges; those of the imagery through the window's footprint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portal.demo.scene_grid import Footprint, Layout, Window
from portal.demo.scene_noise import Array, box_blur, fractal, smoothstep

VOID = -32767
_SHIFT = (5, -4)
_SMALL_VOID, _LARGE_VOID = 0.02, 0.20
#: At most one land tile in this many is flawed: a tiny scene has only the first few kinds.
_LAND_PER_FLAW = 3


@dataclass(frozen=True)
class Anomaly:
    """A planted flaw: its kind, the elevation file (name), column and row of the window there, and what was done.

    source: file, column and row of the window that a duplicate was copied from.
    """

    kind: str
    dem_file: str
    col: int
    row: int
    note: str
    source: tuple[str, int, int] | None = None


@dataclass(frozen=True)
class Canvas:
    """What flaws are planted in: dem (rows, cols) int16 metres, imagery (4, H, W) uint16."""

    layout: Layout
    dem: NDArray[np.int16]
    imagery: NDArray[np.uint16]
    seed: int


#: Plants a flaw in a window, copying from another when one is given; returns a note, or nothing when it could not.
Work = Callable[[Canvas, Window, np.random.Generator, Window | None], str]


@dataclass(frozen=True)
class _Census:
    """Of a window: its share of land, mean height and height range in metres."""

    window: Window
    land: float
    mean: float
    relief: float


def dem_name(file: int) -> str:
    """The name of an elevation file, counted from 0."""
    return f"coast_{file + 1}.tif"


def plant(canvas: Canvas, flat: Window | None, cut: Window | None) -> list[Anomaly]:
    """Plant as many kinds of flaw as the scene has room for.

    flat: the window that lies wholly in the lake; cut: the one that the swath's edge runs through; None for neither.
    Returns the flaws in the order of the files and windows.
    """
    census = [_count(canvas, window) for window in canvas.layout.windows()]
    land = [entry for entry in census if entry.land > 0.5]
    room = max(1, len(land) // _LAND_PER_FLAW)
    used = {window for window in (flat, cut) if window}
    found: list[Anomaly] = []
    if cut:
        note = "the edge of the swath runs through it"
        found.append(Anomaly("not covered", dem_name(cut.file), cut.col, cut.row, note))
    for number, (kind, wish, work) in enumerate(_KINDS[:room]):
        if kind == "flat" and flat:
            window = flat
        else:
            free = [entry for entry in land if entry.window not in used]
            if not free:
                break
            window = max(free, key=wish).window
        used.add(window)
        spare = [entry for entry in land if entry.window not in used]
        rng = np.random.default_rng([canvas.seed, 40, number])
        source = max(spare, key=_worth_copying).window if kind == "duplicate" and spare else None
        note = work(canvas, window, rng, source)
        if note:
            copied = (dem_name(source.file), source.col, source.row) if source else None
            used |= {source} if source else set()
            found.append(Anomaly(kind, dem_name(window.file), window.col, window.row, note, copied))
    order = {window: place for place, window in enumerate(canvas.layout.windows())}
    place = {(dem_name(w.file), w.col, w.row): n for w, n in order.items()}
    return sorted(found, key=lambda flaw: place[flaw.dem_file, flaw.col, flaw.row])


def uncovered_window(layout: Layout) -> Window | None:
    """The window that the swath's edge cuts: the south-eastern corner, in a scene with enough others."""
    windows = layout.windows()
    return max(windows, key=lambda w: (w.top, w.left)) if len(windows) >= _LAND_PER_FLAW * len(_KINDS) else None


def _count(canvas: Canvas, window: Window) -> _Census:
    dem = canvas.dem[window.box]
    return _Census(window, float((dem > 0).mean()), float(dem.mean()), float(dem.max()) - float(dem.min()))


def _plant_flat(canvas: Canvas, window: Window, rng: np.random.Generator, source: Window | None) -> str:  # noqa: ARG001
    dem = canvas.dem[window.box]
    level = int(np.median(dem))
    dem[...] = max(level, 1)
    return f"every height is {max(level, 1)} m"


def _plant_duplicate(canvas: Canvas, window: Window, rng: np.random.Generator, source: Window | None) -> str:  # noqa: ARG001
    """Copy another window's elevation and imagery here."""
    if source is None:
        return ""
    canvas.dem[window.box] = canvas.dem[source.box]
    here, there = canvas.layout.footprint(window), canvas.layout.footprint(source)
    u, v, inside = _inside(here)
    rows, cols = there.pixels(u[inside], v[inside])
    canvas.imagery[(slice(None), *here.box)][:, inside] = canvas.imagery[:, rows, cols]
    return f"elevation and imagery of {dem_name(source.file)}, column {source.col}, row {source.row}"


def _plant_shift(canvas: Canvas, window: Window, rng: np.random.Generator, source: Window | None) -> str:  # noqa: ARG001
    here = canvas.layout.footprint(window)
    _, _, inside = _inside(here)
    part = canvas.imagery[(slice(None), *here.box)]
    moved = np.roll(part, _SHIFT, axis=(1, 2))
    part[:, inside] = moved[:, inside]
    return f"imagery lies {_SHIFT[0]} pixels too far south and {-_SHIFT[1]} too far west"


def _plant_cloud(canvas: Canvas, window: Window, rng: np.random.Generator, source: Window | None) -> str:  # noqa: ARG001
    """Cumulus with soft rims, brightest in the middle, and its shadow away from the sun."""
    here = canvas.layout.footprint(window)
    u, v, inside = _inside(here)
    size = window.size
    billow = 0.8 * fractal(rng, u.shape, period=size / 4, gain=0.5)
    billow += 0.45 * fractal(rng, u.shape, period=size / 14, gain=0.55)
    # Both cloud and shadow must end inside the window, so the cloud keeps to its south-eastern part.
    middle = 0.85 - 1.9 * np.hypot(u - 0.56, v - 0.58)
    thick = smoothstep((billow + 2.6 * middle).astype(np.float32), 0.3, 2.9) * inside
    shade = np.roll(thick, (-round(0.075 * size), -round(0.04 * size)), axis=(0, 1)) * inside
    part = canvas.imagery[(slice(None), *here.box)]
    shade = box_blur(shade.astype(np.float32), max(1, size // 170))
    top = np.float32(3300) + 700 * np.clip(billow, -2, 2) + 2600 * thick
    for number, band in enumerate(part):
        ground = band * (1 - (0.62, 0.56, 0.50, 0.66)[number] * shade)
        band[inside] = _whole(ground + np.minimum(thick * 1.3, 1) * (top - ground))[inside]
    return f"cloud over {thick.mean() / inside.mean():.0%} of the tile, and its shadow"


def _plant_haze(canvas: Canvas, window: Window, rng: np.random.Generator, source: Window | None) -> str:  # noqa: ARG001
    here = canvas.layout.footprint(window)
    u, v, inside = _inside(here)
    veil = fractal(rng, u.shape, period=window.size / 2, gain=0.5)
    away = np.hypot(u - 0.5, v - 0.5).astype(np.float32)
    veil = smoothstep(0.75 + 0.22 * veil - 1.9 * np.maximum(away - 0.08, 0), 0.0, 0.9)
    veil *= 0.72 * smoothstep(np.minimum.reduce([u, 1 - u, v, 1 - v]).astype(np.float32), 0.0, 0.1)
    part = canvas.imagery[(slice(None), *here.box)]
    for band, (air, strength) in zip(part, ((1750, 0.80), (1900, 0.90), (2100, 1.0), (2000, 0.45)), strict=True):
        band[inside] = _whole(band + strength * veil * (air - band.astype(np.float32)))[inside]
    return "haze"


def _plant_stripes(canvas: Canvas, window: Window, rng: np.random.Generator, source: Window | None) -> str:  # noqa: ARG001
    """Detectors that drift apart: lines of their own gain, in groups, and a few lines lost almost wholly."""
    here = canvas.layout.footprint(window)
    _, _, inside = _inside(here)
    part = canvas.imagery[(slice(None), *here.box)]
    lines = part.shape[1]
    detector = rng.normal(1.0, 0.13, (4, 16)).astype(np.float32)
    gain = detector[:, np.arange(lines) % 16] * rng.normal(1.0, 0.05, (4, lines)).astype(np.float32)
    lost = rng.random((lines,)) < 0.03
    gain[:, lost] *= 0.45
    part[:, inside] = _whole(part * gain[:, :, None])[:, inside]
    return f"detector lines of uneven gain, {int(lost.sum())} of them nearly lost"


def _plant_void(share: float) -> Work:
    def work(canvas: Canvas, window: Window, rng: np.random.Generator, source: Window | None) -> str:  # noqa: ARG001
        """Lose heights in ragged patches, as radar does on steep slopes."""
        dem = canvas.dem[window.box]
        wanted = round(share * dem.size)
        ragged = fractal(rng, dem.shape, period=window.size / 6, gain=0.62)
        axis = np.linspace(-1, 1, window.size, dtype=np.float32)
        rim = np.maximum(np.abs(axis)[:, None], np.abs(axis)[None, :])
        ragged = np.where(rim < 0.92, ragged - rim, -np.inf)
        dem.flat[np.argpartition(ragged, -wanted, axis=None)[-wanted:]] = VOID
        return f"{share:.0%} of the heights are void"

    return work


def _plant_steps(canvas: Canvas, window: Window, rng: np.random.Generator, source: Window | None) -> str:  # noqa: ARG001
    """Keep a dozen distinct heights, as a model drawn from contour lines has."""
    dem = canvas.dem[window.box]
    low, high = int(dem.min()), int(dem.max())
    step = max(1, -(-(high - low) // 11))
    dem[...] = low + (dem - low + step // 2) // step * step
    return f"only {len(np.unique(dem))} distinct heights, {step} m apart"


def _inside(here: Footprint) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    u, v = here.unit()
    return u, v, (u >= 0) & (u < 1) & (v >= 0) & (v < 1)


def _whole(field: Array) -> NDArray[np.uint16]:
    return np.clip(np.rint(field), 1, 65535).astype(np.uint16)


def _worth_copying(entry: _Census) -> float:
    """Hilly and far down the scene; duplicates go to its top."""
    return entry.land * min(entry.relief, 900) + 0.2 * entry.window.top


def _hilly(entry: _Census) -> float:
    return entry.land * min(entry.relief, 700)


#: Kinds in order of importance: the name, how much a window suits it, and the work.
_KINDS: list[tuple[str, Callable[[_Census], float], Work]] = [
    ("flat", lambda e: e.land * 1000 - e.relief, _plant_flat),
    ("duplicate", lambda e: _hilly(e) - 0.02 * e.window.top, _plant_duplicate),
    ("shift", lambda e: e.land * e.relief - 0.3 * e.mean, _plant_shift),
    ("cloud", lambda e: -abs(e.land - 0.9) * 1000 - abs(e.relief - 350), _plant_cloud),
    ("void over limit", lambda e: e.relief, _plant_void(_LARGE_VOID)),
    ("void", lambda e: e.land * e.mean, _plant_void(_SMALL_VOID)),
    ("few heights", lambda e: (e.land >= 1) * 1000 - e.relief, _plant_steps),
    ("haze", lambda e: -abs(e.land - 0.7) * 1000 - e.relief, _plant_haze),
    ("stripes", lambda e: -abs(e.land - 0.95) * 1000 - abs(e.relief - 200), _plant_stripes),
]
