"""Whom the settings say to be at Earth Engine."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from .base import SourceClosed

HOW = "docs/build.md tells how, under Earth Engine."


@dataclass(frozen=True)
class Account:
    """Whom to be, in which project, and where: what the settings say."""

    credentials: str
    project: str
    url: str

    @classmethod
    def of_settings(cls) -> Account:
        """Raises SourceClosed, with what is missing."""
        account = cls(settings.EARTHENGINE_CREDENTIALS, settings.EARTHENGINE_PROJECT, settings.EARTHENGINE_URL)
        if not account.credentials:
            raise SourceClosed(
                "There are no credentials for Earth Engine. Set EARTHENGINE_CREDENTIALS to the path of a service "
                f"account's file, or to default. {HOW}"
            )
        if not account.project:
            raise SourceClosed(f"No project is named. Set EARTHENGINE_PROJECT to your Cloud project. {HOW}")
        return account
