"""`manage.py rebuild_release <folder> --layers <data folder>`: the archive of a release again, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from portal.exports.manifest import MANIFEST
from portal.exports.rebuilding import release_rebuild
from portal.exports.record import RECORD, record_read
from tiles.core.errors import ApplicationError
from tiles.core.paths import data_folder


class Command(BaseCommand):
    help = (
        "Write the archive of a release again from what lies beside it and the stored layers, and compare checksums. "
        "Does not look into the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("left", type=Path, help=f"the folder of the release, with {RECORD} and manifest.jsonl")
        parser.add_argument("--layers", type=Path, metavar="FOLDER", help="another data folder than this site's")
        parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the archive is put; <left> if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        left: Path = options["left"].parent if options["left"].name == RECORD else options["left"]
        out: Path = options["out"] or left
        try:
            record = record_read(left / RECORD)
            with Progress(console=Console(stderr=True), transient=True) as shown:
                task = shown.add_task("Tiles", total=record.about.tile_count)
                sealed = release_rebuild(
                    record=record,
                    manifest=left / MANIFEST,
                    layers=options["layers"] or data_folder(),
                    out=out,
                    on_tile=lambda: shown.advance(task),
                )
        except ApplicationError as error:
            raise CommandError(error.message) from error
        for file in sealed.files:
            self.stdout.write(f"{file.sha256}  {out / file.name}")
        self.stdout.write(self.style.SUCCESS(f"{sealed.size:,} bytes, the same as when the release was made."))
