"""Giving back the room that an area's unstretched imagery takes."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max

from tiles.core.errors import Conflict
from tiles.core.paths import layer_path
from tiles.core.permissions import BUILD_AREA, require
from tiles.jobs.leases import Lease
from tiles.jobs.services import job_start
from tiles.models import Area, Job, JobChunk, TilePair

from .busy import DROP, require_idle

LAYER = "rgb"
TILES_A_CHUNK = 500


def area_rgb_drop(*, area_id: int, by: Any, background: bool = True) -> Job:
    """Remove the `rgb` layer of every tile of an area: its stretch can then not be redone without building again.

    Pictures, heights, decisions and captions stay. Raises NotAllowed; Conflict while another job works on the area's
    tiles, or when it has none.
    """
    require(by, BUILD_AREA)
    area = Area.objects.get(pk=area_id)
    last = area.tiles.aggregate(last=Max("index"))["last"]
    if last is None:
        raise Conflict("This area has no tiles, so there is nothing to drop.")
    starts = range(0, last + 1, TILES_A_CHUNK)
    with transaction.atomic():
        Area.objects.select_for_update().get(pk=area.pk)
        require_idle(area.slug, but=DROP)
        return job_start(
            kind=DROP,
            title=f"Drop the unstretched imagery of {area.name}",
            subject=area.slug,
            chunks=[{"from": start} for start in starts],
            by=by,
            area=area,
            background=background,
        )


class DropKind:
    """Forgets the layer in the rows first, then removes the files: no row ever names a file that is gone."""

    name = DROP

    def run(self, lease: Lease) -> None:
        start = lease.payload["from"]
        area = Area.objects.get(jobs=lease.job)
        tiles = area.tiles.filter(index__gte=start, index__lt=start + TILES_A_CHUNK).order_by("index")
        with lease.fence():
            for tile in tiles.select_for_update():
                _forget(tile)
        indexes = list(tiles.values_list("index", flat=True))
        for index in indexes:
            layer_path(area.slug, LAYER, index).unlink(missing_ok=True)
            lease.beat()

    def discard(self, chunk: JobChunk) -> None:
        """Nothing to do: no temporary files are written."""

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """Nothing to do: what is left can be dropped by another run."""
        return False

    def ended(self, job: Job) -> None:
        """Nothing to do."""


def _forget(tile: TilePair) -> None:
    if LAYER in tile.layers:
        tile.layers = {name: entry for name, entry in tile.layers.items() if name != LAYER}
        tile.save(update_fields=["layers"])
