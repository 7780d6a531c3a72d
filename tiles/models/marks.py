"""What people note about tiles beside their verdicts: comments, flags of their own, tags, and whose a tile is."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .appendonly import AppendOnly
from .area import Area
from .tile import TilePair

WORD_LENGTH = 40
COMMENT_LENGTH = 2000


class TileComment(AppendOnly):
    """What somebody said about a tile, for everybody who sees it."""

    tile = models.ForeignKey(TilePair, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField(max_length=COMMENT_LENGTH)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    client_id = models.UUIDField(unique=True, help_text="Made by the browser, so that a repeated request counts once.")

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["tile", "id"], name="comment_of_tile")]

    def __str__(self) -> str:
        return f"{self.tile}: {self.text[:40]}"


class TileFlag(models.Model):
    """A tile that somebody wants to come back to. Nobody else sees it."""

    tile = models.ForeignKey(TilePair, on_delete=models.CASCADE, related_name="flagged")
    by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["by", "tile"], name="one_flag_a_person_and_tile")]

    def __str__(self) -> str:
        return f"{self.tile} of {self.by_id}"


class Tag(models.Model):
    """A word of an area that its tiles may bear."""

    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="tags", db_index=False)
    word = models.CharField(max_length=WORD_LENGTH)

    class Meta:
        ordering: ClassVar = ["word"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["area", "word"], name="one_tag_a_word")]

    def __str__(self) -> str:
        return self.word


class TileTag(models.Model):
    """A tile bears a word now. How that came about is in `TileMark`."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="on", db_index=False)
    tile = models.ForeignKey(TilePair, on_delete=models.CASCADE, related_name="tagged")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["tag", "tile"], name="a_tag_once_a_tile")]

    def __str__(self) -> str:
        return f"{self.tile}: {self.tag}"


class TileMark(AppendOnly):
    """One entry of the log of tags and assignments: what stood before, and what stands after it.

    Of a tag, `before` and `after` are the word or empty; of an assignment, the person's key or empty. The entries of
    one user action share its id, and are taken back by entries that name them.
    """

    class Kind(models.TextChoices):
        TAG = "tag", "Tag"
        ASSIGN = "assign", "Assigned"

    tile = models.ForeignKey(TilePair, on_delete=models.PROTECT, related_name="marks")
    kind = models.CharField(max_length=8, choices=Kind)
    before = models.CharField(max_length=WORD_LENGTH, blank=True)
    after = models.CharField(max_length=WORD_LENGTH, blank=True)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    action = models.UUIDField(help_text="Shared by the entries of one user action.")
    undoes = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["action", "tile"], name="one_mark_an_action_and_tile")]
        indexes: ClassVar = [models.Index(fields=["tile", "id"], name="mark_of_tile")]

    def __str__(self) -> str:
        return f"{self.tile}: {self.kind} {self.before!r} to {self.after!r}"
