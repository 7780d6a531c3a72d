"""Which numbers of an area are whose."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from .area import Area


class Assignment(models.Model):
    """Tiles `first` to `last` of an area, both within, are one person's to look at. Ranges of an area never overlap."""

    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    person = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="assignments")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["first"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["area", "first"], name="one_assignment_a_first_number"),
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="an_assignment_ends_after_it_begins"),
        ]

    def __str__(self) -> str:
        return f"{self.first} to {self.last}: {self.person_id}"
