"""What is done about captions when tiles are built."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from tiles.core.signals import area_built, tile_built

from .services import caption_write_machine, captions_write_missing


@receiver(tile_built, dispatch_uid="first_caption")
def first_caption(tile_id: int, **_signal: Any) -> None:
    caption_write_machine(tile_id=tile_id)


@receiver(area_built, dispatch_uid="missing_captions")
def missing_captions(area_id: int, **_signal: Any) -> None:
    captions_write_missing(area_id=area_id)
