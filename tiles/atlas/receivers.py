"""What the atlas does when an area was built."""

from __future__ import annotations

from typing import Any

from tiles.models import Area

from .services import atlas_refresh


def refresh_built(area_id: int, **_signal: Any) -> None:
    """Make the array in the worker, so that the first visitor does not wait for it."""
    area = Area.objects.filter(pk=area_id).first()
    if area:
        atlas_refresh(area=area)
