"""Planning a release: what would be taken, how it would be split, what would be left out. Writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tiles.build.signing import likeness_read
from tiles.models import Area, TileSignature
from tiles.raster.likeness import Likeness

from .layouts import Layout
from .selection import (
    BORDER,
    CHANGED,
    DUPLICATE,
    NOWHERE,
    UNAPPROVED,
    UNLISTED,
    approved_tiles,
    layers_differ,
    tiles_matching,
    with_decision_and_caption,
)
from .splitting.blocks import DROPPED, Blocks, Place, blocks_split
from .splitting.ground import Ring
from .splitting.unique import dropped_for, duplicates
from .splitting.ways import area_split, file_split, random_split
from .wanted import BLOCKS, BY_AREA, FILES, RANDOM, Split, Wanted, tiles_listed, wanted_check

BATCH = 1000
GREY_LEVELS = 255
_READ = (
    *("pk", "area_id", "index", "layers", "footprint", "parent_id", "group", "landform", "dem_min", "dem_max"),
    *("refusal", "decision_id", "decision_saw", "revision_id", "prompt"),
)


@dataclass(slots=True)
class Picked:
    """A tile that can be released. layers: as JSON text, which is a fraction of the objects; ring: () without a place.

    size: bytes of the layers that leave the house. pixels: a digest of their checksums. low, high: metres.
    """

    tile_id: int
    area_id: int
    key: str
    ring: Ring
    kin: str
    landform: str
    low: float
    high: float
    decision_id: int
    revision_id: int | None
    layers: str
    size: int
    with_void: bool
    pixels: str
    prompt: str
    split: str = ""


class LeftOut(NamedTuple):
    """A chosen tile that is not taken: a key of REASONS, and what stayed in its place, if that is why."""

    area_id: int | None
    key: str
    reason: str
    favoured: str = ""


@dataclass
class Taken:
    """What was taken of one area. coarsest: metres a grey level of DEM_255 stands for in the tile of most relief."""

    tiles: int = 0
    with_void: int = 0
    without_caption: int = 0
    size: int = 0
    coarsest: float = 0.0
    splits: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass
class Plan:
    """What a release would hold, in its order.

    twins: pairs of near-duplicates among it by their places, known where it is split or unique. untextured: how many
    of it are compared by their footprint only.
    """

    areas: Sequence[Area]
    wanted: Wanted
    kept: list[Picked]
    left_out: list[LeftOut]
    twins: list[tuple[int, int]]
    untextured: int = 0

    def taken(self) -> dict[int, Taken]:
        """By the area's id."""
        found = {area.pk: Taken() for area in self.areas}
        for picked in self.kept:
            _count(found[picked.area_id], picked)
        for left in self.left_out:
            if left.area_id is not None:
                found[left.area_id].left_out[left.reason] += 1
        return found

    def reasons(self) -> dict[str, int]:
        """Reason -> number of tiles that are left out."""
        return dict(sorted(Counter(left.reason for left in self.left_out).items()))


def release_plan(*, areas: Sequence[Area], layout: Layout, wanted: Wanted, by: Any = None) -> Plan:
    """Choose from what is approved now. The same tiles and wishes give the same plan, on every machine.

    Raises BadInput for a filter, a list or a split that makes no sense.
    """
    wanted_check(wanted)
    picked, left_out = _picked(areas, layout, wanted, by)
    gone: dict[int, str] = {}
    favoured: dict[int, str] = {}
    twins: list[tuple[int, int]] = []
    untextured: set[int] = set()
    if wanted.unique or wanted.split.way:
        twins, untextured = twins_among(picked)
    if wanted.unique:
        for number, stays in dropped_for(twins).items():
            gone[number], favoured[number] = DUPLICATE, picked[stays].key
    remaining = [number for number in range(len(picked)) if number not in gone]
    for number, split in zip(remaining, split_of([picked[n] for n in remaining], wanted.split), strict=True):
        if split in (BORDER, UNLISTED, NOWHERE):
            gone[number] = split
        else:
            picked[number].split = split
    left_out += [
        LeftOut(picked[number].area_id, picked[number].key, reason, favoured.get(number, ""))
        for number, reason in sorted(gone.items())
    ]
    kept = [number for number in range(len(picked)) if number not in gone]
    place = {number: new for new, number in enumerate(kept)}
    left = [(place[a], place[b]) for a, b in twins if a in place and b in place]
    return Plan(areas, wanted, [picked[number] for number in kept], left_out, left, len(untextured & place.keys()))


