"""`manage.py check_earthengine`: whether imagery of Earth Engine can be had, and if not, why not."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from tiles.imagery.base import SourceError
from tiles.imagery.ee_check import earthengine_check
from tiles.jobs.limiter import earthengine_limiter


class Command(BaseCommand):
    help = "Send Earth Engine one small request with the settings as they are, and say what is wrong with them."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seconds", type=float, default=60.0, help="how long to try (default 60)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            seconds = earthengine_check(limiter=earthengine_limiter(), seconds=options["seconds"])
        except SourceError as error:
            raise CommandError(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(
                f"The database cannot be used ({error}). See to DEMETER_DATA, then run: python manage.py migrate"
            ) from error
        self.stdout.write(
            self.style.SUCCESS(
                f"Earth Engine answers: one small request for project {settings.EARTHENGINE_PROJECT} at "
                f"{settings.EARTHENGINE_URL} succeeded in {seconds:.1f} s."
            )
        )
