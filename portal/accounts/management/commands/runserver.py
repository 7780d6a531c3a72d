"""Django's `runserver`, which says what to do on a machine where nothing was migrated yet."""

from __future__ import annotations

from typing import Any

from whitenoise.runserver_nostatic.management.commands.runserver import Command as RunserverCommand

from tiles.core.first_start import require_database


class Command(RunserverCommand):
    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before the system checks, which open the database.
        require_database()
        return super().execute(*args, **options)
