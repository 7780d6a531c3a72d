"""People."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models

from tiles.core.words import hidden_character


class User(AbstractUser):
    """Someone who signs in. `display_name` is what releases and logs show."""

    display_name = models.CharField(max_length=100, blank=True)
    preferences = models.JSONField(
        default=dict, blank=True, help_text="Keys, layers, colours: what the pages remember."
    )

    def __str__(self) -> str:
        return self.shown_name

    def clean(self) -> None:
        super().clean()
        for name, words in (("username", "user name"), ("display_name", "display name")):
            if hidden := hidden_character(getattr(self, name)):
                raise ValidationError({name: f"The {words} holds an invisible character ({hidden}). Type it again."})

    @property
    def shown_name(self) -> str:
        return self.display_name or self.get_full_name() or self.username
