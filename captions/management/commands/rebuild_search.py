"""`manage.py rebuild_search`: make the full-text index of the captions anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from captions.search.index import index_differences, index_rebuild


class Command(BaseCommand):
    help = "Makes the full-text index of the captions anew. Searching goes on meanwhile, and finds more and more."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only say whether the index is whole.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            missing, left = index_differences()
            whole = not missing and not left
            self.stdout.write(
                "The index is whole." if whole else f"{missing:,} captions are not indexed, {left:,} are left over."
            )
            return
        self.stdout.write(f"{index_rebuild():,} captions indexed.")
