"""People."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Someone who signs in. `display_name` is what releases and logs show."""

    display_name = models.CharField(max_length=100, blank=True)
    preferences = models.JSONField(
        default=dict, blank=True, help_text="Keys, layers, colours: what the pages remember."
    )

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        return self.display_name or self.get_full_name() or self.username
