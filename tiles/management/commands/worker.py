"""`manage.py worker`: the background worker, supervised."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from tiles.core.first_start import NOT_READY, require_database
from tiles.jobs.supervisor import Supervisor


class Command(BaseCommand):
    help = "Work jobs in the background until interrupted; starts again what dies or hangs."

    def handle(self, *args: Any, **options: Any) -> None:
        _require_ready()
        try:
            supervisor = Supervisor(self._say)
        except OSError as error:
            raise CommandError(
                f"The data folder cannot be written: {error.strerror}. Set DEMETER_DATA to one that can."
            ) from error
        self._say(f"Working with {settings.DEMETER_WORKERS} processes. Ctrl-C stops.")
        supervisor.run()
        self._say("Stopped.")

    def _say(self, line: str) -> None:
        self.stdout.write(f"Worker: {line}")
        self.stdout.flush()


def _require_ready() -> None:
    """Raise CommandError on a database that waits for its migrations; one that is away is waited for instead."""
    require_database()
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError(NOT_READY)
    except OperationalError:
        return
