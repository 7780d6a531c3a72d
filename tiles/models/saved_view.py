"""Filters and orders of a gallery that people keep by name."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .area import Area


class SavedView(models.Model):
    """A name for a query string of the gallery: `state=pending&order=score`."""

    owner = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="saved_views")
    area = models.ForeignKey(
        Area,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="saved_views",
        help_text="Or every area.",
    )
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True, max_length=2000)
    shared = models.BooleanField(default=False, help_text="Listed for everybody.")

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name"], name="one_view_a_name")]
        indexes: ClassVar = [models.Index(fields=["shared", "name"], name="view_shared")]

    def __str__(self) -> str:
        return self.name
