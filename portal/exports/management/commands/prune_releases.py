"""`manage.py prune_releases --older-than DAYS`: remove the archives of old releases, and keep what they held known."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.exports.retention import archives_sweep, release_archive_delete, releases_prunable
from tiles.core.errors import ApplicationError


class Command(BaseCommand):
    help = "Remove archives of old releases. Manifests and checksums are kept, and public releases are left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than", type=float, required=True, metavar="DAYS", help="ready for longer than this"
        )
        parser.add_argument("--keep-latest", type=int, default=0, metavar="N", help="leave the newest N alone")
        parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["older_than"] < 0 or options["keep_latest"] < 0:
            raise CommandError("--older-than and --keep-latest are 0 or more.")
        old = releases_prunable(older_than=options["older_than"], keep_latest=options["keep_latest"])
        freed = 0
        for release in old:
            try:
                if not options["dry_run"]:
                    release_archive_delete(release_id=release.pk, by=None)
            except ApplicationError as error:
                raise CommandError(error.message) from error
            freed += release.size or 0
            self.stdout.write(f"{release.name}: {release.size or 0:,} bytes, ready since {release.ready_at:%Y-%m-%d}")
        if options["dry_run"]:
            self.stdout.write(f"{len(old)} would be removed, {freed:,} bytes. Nothing was.")
            return
        archives_sweep()
        self.stdout.write(self.style.SUCCESS(f"{len(old)} removed, {freed:,} bytes free."))
