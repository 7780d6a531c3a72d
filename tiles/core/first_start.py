"""What `migrate` makes on a new machine, and what cannot start without it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import connection

NOT_READY = "The database is not up to date. Run `python manage.py migrate` first."


def require_database() -> None:
    """Raise CommandError where no key was made yet, or no SQLite file: a server elsewhere may only be away."""
    try:
        settings.SECRET_KEY  # noqa: B018  raises when there is none
    except ImproperlyConfigured as error:
        raise CommandError(NOT_READY) from error
    if connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).is_file():
        raise CommandError(NOT_READY)
