"""The rows of a tile that was made, or could not be."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from tiles.core.signals import tiles_built
from tiles.models import Area, AreaCounter, ReviewDecision, TilePair
from tiles.models.choices import BuildState, Failure, ReviewState
from tiles.raster.depth import MIN_DISTINCT_HEIGHTS
from tiles.raster.stretch import STRETCH_FLAGS

from .fineness import UPSAMPLED, tile_upsampling
from .scoring import score_apply
from .signing import signatures_write
from .tile import Built, Failed, Recipe

Verb = ReviewDecision.Verb
FLAT = "flat"
CHANGED = "The tile was made again and its pixels are not what they were."
# Shown and exported, but not sorted by: these have no column of their own.
TERRAIN_MEASURES = ("dem_mean", "landform_shares")
SURFACE_MEASURES = ("brightness", "contrast", "saturation", "greenness", "ndvi", "vegetation")


def tiles_record_built(
    *, area: Area, made: Mapping[int, tuple[Built, Mapping[str, Any]]], recipe: Recipe
) -> Counter[str]:
    """Write down tiles whose files are on the disk. Inside a fence; `tiles_built_tell` goes with it.

    made: by the tile's id, what came out and what `TilePair.layers` is to say. Returns the change of the area's
    counters, which the caller adds up and makes in the same transaction.

    When layers that were judged have changed, a tile returns to pending. A tile too flat to train on is rejected
    by rule, once for the same layers, so that a person who decides otherwise is not overruled.
    """
    tiles = list(TilePair.objects.select_for_update().filter(pk__in=made).order_by("pk"))
    change: Counter[str] = Counter()
    decisions = []
    for tile in tiles:
        before = tile.counted
        decisions += _record_built(tile, area, *made[tile.pk], recipe)
        change.update(_change(before, tile))
    _rows_write(tiles)
    for decision in decisions:
        decision.save()
    signatures_write([(tile, made[tile.pk][0].quality) for tile in tiles])
    return change


def _rows_write(tiles: Sequence[TilePair]) -> None:
    """Save rows that are locked and there: as one statement, for each by itself costs as much as a measure."""
    changed = [field.name for field in TilePair._meta.concrete_fields if not (field.primary_key or field.generated)]
    TilePair.objects.bulk_create(tiles, update_conflicts=True, unique_fields=["id"], update_fields=changed)


def _record_built(
    tile: TilePair, area: Area, built: Built, layers: Mapping[str, Any], recipe: Recipe
) -> list[ReviewDecision]:
    """Write it on the row, in memory; returns what is decided by rule."""
    old = tile.layers
    fresh = tile.build_state != BuildState.BUILT
    # A layer that comes back after it was dropped is no change to what was judged.
    changed = any(name not in layers or layers[name]["sha256"] != layer["sha256"] for name, layer in old.items())
    tile.layers = dict(layers)
    _describe(tile, area, built, recipe)
    return _judge(tile, fresh=fresh, changed=changed)


def tiles_built_tell(tile_ids: Sequence[int]) -> None:
    """Let the upper floors hear of tiles that were made, once their rows are committed. A receiver may fail."""

    def tell() -> None:
        tiles_built.send(sender=TilePair, tile_ids=tile_ids)

    if tile_ids:
        transaction.on_commit(tell, robust=True)


def tile_record_restretched(
    *, tile_id: int, layers: Mapping[str, Any], stretch: Mapping[str, Any], flags: Sequence[str]
) -> Counter[str]:
    """Write down the new picture of a built tile: `layers` stand in for those of the same names. Inside a fence.

    stretch: the part of the tile's `parameters` that it was made with; flags: what the stretch has to say. What
    changes and what is returned is as in `tiles_record_built`; a picture that came out the same changes no decision.
    """
    tile = TilePair.objects.select_for_update().get(pk=tile_id)
    before = tile.counted
    changed = any(tile.layers.get(name, {}).get("sha256") != layer["sha256"] for name, layer in layers.items())
    tile.layers = {**tile.layers, **layers}
    tile.parameters = {**tile.parameters, **stretch}
    tile.flags = [*(flag for flag in tile.flags if flag not in STRETCH_FLAGS), *flags]
    decisions = _judge(tile, fresh=False, changed=changed)
    judged = ("version", "review_state", "reason", "decided_by", "decided_at", "first_by", "second_by")
    tile.save(update_fields=["layers", "parameters", "flags", *judged])
    for decision in decisions:
        decision.save()
    return _change(before, tile)


def tile_record_failed(*, tile_id: int, failed: Failed) -> Counter[str]:
    """Write down why a tile could not be made. Inside a transaction. A tile that is built already stays as it is.

    Returns the change of the area's counters, as `tiles_record_built` does.
    """
    tile = TilePair.objects.select_for_update().get(pk=tile_id)
    if tile.build_state == BuildState.BUILT:
        return Counter()
    before = tile.counted
    tile.build_state = BuildState.FAILED
    tile.failure = failed.failure
    tile.failure_detail = failed.detail
    tile.void_share = failed.void_share
    tile.uncovered_share = failed.uncovered_share
    tile.save(update_fields=["build_state", "failure", "failure_detail", "void_share", "uncovered_share"])
    return _change(before, tile)


def tiles_plan_again(area: Area, reasons: Sequence[str]) -> int:
    """Put the tiles of an area that failed for these reasons back among the planned ones; returns how many.

    Inside a transaction.
    """
    change: Counter[str] = Counter()
    for reason in sorted(reasons):
        failed = area.tiles.filter(build_state=BuildState.FAILED, failure=reason)
        number = failed.update(build_state=BuildState.PLANNED, failure=Failure.NONE, failure_detail="")
        change.update({BuildState.PLANNED: number, BuildState.FAILED: -number, f"failed:{reason}": -number})
    AreaCounter.objects.add(area.pk, change)
    return change[BuildState.PLANNED]


def _change(before: Counter[str], tile: TilePair) -> Counter[str]:
    change = Counter(tile.counted)
    change.subtract(before)
    return change


def _describe(tile: TilePair, area: Area, built: Built, recipe: Recipe) -> None:
    terrain, surface = built.terrain, built.surface
    tile.build_state = BuildState.BUILT
    tile.failure = Failure.NONE
    tile.failure_detail = ""
    tile.satellite = area.satellite
    tile.native_gsd = area.imagery_gsd
    tile.imagery = built.provenance
    tile.parameters = recipe.parameters() | ({"heights": built.heights} if built.heights else {})
    upsampled = tile_upsampling(area, tile.gsd)
    tile.flags = [*built.flags, *([UPSAMPLED] if upsampled else [])]
    tile.measures = {name: getattr(terrain, name) for name in TERRAIN_MEASURES} | {
        name: getattr(surface, name) for name in SURFACE_MEASURES
    }
    if upsampled:
        tile.measures["upsampling"] = upsampled
    quality = built.quality.to_dict()
    tile.measures["quality"] = quality
    tile.cloud_share, tile.saturated_share = quality["cloud_share"], quality["saturated_share"]
    tile.sharpness = quality["sharpness"]
    tile.dem_min, tile.dem_max = terrain.dem_min, terrain.dem_max
    tile.relief, tile.slope, tile.landform = terrain.relief, terrain.slope_mean, terrain.landform
    tile.water_share, tile.void_share = terrain.water_share, terrain.void_share
    tile.distinct_heights = terrain.distinct_heights
    tile.uncovered_share = built.uncovered_share
    tile.built_at = timezone.now()
    # Known again once the whole area is looked over.
    tile.shift_px = tile.duplicate_of = None
    score_apply(tile)


def _judge(tile: TilePair, *, fresh: bool, changed: bool) -> list[ReviewDecision]:
    """What follows by rule from pixels that are new, in memory: the next version, back to pending, flat is rejected."""
    decisions: list[ReviewDecision] = []
    if not (fresh or changed):
        return decisions
    tile.version += 1
    if changed and tile.review_state != ReviewState.PENDING:
        decisions.append(_move(tile, Verb.RESET, ReviewState.PENDING, "", CHANGED))
    distinct = tile.distinct_heights
    if distinct is not None and distinct < MIN_DISTINCT_HEIGHTS:
        decisions.append(_move(tile, Verb.REJECT, ReviewState.REJECTED, FLAT, _flat_note(distinct)))
    return decisions


def _move(tile: TilePair, verb: str, state: str, reason: str, note: str) -> ReviewDecision:
    """Judge the tile by rule: its row, in memory, and the entry of the log that belongs to it."""
    client_id = uuid.uuid4()
    tile.version += 1
    decision = ReviewDecision(
        tile=tile,
        verb=verb,
        from_state=tile.review_state,
        from_reason=tile.reason,
        to_state=state,
        to_reason=reason,
        reason=reason,
        note=note,
        layers_seen=tile.layer_versions(),
        tile_version=tile.version,
        client_id=client_id,
        action=client_id,
    )
    tile.review_state, tile.reason = state, reason
    tile.first_by = tile.second_by = None
    tile.decided_by, tile.decided_at = None, timezone.now()
    return decision


def _flat_note(distinct: int) -> str:
    heights = "one height" if distinct == 1 else f"{distinct} different heights"
    return f"Rejected by rule: the tile has only {heights}, and a training pair needs {MIN_DISTINCT_HEIGHTS}."
