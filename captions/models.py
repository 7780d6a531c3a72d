"""The text of a tile, and every version it ever had."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from tiles.models import TilePair
from tiles.models.appendonly import AppendOnly


class Caption(models.Model):
    """What is said about a tile now: a copy of its newest revision, for reading. `version` is that revision's number."""

    tile = models.OneToOneField(TilePair, on_delete=models.PROTECT, related_name="caption")
    version = models.PositiveIntegerField()
    text = models.TextField()
    components = models.JSONField(default=dict, blank=True)
    origin = models.CharField(max_length=32, help_text="A captioner's name, or `person`.")
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField()

    class Meta:
        permissions: ClassVar = [("rectify_caption", "Can rectify captions")]

    def __str__(self) -> str:
        return self.text


class CaptionRevision(AppendOnly):
    """One version of a caption: by whom or by what, when, and from what it was made."""

    PERSON = "person"

    caption = models.ForeignKey(Caption, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    components = models.JSONField(default=dict, blank=True)
    origin = models.CharField(max_length=32)
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    provenance = models.JSONField(default=dict, blank=True, help_text="Backend, model, prompt, facts used.")
    restores = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    client_id = models.UUIDField(unique=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["caption_id", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["caption", "number"], name="one_revision_a_number")]
        indexes: ClassVar = [models.Index(fields=["author", "-id"], name="revision_of_person")]

    def __str__(self) -> str:
        return f"{self.caption_id} r{self.number}"
