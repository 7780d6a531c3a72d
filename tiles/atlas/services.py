"""Keeping an area's array true."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import transaction

from tiles.models import Area, Atlas, AtlasBlock, AtlasChange, TilePair
from tiles.models.atlas import TILES_A_BLOCK

from .records import FIELDS, RECORD, Plane, Records, pictures_digest, records_of


def atlas_refresh(*, area: Area) -> Atlas:
    """Remake the blocks whose tiles have changed, and return the head of the array that is then true.

    Costs one query when nothing has changed. What was committed before the call is in the array after it: writers
    leave a note in their own transaction, and a note goes only with the block that was read after it. So a process
    that dies anywhere leaves notes, never a block that is wrong and passes for right.
    """
    head = Atlas.objects.filter(area=area).first()
    if head and not AtlasChange.objects.filter(area=area).exists():
        return head
    with transaction.atomic():
        Atlas.objects.get_or_create(area=area)
        head = Atlas.objects.select_for_update().get(area=area)
        notes = dict(AtlasChange.objects.filter(area=area).values_list("pk", "block"))
        placed_anew = _find_plane(head)
        blocks = _all_blocks(area) if placed_anew or not head.version else sorted(set(notes.values()))
        remade = [_remade(head, block) for block in blocks]
        if any(remade) or not head.version:
            head.version += 1
        head.save()
        _forget(area, notes)
    return head


def _all_blocks(area: Area) -> list[int]:
    """Of an area that has no array yet: its tiles may be older than the notes."""
    last = area.tiles.order_by("-index").values_list("index", flat=True).first()
    return [] if last is None else list(range(last // TILES_A_BLOCK + 1))


def _find_plane(head: Atlas) -> bool:
    """Lay the plane about the first tile that has a place. Returns whether that was done only now."""
    if head.lon is not None:
        return False
    placed = TilePair.objects.filter(area_id=head.area_id, lon__isnull=False, lat__isnull=False)
    head.lon, head.lat = placed.order_by("index").values_list("lon", "lat").first() or (None, None)
    return head.lon is not None


def _remade(head: Atlas, number: int) -> bool:
    """Read a block's tiles and write down what is new, under the next version. Returns whether anything is."""
    start, version = number * TILES_A_BLOCK, head.version + 1
    tiles = TilePair.objects.filter(area_id=head.area_id, index__gte=start, index__lt=start + TILES_A_BLOCK)
    rows: list[dict[str, Any]] = list(tiles.order_by("index").values(*FIELDS))
    plane = None if head.lon is None or head.lat is None else Plane(head.lon, head.lat)
    records, pictures = records_of(rows, plane), pictures_digest(rows)
    block = AtlasBlock.objects.filter(atlas=head, number=number).first()
    old = np.frombuffer(block.content, RECORD) if block else np.zeros(0, RECORD)
    changed = _mark_changed(records, old, version)
    gone = bool(set(old["index"].tolist()) - set(records["index"].tolist()))
    if block and not changed and not gone and block.pictures == pictures:
        return False
    if gone:
        head.whole_from = version
    block = block or AtlasBlock(atlas=head, number=number)
    block.version, block.content, block.pictures = version, records.tobytes(), pictures
    block.save()
    return True


def _mark_changed(records: Records, old: Records, version: int) -> bool:
    """Give each tile the version it changed at last. Returns whether any changed."""
    known = {int(record["index"]): record for record in old}
    changed = False
    for record in records:
        before = known.get(int(record["index"]))
        record["changed"] = version if before is None else before["changed"]
        if before is None or record.tobytes() != before.tobytes():
            record["changed"] = version
            changed = True
    return changed


def _forget(area: Area, notes: dict[int, int]) -> None:
    keys = sorted(notes)
    for start in range(0, len(keys), 500):
        AtlasChange.objects.filter(area=area, pk__in=keys[start : start + 500]).delete()
