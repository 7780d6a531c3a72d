"""What was done with the queue of an area, beside decisions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .appendonly import AppendOnly
from .area import Area


class QueueEntry(AppendOnly):
    """One entry of the log of an area's queue: who changed its policy, was assigned tiles, claimed or gave back some.

    detail: for a policy its fields before and after; for an assignment the person, the first and the last number; for
    claims the numbers of the tiles, a run of them an entry. Claims that ran out are entered when somebody next asks
    for tiles; `by` is whose they were.
    """

    class What(models.TextChoices):
        POLICY = "policy", "Changed the policy"
        ASSIGN = "assign", "Assigned"
        UNASSIGN = "unassign", "Took an assignment back"
        CLAIM = "claim", "Claimed"
        RELEASE = "release", "Gave back"
        LAPSE = "lapse", "Let run out"

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="queue_entries", db_index=False)
    what = models.CharField(max_length=8, choices=What)
    detail = models.JSONField(default=dict)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["area", "what", "-id"], name="queue_entry_of_area")]

    def __str__(self) -> str:
        return f"{self.area_id}: {self.what}"
