"""Django's `migrate`, which also makes what the first start needs: the data folder and the secret key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as MigrateCommand

from portal.accounts.secret import data_folder_ensure


class Command(MigrateCommand):
    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before the system checks, which open the database.
        try:
            data_folder_ensure()
        except OSError as error:
            raise CommandError(
                f"The data folder cannot be written: {error.strerror}. Set DEMETER_DATA to one that can."
            ) from error
        return super().execute(*args, **options)
