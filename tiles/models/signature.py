"""What a tile is compared with others by, kept apart so that lists of tiles stay light."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .area import Area
from .tile import TilePair


class TileSignature(models.Model):
    """Written with the tile, read by the step that judges an area's tiles against each other.

    hash_a .. hash_d: quarters of the perceptual hash, absent for a tile without texture. cell: where its centre lies,
    in a lattice about as wide as the tile. picture: 16 x 16 uint8; heights: 16 x 16 float32, metres, little endian.
    trials: a sun azimuth each: peak in thousandths, shift down and right in hundredths of a pixel.
    """

    tile = models.OneToOneField(TilePair, primary_key=True, on_delete=models.CASCADE, related_name="signature")
    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="+", db_index=False)
    cell = models.CharField(max_length=40, blank=True)
    hash_a = models.PositiveIntegerField(null=True)
    hash_b = models.PositiveIntegerField(null=True)
    hash_c = models.PositiveIntegerField(null=True)
    hash_d = models.PositiveIntegerField(null=True)
    picture = models.BinaryField(default=bytes, blank=True)
    heights = models.BinaryField(default=bytes, blank=True)
    trials = models.JSONField(default=list, blank=True)

    QUARTERS: ClassVar = ("hash_a", "hash_b", "hash_c", "hash_d")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["area", name], name=f"signature_{name}")
            for name in ("cell", "hash_a", "hash_b", "hash_c", "hash_d")
        ]

    def __str__(self) -> str:
        return f"signature of {self.tile_id}"
