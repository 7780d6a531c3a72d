"""Writing many tiles at once, with the note that the atlas needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.db.models.signals import post_delete, post_save

from .atlas import AtlasChange

if TYPE_CHECKING:
    from .tile import TilePair

SHOWN_BY_ATLAS = frozenset(
    {
        *("build_state", "review_state", "reason", "layers", "footprint", "grid", "lon", "lat", "gsd", "index"),
        *("score", "landform", "relief", "slope", "cloud_share", "void_share", "sharpness", "shift_px"),
    }
)
ROWS_AT_ONCE = 500


class TileQuerySet(models.QuerySet["TilePair"]):
    """Django sends no signal for these: they note what they change themselves."""

    def update(self, **changes: Any) -> int:
        """As Django's; what the atlas shows is changed row by row of those locked first.

        A row that comes to match in the meantime stays as it is, or it would change without a note.
        """
        if SHOWN_BY_ATLAS.isdisjoint(changes):
            return super().update(**changes)
        with transaction.atomic(using=self.db):
            found = list(self.order_by().select_for_update(of=("self",)).values_list("pk", "area_id", "index"))
            AtlasChange.objects.note((area, index) for _pk, area, index in found)
            keys = [pk for pk, _area, _index in found]
            plain: models.QuerySet[TilePair] = models.QuerySet(self.model, using=self.db)
            return sum(
                plain.filter(pk__in=keys[start : start + ROWS_AT_ONCE]).update(**changes)
                for start in range(0, len(keys), ROWS_AT_ONCE)
            )

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        tiles = list(objs)
        with transaction.atomic(using=self.db):
            AtlasChange.objects.note((tile.area_id, tile.index) for tile in tiles)
            return super().bulk_create(tiles, *args, **kwargs)


def watch(model: type[TilePair]) -> None:
    """Note every tile that is saved or deleted one by one."""
    post_save.connect(_saved, sender=model, dispatch_uid="atlas-saved")
    post_delete.connect(_deleted, sender=model, dispatch_uid="atlas-deleted")


def _saved(instance: TilePair, update_fields: Sequence[str] | None, **_signal: Any) -> None:
    if update_fields is None or not SHOWN_BY_ATLAS.isdisjoint(update_fields):
        AtlasChange.objects.note([(instance.area_id, instance.index)])


def _deleted(instance: TilePair, **_signal: Any) -> None:
    AtlasChange.objects.note([(instance.area_id, instance.index)])
