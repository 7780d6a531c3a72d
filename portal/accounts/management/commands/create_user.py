"""`manage.py create_user NAME --role ROLE`: the password is asked for, or read from standard input."""

from __future__ import annotations

import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.accounts.roles import ROLES
from portal.accounts.services import user_create
from tiles.core.errors import ApplicationError


class Command(BaseCommand):
    help = "Make a user with one of the roles: " + ", ".join(ROLES)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", required=True, choices=ROLES)
        parser.add_argument("--display-name", default="", help="shown to others and in releases")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        password = self._password(options["password_stdin"])
        try:
            validate_password(password)
            user = user_create(
                username=options["username"],
                password=password,
                role=options["role"],
                display_name=options["display_name"],
            )
        except ApplicationError as error:
            raise CommandError(error.message) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Made {user.username}, {options['role']}.")

    def _password(self, from_stdin: bool) -> str:
        if from_stdin:
            return input()
        first = getpass.getpass("Password: ")
        if first != getpass.getpass("Again: "):
            raise CommandError("The two passwords differ.")
        return first
