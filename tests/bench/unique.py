"""Near-duplicates among 200,000 tiles by their hashes, and splits of 50,000 tiles with their leakage report.

The hashes are random but for one in twenty, which is another one with a few bits turned: what a survey with repeats
looks like. Tiles lie side by side in two areas on two continents.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from portal.exports.splitting.blocks import Blocks, Place, blocks_split
from portal.exports.splitting.hashes import alike_pairs
from portal.exports.splitting.leakage import leakage
from portal.exports.splitting.unique import duplicates
from portal.exports.splitting.ways import area_split, random_split
from tests.bench.report import machine, show

HASHES, TILES = 200_000, 50_000
STEP = 0.02
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


def hashes_of(count: int) -> np.ndarray:
    """(count,) uint64; every twentieth is the one before with four bits turned."""
    noise = np.random.default_rng(7)
    hashes = noise.integers(0, 2**64 - 1, count, np.uint64)
    for number in range(1, count, 20):
        turned = sum(1 << int(bit) for bit in noise.choice(64, 4, replace=False))
        hashes[number] = hashes[number - 1] ^ np.uint64(turned)
    return hashes


def places_of(count: int) -> list[Place]:
    """Tiles side by side, about 1.5 by 2.2 km each, half of them in the Alps and half in the Andes."""
    return [
        *(_place(f"alps/{number}", 8 + number // 150 * STEP, 48 - number % 150 * STEP) for number in range(count // 2)),
        *(
            _place(f"andes/{number}", number // 150 * STEP - 72, -20 - number % 150 * STEP)
            for number in range(count // 2)
        ),
    ]


def _place(key: str, west: float, north: float) -> Place:
    east, south = west + STEP, north - STEP
    return Place(key, [[west, north], [west, south], [east, south], [east, north], [west, north]])


def _timed(work: Callable[[], object]) -> tuple[str, object]:
    started = time.process_time()
    made = work()
    return f"{time.process_time() - started:.1f} s of CPU", made


def main() -> None:
    hashes = hashes_of(HASHES)
    took, pairs = _timed(lambda: alike_pairs(hashes))
    show(f"Near-duplicates, {machine()}", [(f"{HASHES:,} hashes, {len(pairs):,} close pairs", took)])  # type: ignore[arg-type]
    places = places_of(TILES)
    asked = Blocks(block_km=20, buffer_km=2, seed=1, shares=SHARES)
    rows = []
    ways: list[tuple[str, Callable[[], list[str]]]] = [
        ("spatial blocks", lambda: blocks_split(places, asked)),
        ("at random", lambda: random_split(places, shares=SHARES, seed=1)),
        ("by area", lambda: area_split(places, of_area={"alps": "train", "andes": "test"})),
    ]
    for name, way in ways:
        took, splits = _timed(way)
        rows.append((f"{name}: splits", took))
        took, _report = _timed(lambda splits=splits: leakage(places, splits))  # type: ignore[misc]
        rows.append((f"{name}: leakage report", took))
    took, _pairs = _timed(lambda: duplicates(places, [None] * len(places), lambda _numbers: {}))
    rows.append(("near-duplicates by footprint", took))
    show(f"Splits of {TILES:,} tiles, {machine()}", rows)


if __name__ == "__main__":
    main()
