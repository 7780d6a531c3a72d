"""The plain ways to split: at random, by area, from files. They keep nothing apart: see the leakage report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tiles.core.errors import BadInput

from .blocks import DROPPED, SPLITS, Place, drawn, shares_check

MOST_LINES = 5_000_000


def random_split(places: Sequence[Place], *, shares: Mapping[str, float], seed: int) -> list[str]:
    """Each tile by itself, in an order drawn from the seed; the shares are met to a tile."""
    shares_check(shares)
    order = sorted(range(len(places)), key=lambda number: drawn(seed, places[number].key))
    ends, so_far = [], 0.0
    for name in SPLITS:
        so_far += shares.get(name, 0)
        ends.append(round(so_far * len(places)))
    chosen = [""] * len(places)
    for rank, number in enumerate(order):
        chosen[number] = next(name for name, end in zip(SPLITS, ends, strict=True) if rank < end)
    return chosen


def area_split(places: Sequence[Place], *, of_area: Mapping[str, str]) -> list[str]:
    """Whole areas: slug -> split. Raises BadInput for an area that is not named, or another split."""
    wrong = sorted({name for name in of_area.values() if name not in SPLITS})
    if wrong:
        raise BadInput(f"There is no split {wrong[0][:40]!r}. Splits: {', '.join(SPLITS)}.", code="bad_split")
    areas = [place.key.partition("/")[0] for place in places]
    missing = sorted(set(areas) - set(of_area))
    if missing:
        raise BadInput(f"Say for every area where it goes; {missing[0]} is missing.", code="bad_split")
    return [of_area[area] for area in areas]


def file_split(places: Sequence[Place], *, lists: Mapping[str, str]) -> list[str]:
    """By lists: split -> text with a tile a line, as `coast/42`, `coast/tile_42` or with more fields after it.

    What is in no list is dropped. Raises BadInput for a line that names nothing, and for a tile in two lists.
    """
    wanted: dict[str, str] = {}
    for name, text in lists.items():
        if name not in SPLITS:
            raise BadInput(f"There is no split {name[:40]!r}. Splits: {', '.join(SPLITS)}.", code="bad_split")
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            key = tile_key(line, f"line {number} of {name}")
            if wanted.setdefault(key, name) != name:
                raise BadInput(f"{key} is in the list of {wanted[key]} and in that of {name}.", code="bad_split")
    return [wanted.get(place.key, DROPPED) for place in places]


def tile_key(line: str, where: str) -> str:
    """`coast/42` of a line that begins with a tile. Raises BadInput, which says `where`."""
    area, slash, tile = line.split()[0].partition("/")
    number = tile.rpartition("/")[2].partition(".")[0].removeprefix("tile_")
    if not (slash and area and number.isascii() and number.isdigit() and len(number) <= 10):
        raise BadInput(f"{line[:60]!r}, {where}, is not a tile. Write the area and the number, as in coast/42.")
    return f"{area}/{int(number)}"
