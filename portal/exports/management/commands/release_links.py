"""`manage.py release_links <name> --hours N`: a link that needs no session, from the shell."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from portal.exports.links import HOURS, link_make, link_names, link_token, links_revoke
from portal.exports.selectors import release_by_name
from tiles.core.errors import ApplicationError


class Command(BaseCommand):
    help = "Print addresses by which anybody can download a release for a while, one a line, as wget -i reads them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the release")
        parser.add_argument("--hours", type=float, default=HOURS, help="how long they hold; 30 days at most")
        parser.add_argument("--site", default="", metavar="URL", help="where the site is reached, as in https://host")
        parser.add_argument("--revoke", action="store_true", help="make none, and end all that hold")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            release = release_by_name(options["name"])
            if options["revoke"]:
                self.stdout.write(f"{links_revoke(release_id=release.pk, by=None)} revoked.")
                return
            link = link_make(release_id=release.pk, hours=options["hours"], by=None)
        except ApplicationError as error:
            raise CommandError(error.message) from error
        site = (options["site"] or next(iter(settings.CSRF_TRUSTED_ORIGINS), "http://127.0.0.1:8000")).rstrip("/")
        token = link_token(link)
        for name in link_names(release):
            self.stdout.write(site + reverse("link-file", args=[token, name]))
        self.stderr.write(f"They hold until {link.expires_at:%Y-%m-%d %H:%M} UTC.")
