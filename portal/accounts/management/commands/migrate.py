"""Django's `migrate`, which also makes what the first start needs: the data folder and the secret key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as MigrateCommand

from portal.accounts.secret import secret_key_ensure


class Command(MigrateCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            secret_key_ensure()
        except OSError as error:
            raise CommandError(
                f"The data folder cannot be written: {error.strerror}. Set DEMETER_DATA to one that can."
            ) from error
        super().handle(*args, **options)
