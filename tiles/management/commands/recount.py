"""`manage.py recount`: prove that the maintained counters are right, and mend them where they are not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from tiles.areas.services import area_recount
from tiles.models import Area


class Command(BaseCommand):
    help = "Count every tile again and set the areas' counters to it"

    def handle(self, *args: Any, **options: Any) -> None:
        for area in Area.objects.order_by("slug"):
            wrong = area_recount(area=area)
            for name, (before, now) in wrong.items():
                self.stdout.write(f"{area.slug}: {name} was {before}, is {now}")
            if not wrong:
                self.stdout.write(f"{area.slug}: right")
