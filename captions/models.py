"""The text of a tile, and every version it ever had."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from tiles.models import Area, TilePair
from tiles.models.appendonly import AppendOnly

PERSON = "person"
MAX_LENGTH = 2000


class Caption(models.Model):
    """What is said about a tile now: a copy of its newest revision, whose number is `version`."""

    tile = models.OneToOneField(TilePair, on_delete=models.PROTECT, related_name="caption")
    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="captions", db_index=False, help_text="The tile's, for listing."
    )
    version = models.PositiveIntegerField()
    text = models.TextField()
    components = models.JSONField(default=dict, blank=True, help_text="terms, category, weather.")
    origin = models.CharField(max_length=32, help_text="Whose words these are: a captioner's name, or `person`.")
    author = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who wrote or restored them; nobody while it is a machine's work untouched.",
    )
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(origin=PERSON) | Q(author__isnull=False), name="a_persons_caption_has_an_author"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="a_caption_has_a_revision"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-updated_at", "-id"], name="caption_newest"),
            models.Index(fields=["origin", "-updated_at", "-id"], name="caption_newest_of_origin"),
            models.Index(fields=["area", "-updated_at", "-id"], name="caption_of_area"),
            models.Index(fields=["area", "origin", "-updated_at", "-id"], name="caption_of_area_and_origin"),
        ]
        permissions: ClassVar = [("rectify_caption", "Can rectify captions")]

    def __str__(self) -> str:
        return self.text


class CaptionRevision(AppendOnly):
    """One version of a caption: by whom or by what, when, and from what it was made."""

    PERSON = PERSON

    caption = models.ForeignKey(Caption, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    components = models.JSONField(default=dict, blank=True)
    origin = models.CharField(max_length=32)
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    provenance = models.JSONField(default=dict, blank=True, help_text="Backend, model, prompt, facts used.")
    restores = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    client_id = models.UUIDField(unique=True, help_text="Made by who saves, so that a repeated request counts once.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["caption_id", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caption", "number"], name="one_revision_a_number"),
            models.CheckConstraint(
                condition=~Q(origin=PERSON) | Q(author__isnull=False), name="a_persons_revision_has_an_author"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["author", "-id"], name="revision_of_person")]

    def __str__(self) -> str:
        return f"{self.caption_id} r{self.number}"
