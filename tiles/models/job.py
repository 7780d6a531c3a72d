"""Long work: jobs, the chunks they are leased out in, and their log."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from .area import Area


class Job(models.Model):
    """One long piece of work. This row, and not the queue, knows what is left to do."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN: ClassVar = (State.QUEUED, State.RUNNING, State.PAUSED)
    WORKABLE: ClassVar = (State.QUEUED, State.RUNNING)

    kind = models.CharField(max_length=32)
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT, related_name="jobs")
    subject = models.CharField(
        max_length=120, blank=True, help_text="What it works on; one open job a kind and subject."
    )
    parameters = models.JSONField(default=dict, blank=True)
    total = models.PositiveIntegerField(default=0, help_text="Steps in all; 0 while unknown.")
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    failures = models.JSONField(default=dict, blank=True, help_text="Reason -> number.")
    pace = models.JSONField(default=dict, blank=True, help_text="Two marks of time and steps, for the rate.")
    error = models.TextField(blank=True, help_text="Why the whole job failed or paused, for a person.")
    room_wanted = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Set when a full disk paused it: bytes that must be free beyond DEMETER_MIN_FREE before it goes on.",
    )
    started_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="jobs"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(state__in=["queued", "running", "paused"]) & ~Q(subject=""),
                name="one_open_job_a_subject",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="job_by_state"),
            models.Index(fields=["id"], condition=Q(finished_at=None), name="job_unfinished"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def waits_for_room(self) -> bool:
        """Whether a full disk paused it, and not a person: it goes on by itself."""
        return self.state == self.State.PAUSED and self.room_wanted is not None


class JobChunk(models.Model):
    """A few seconds of a job. Leased by one worker at a time; the lease's `token` fences its writes."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        LEASED = "leased", "Leased"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN: ClassVar = (State.WAITING, State.LEASED)

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    stage = models.PositiveSmallIntegerField(default=0, help_text="Runs once every chunk of a lower stage is closed.")
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    owner = models.CharField(max_length=100, blank=True)
    token = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="How long it was worked on, once that came to an end.")

    class Meta:
        ordering: ClassVar = ["job_id", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "number"], name="one_chunk_a_number")]
        indexes: ClassVar = [
            models.Index(fields=["state", "expires_at"], name="chunk_by_lease"),
            models.Index(fields=["job", "state", "stage", "number"], name="chunk_of_job"),
        ]

    def __str__(self) -> str:
        return f"{self.job} #{self.number}"


class JobEvent(models.Model):
    """A line of a job's log."""

    class Level(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO)
    message = models.TextField()

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["job", "-id"], name="event_of_job")]

    def __str__(self) -> str:
        return self.message
