"""`manage.py demo`: everything from nothing to a running site with a synthetic area."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from portal.demo import prepare, serve
from portal.demo.area import area_ready
from tiles.core.errors import ApplicationError


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise ArgumentTypeError(f"{text!r} is no port: choose a number from 1 to 65535")
    return int(text)


class Command(BaseCommand):
    help = "Prepare the demo area and serve the site on 127.0.0.1 with its worker"
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_port, default=8000)
        parser.add_argument("--no-serve", action="store_true", help="prepare only")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(highlight=False)
        try:
            if not options["no_serve"]:
                serve.require_port(options["port"])
            prepare.database_ready()
            prepare.static_ready()
            name, password = prepare.person_ready()
            area_ready(console)
        except ApplicationError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(
                f"The data folder cannot be written ({error.strerror}). Set DEMETER_DATA to one that can."
            ) from error
        if options["no_serve"]:
            return

        def announce() -> None:
            console.print(f"\n  Demeter   http://{serve.HOST}:{options['port']}/", soft_wrap=True)
            console.print(f"  user      {name}\n  password  {password}\n\n  Ctrl-C stops it.\n", markup=False)

        sys.exit(serve.serve(options["port"], announce))