def split_of(picked: Sequence[Picked], split: Split) -> list[str]:
    """The split of each tile, or why it is in none: BORDER, UNLISTED, NOWHERE. "" each where there are no splits."""
    places = [Place(one.key, one.ring, one.kin) for one in picked]
    if split.way == RANDOM:
        return random_split(places, shares=split.shares, seed=split.seed)
    if split.way == BY_AREA:
        return area_split(places, of_area=split.of_area)
    if split.way == FILES:
        return [UNLISTED if name == DROPPED else name for name in file_split(places, lists=split.lists)]
    if split.way == BLOCKS:
        asked = Blocks(split.block_km, split.buffer_km, split.seed, split.shares)
        on_ground = [number for number, place in enumerate(places) if place.ring]
        chosen = [NOWHERE] * len(places)
        for number, name in zip(on_ground, blocks_split([places[n] for n in on_ground], asked), strict=True):
            chosen[number] = BORDER if name == DROPPED else name
        return chosen
    return [""] * len(places)


def twins_among(picked: Sequence[Picked]) -> tuple[list[tuple[int, int]], set[int]]:
    """Pairs of near-duplicates by their numbers, and the numbers that are compared by their footprint only."""
    number_of = {one.tile_id: number for number, one in enumerate(picked)}
    hashes: list[int | None] = [None] * len(picked)
    signed = TileSignature.objects.filter(area__in={one.area_id for one in picked}).exclude(hash_a=None)
    for tile_id, *quarters in signed.values_list("tile_id", *TileSignature.QUARTERS).iterator(chunk_size=10 * BATCH):
        if tile_id in number_of:
            hashes[number_of[tile_id]] = sum(quarter << (16 * part) for part, quarter in enumerate(quarters))

    def load(numbers: Sequence[int]) -> Mapping[int, Likeness]:
        found = TileSignature.objects.in_bulk([picked[number].tile_id for number in numbers])
        likenesses = {number_of[tile_id]: likeness_read(signature) for tile_id, signature in found.items()}
        return {number: likeness for number, likeness in likenesses.items() if likeness is not None}

    places = [Place(one.key, one.ring) for one in picked]
    return duplicates(places, hashes, load), {number for number, bits in enumerate(hashes) if bits is None}


def _picked(areas: Sequence[Area], layout: Layout, wanted: Wanted, by: Any) -> tuple[list[Picked], list[LeftOut]]:
    slugs = {area.pk: area.slug for area in areas}
    listed = tiles_listed(wanted.tiles) if wanted.tiles.strip() else None
    tiles = with_decision_and_caption(approved_tiles(areas, layout))
    rows = tiles_matching(tiles, areas, wanted.query, by).values_list(*_READ, named=True)
    picked, left_out = [], []
    groups: dict[int, str] = {}
    for row in rows.iterator(chunk_size=BATCH):
        slug = slugs[row.area_id]
        if listed is not None:
            if row.index not in listed.get(slug, ()):
                continue
            listed[slug].discard(row.index)
        refusal = row.refusal or _unapproved_pixels(row, layout)
        if refusal:
            left_out.append(LeftOut(row.area_id, f"{slug}/{row.index}", refusal))
            continue
        if row.group:
            groups[row.parent_id or row.pk] = f"{slug}/{row.group}"
        picked.append(_pick(row, slug, layout))
    for one in picked:  # variants go with their parent, and both with all of its place
        one.kin = groups.get(int(one.kin), one.kin)
    return picked, left_out + list(_missing(listed, slugs))


def _pick(row: Any, slug: str, layout: Layout) -> Picked:
    exported = {name: row.layers[name] for name in (*layout.required, *layout.optional) if name in row.layers}
    sums = json.dumps({name: layer["sha256"] for name, layer in exported.items()}, sort_keys=True)
    return Picked(
        tile_id=row.pk,
        area_id=row.area_id,
        key=f"{slug}/{row.index}",
        ring=row.footprint or (),
        kin=str(row.parent_id or row.pk),
        landform=row.landform,
        low=row.dem_min,
        high=row.dem_max,
        decision_id=row.decision_id,
        revision_id=row.revision_id,
        layers=json.dumps(row.layers),
        size=sum(int(layer["bytes"]) for layer in exported.values()),
        with_void="void" in row.layers,
        pixels=hashlib.sha256(sums.encode()).hexdigest(),
        prompt=row.prompt,
    )


def _missing(listed: Mapping[str, Iterable[int]] | None, slugs: Mapping[int, str]) -> Iterable[LeftOut]:
    ids = {slug: pk for pk, slug in slugs.items()}
    for slug, numbers in sorted((listed or {}).items()):
        for number in sorted(numbers):
            yield LeftOut(ids.get(slug), f"{slug[:80]}/{number}", UNAPPROVED)


def _unapproved_pixels(row: Any, layout: Layout) -> str:
    """An approval that was given to other pixels approves nothing."""
    if row.decision_id is None or layers_differ(row.layers, row.decision_saw, layout):
        return CHANGED
    return ""


def _count(of_area: Taken, picked: Picked) -> None:
    of_area.tiles += 1
    of_area.with_void += picked.with_void
    of_area.without_caption += picked.revision_id is None
    of_area.size += picked.size
    of_area.coarsest = max(of_area.coarsest, (picked.high - picked.low) / GREY_LEVELS)
    if picked.split:
        of_area.splits[picked.split] += 1
