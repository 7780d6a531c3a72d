"""Blind rounds: known tiles judged again by people who do not see what was decided."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from .appendonly import AppendOnly
from .area import Area
from .choices import ReviewState
from .tile import TilePair


class BlindRound(models.Model):
    """A sample of an area's decided tiles that is put before some people again."""

    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="blind_rounds", db_index=False)
    seed = models.PositiveIntegerField()
    started_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    reviewers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="blind_rounds")
    client_id = models.UUIDField(unique=True, help_text="Made by the page, so that a form sent twice starts one round.")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["area", "-id"], name="blind_round_of_area")]

    def __str__(self) -> str:
        return f"blind round {self.pk} of {self.area}"


class BlindTile(models.Model):
    """A tile of a round, with what stood about it when the round began: the verdict, by whom, of which pixels."""

    round = models.ForeignKey(BlindRound, on_delete=models.CASCADE, related_name="tiles", db_index=False)
    tile = models.ForeignKey(TilePair, on_delete=models.PROTECT, related_name="+")
    index = models.PositiveIntegerField(help_text="The tile's number, by which the round is gone through.")
    state = models.CharField(max_length=16, choices=ReviewState)
    reason = models.CharField(max_length=32, blank=True)
    decided_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    layers = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["index"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["round", "index"], name="a_tile_once_a_blind_round")]

    def __str__(self) -> str:
        return f"tile_{self.index} of blind round {self.round_id}"


class BlindAnswer(AppendOnly):
    """What somebody said of a tile of a round. It stands apart: neither the tile nor its log changes.

    The newest entry of a person about a tile that is not undone, nor itself an undo, is the answer.
    """

    class Verb(models.TextChoices):
        APPROVE = "approve", "Approved"
        REJECT = "reject", "Rejected"
        UNSURE = "unsure", "Unsure"
        UNDO = "undo", "Undone"

    blind_tile = models.ForeignKey(BlindTile, on_delete=models.PROTECT, related_name="answers")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=8, choices=Verb)
    reason = models.CharField(max_length=32, blank=True)
    note = models.TextField(blank=True, max_length=2000)
    layers_seen = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)
    client_id = models.UUIDField(unique=True)
    undoes = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.blind_tile}: {self.verb}"
