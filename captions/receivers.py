"""What is done about captions when tiles are built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from tiles.core.signals import area_built, tiles_built

from .checking import captions_check_tiles
from .models import Caption
from .services import captions_write_machine, captions_write_missing


@receiver(tiles_built, dispatch_uid="first_captions")
def first_captions(tile_ids: Sequence[int], **_signal: Any) -> None:
    standing = list(Caption.objects.filter(tile_id__in=tile_ids).values_list("tile_id", flat=True))
    captions_write_machine(tile_ids=tile_ids)
    # What was said of a tile may not go with what is measured of it now, whoever said it.
    captions_check_tiles(tile_ids=standing)


@receiver(area_built, dispatch_uid="missing_captions")
def missing_captions(area_id: int, **_signal: Any) -> None:
    captions_write_missing(area_id=area_id)
