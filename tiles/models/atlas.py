"""What the atlas of an area is made of: its array in blocks, and a note of what has changed since."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models

from .area import Area

TILES_A_BLOCK = 1024


class AtlasChangeManager(models.Manager["AtlasChange"]):
    def note(self, places: Iterable[tuple[int, int]]) -> None:
        """Note that tiles changed: (area id, number of the tile) each. Inside the transaction that changes them."""
        blocks = sorted({(area, index // TILES_A_BLOCK) for area, index in places})
        self.bulk_create([AtlasChange(area_id=area, block=block) for area, block in blocks])


class AtlasChange(models.Model):
    """A block of tiles is no longer what its `AtlasBlock` says. Removed in the transaction that makes it so again.

    Rows are only ever added by writers of tiles and touch no row of anybody else, so that no writer waits for another;
    the same block may be noted many times.
    """

    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="+")
    block = models.PositiveIntegerField()

    objects = AtlasChangeManager()

    def __str__(self) -> str:
        return f"block {self.block} of {self.area_id}"


class Atlas(models.Model):
    """The head of an area's array. Whoever remakes blocks locks this row first.

    `version` grows with every change of a block. whole_from: what had changed since an earlier version than this cannot
    be told tile by tile, because tiles are gone. lon, lat: where the plane lies, in which tiles are placed; it stays
    once it is known, so that blocks made at different times fit together.
    """

    area = models.OneToOneField(Area, primary_key=True, on_delete=models.CASCADE, related_name="atlas")
    version = models.PositiveIntegerField(default=0)
    whole_from = models.PositiveIntegerField(default=0)
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)

    def __str__(self) -> str:
        return f"atlas of {self.area_id}"


class AtlasBlock(models.Model):
    """The tiles TILES_A_BLOCK * number and up, in the order of their numbers.

    version: the atlas's version when this block changed last. content: an array of tiles/atlas/records.py.
    pictures: a digest of the previews' contents, empty while no tile of the block has one.
    """

    atlas = models.ForeignKey(Atlas, on_delete=models.CASCADE, related_name="blocks")
    number = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    content = models.BinaryField(default=bytes)
    pictures = models.CharField(max_length=16, blank=True)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["atlas", "number"], name="one_atlas_block_a_number")]
        indexes: ClassVar = [models.Index(fields=["atlas", "version"], name="atlas_block_by_version")]

    def __str__(self) -> str:
        return f"block {self.number} of {self.atlas_id}"
