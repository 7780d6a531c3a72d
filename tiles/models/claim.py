"""Who is looking at which tiles just now, and the log of that."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .area import Area
from .tile import TilePair


class TileClaim(models.Model):
    """A tile that was handed out to a person and stands before nobody else until then.

    It holds while the tile has the version it was handed out with: whoever decides gives it back without a write of
    its own. page: the browser page that holds it, so that leaving one page does not give back what another one has.
    """

    tile = models.OneToOneField(TilePair, primary_key=True, on_delete=models.CASCADE, related_name="claim")
    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    page = models.UUIDField()
    tile_version = models.PositiveIntegerField()
    until = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["area", "until"], name="claim_in_force")]

    def __str__(self) -> str:
        return f"{self.tile_id} by {self.by_id} until {self.until}"
