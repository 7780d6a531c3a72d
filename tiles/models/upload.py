"""Elevation models that people send from the build page."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from .job import Job


class DemUpload(models.Model):
    """One file on its way in. `received` bytes of it are on the disk for good; what comes next begins there."""

    class State(models.TextChoices):
        RECEIVING = "receiving", "Receiving"
        CHECKING = "checking", "Being checked"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"
        CANCELLED = "cancelled", "Cancelled"
        REMOVED = "removed", "Removed"

    OPEN: ClassVar = (State.RECEIVING, State.CHECKING)

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, help_text="Chosen by whoever sends it.")
    owner = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="dem_uploads")
    name = models.CharField(max_length=100, help_text="As in the folder of uploads, where case makes no difference.")
    size = models.PositiveBigIntegerField(help_text="Bytes of the whole file.")
    received = models.PositiveBigIntegerField(default=0, help_text="Bytes that are flushed to the disk.")
    sha256_asked = models.CharField(max_length=64, blank=True, help_text="What the file must have; empty: anything.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="As measured once it was whole.")
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVING)
    problem = models.TextField(blank=True, help_text="Why it was refused, cancelled or removed, for a person.")
    job = models.ForeignKey(
        Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="dem_uploads", help_text="What checks it."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    heard_at = models.DateTimeField(help_text="When something of it came last.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), condition=Q(state="accepted"), name="one_accepted_upload_a_name"),
            models.CheckConstraint(condition=Q(received__lte=F("size")), name="no_more_received_than_the_size"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "heard_at"], name="upload_by_state")]

    def __str__(self) -> str:
        return self.name
