"""What people decided about tiles, entry by entry."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .appendonly import AppendOnly
from .choices import ReviewState
from .tile import TilePair


class ReviewDecision(AppendOnly):
    """One entry of the review log. The tables' state is what replaying the entries by `id` gives.

    `verb` and `reason` are the person's verdict; `to_state` and `to_reason` what became of the tile by it, which is
    another thing where the area's policy asks for a second look.
    """

    class Verb(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"
        UNSURE = "unsure", "Unsure"
        UNDO = "undo", "Undone"
        RESET = "reset", "Back to pending"

    tile = models.ForeignKey(TilePair, on_delete=models.PROTECT, related_name="decisions")
    verb = models.CharField(max_length=8, choices=Verb)
    from_state = models.CharField(max_length=8, choices=ReviewState)
    from_reason = models.CharField(max_length=32, blank=True)
    to_state = models.CharField(max_length=8, choices=ReviewState)
    to_reason = models.CharField(max_length=32, blank=True)
    reason = models.CharField(
        max_length=32, blank=True, help_text="What the person gave, also while the tile waits for somebody else's look."
    )
    note = models.TextField(blank=True, max_length=2000)
    layers_seen = models.JSONField(default=dict)
    tile_version = models.PositiveIntegerField(help_text="The tile's version after this entry.")
    by = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="decisions",
        help_text="Nobody when a rule decided.",
    )
    at = models.DateTimeField(auto_now_add=True)
    client_id = models.UUIDField(unique=True, help_text="Made by the browser, so that a repeated request counts once.")
    action = models.UUIDField(help_text="Shared by the entries of one user action.")
    undoes = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["tile", "id"], name="decision_of_tile"),
            models.Index(fields=["by", "-id"], name="decision_of_person"),
            models.Index(fields=["action"], name="decision_of_action"),
        ]

    def __str__(self) -> str:
        return f"{self.tile}: {self.verb}"
