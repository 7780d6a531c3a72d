"""What a release calls the people who decided and wrote: by their names, or by pseudonyms that hold in it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Min

from .models import Release


@dataclass(frozen=True)
class People:
    """pseudonyms: of each person by id; None where people stand by their names."""

    pseudonyms: Mapping[int, str] | None

    def name(self, person: Any) -> str | None:
        if person is None:
            return None
        return person.shown_name if self.pseudonyms is None else self.pseudonyms[person.pk]

    def words(self, note: str) -> str:
        """What somebody noted for colleagues: names may stand in it, so it goes with the names."""
        return note if self.pseudonyms is None else ""


def people_of(release: Release) -> People:
    """The same for the same entries: person-1 is who decided about the first tile or, after that, wrote its text."""
    if release.named:
        return People(None)
    roles = ("decision__by", "caption_revision__author")
    first: dict[int, tuple[int, int]] = {}
    for order, role in enumerate(roles):
        found = release.entries.exclude(**{role: None}).order_by().values_list(role).annotate(first=Min("position"))
        for person, position in found:
            first[person] = min(first.get(person, (position, order)), (position, order))
    return People({person: f"person-{number}" for number, person in enumerate(sorted(first, key=first.__getitem__), 1)})
