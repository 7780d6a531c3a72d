"""`manage.py check_captions [slug ...]`: compose prompts and check captions anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from captions.checking import captions_recheck
from captions.wanted import prompts_refresh
from tiles.models import Area


class Command(BaseCommand):
    help = (
        "Composes the prompts of captions and checks them anew: after the rules or the settings of an area changed. "
        "Safe to interrupt and to repeat; people's dismissals stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="slug", help="Areas; all of them when none is named.")

    def handle(self, *args: Any, **options: Any) -> None:
        for area in _areas(options["slugs"]):
            moved = prompts_refresh(area=area)
            checked = captions_recheck(area=area)
            self.stdout.write(f"{area.slug}: {checked:,} captions checked, {moved:,} prompts composed anew.")


def _areas(slugs: list[str]) -> list[Area]:
    if not slugs:
        return list(Area.objects.order_by("slug"))
    areas = {area.slug: area for area in Area.objects.filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in areas:
            raise CommandError(f"There is no area {slug!r}. Areas are named by their slug, as in their address.")
    return [areas[slug] for slug in slugs]
