"""Keeping one of what shows the same: near-duplicates by footprint, or by hash, picture and heights together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tiles.raster.likeness import Likeness, alike

from .blocks import Place
from .ground import Footprints
from .hashes import alike_pairs

SAME_GROUND = 0.5
"""Share of the smaller footprint from which on two tiles show the same ground."""
AT_ONCE = 500

Load = Callable[[Sequence[int]], Mapping[int, Likeness]]


def duplicates(places: Sequence[Place], hashes: Sequence[int | None], load: Load) -> list[tuple[int, int]]:
    """Pairs of near-duplicates by their numbers, each once, the smaller one first.

    hashes: of each place the 64-bit hash, None for a tile without texture, which is compared by its footprint only.
    load: gives pictures and heights for a few numbers; it is asked only for those whose hashes are close.
    Source of the definition: footprints overlap, or hash, picture and heights agree.
    """
    if not places:
        return []
    found = {(int(a), int(b)) for a, b in Footprints([p.ring for p in places]).overlapping(share=SAME_GROUND)}
    textured = np.array([number for number, bits in enumerate(hashes) if bits is not None], np.intp)
    pairs = textured[alike_pairs(np.array([hashes[number] for number in textured], np.uint64))].tolist()
    for start in range(0, len(pairs), AT_ONCE):
        portion = [(a, b) for a, b in pairs[start : start + AT_ONCE] if (a, b) not in found]
        likenesses = load(sorted({number for pair in portion for number in pair}))
        found.update((a, b) for a, b in portion if alike(likenesses[a], likenesses[b]))
    return sorted(found)


def dropped_for(pairs: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Which numbers go, and in favour of which: of every pair the smaller one stays, unless it goes itself."""
    partners: dict[int, list[int]] = {}
    for first, second in sorted(pairs):
        partners.setdefault(second, []).append(first)
    gone: dict[int, int] = {}
    for number in sorted(partners):
        stays = next((first for first in partners[number] if first not in gone), None)
        if stays is not None:
            gone[number] = stays
    return gone
