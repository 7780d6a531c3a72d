"""What every check is given and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Protocol

from tiles.models import TilePair

from ..captioners.base import TileFacts, facts_of
from .mentions import Mention, mentions_of

MOST_WORDS = 200
"""Characters of a text that a finding quotes."""


@dataclass(frozen=True)
class CheckFacts(TileFacts):
    """What was measured of a tile, as far as a check may need it. None or "" where nothing is known.

    Besides TileFacts: dem_mean in metres, native_gsd of the imagery in metres a pixel, lat and lon of the middle in
    degrees, cloud_share and haze_share 0..1 (bright white: snow, salt and roofs too), vertical_datum, and names that
    the metadata know, such as the area's.
    """

    dem_mean: float | None = None
    native_gsd: float | None = None
    lat: float | None = None
    lon: float | None = None
    cloud_share: float | None = None
    haze_share: float | None = None
    vertical_datum: str = ""
    names: tuple[str, ...] = ()

    def landforms(self, *names: str) -> float | None:
        """The share of these landforms together, or None where it is not known."""
        if not self.landform_shares and (self.water_share or 0) < 1:
            return None
        return sum(self.landform_shares.get(name, 0.0) for name in names)

    @property
    def water(self) -> float:
        """The share of water at sea level, as far as it is known."""
        return self.water_share or 0.0

    @property
    def is_open_sea(self) -> bool:
        return self.water >= OPEN_SEA and (self.dem_max is None or self.dem_max < LOW_ROCK)


OPEN_SEA = 0.97
LOW_ROCK = 10


def check_facts_of(tile: TilePair) -> CheckFacts:
    """The facts of a built tile. Needs `tile.area` loaded; reads no file."""
    known = facts_of(tile)
    quality = tile.measures.get("quality") or {}
    light = known.brightness is not None
    return CheckFacts(
        **{each.name: getattr(known, each.name) for each in fields(known)},
        dem_mean=tile.measures.get("dem_mean"),
        native_gsd=tile.native_gsd,
        lat=tile.lat,
        lon=tile.lon,
        cloud_share=tile.cloud_share if light else None,
        haze_share=quality.get("haze_share") if light else None,
        vertical_datum=tile.area.vertical_datum,
        names=tuple(name for name in (tile.area.name, known.satellite, known.category) if name),
    )


@dataclass(frozen=True)
class Rival:
    """Another captioner's newest text about the same tile."""

    captioner: str
    text: str
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """A caption to be checked, with all that a check may ask: nothing is read from anywhere while it is checked.

    low_limit, banned, language: as in CaptionSettings. alike: how many other captions of the area say the same.
    """

    text: str
    facts: CheckFacts
    prompt: str = ""
    components: Mapping[str, Any] = field(default_factory=dict)
    low_limit: float = 10.0
    banned: tuple[str, ...] = ()
    language: str = "en"
    rivals: tuple[Rival, ...] = ()
    alike: int = 0

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """What the text speaks of. English only: nothing in another language."""
        return mentions_of(self.text)

    @property
    def weather(self) -> str:
        return str(self.components.get("weather") or "")


@dataclass(frozen=True)
class Found:
    """Something doubtful. words: as they stand in the text, at `start`; "" and None for the caption as a whole."""

    code: str
    message: str
    severity: float
    words: str = ""
    start: int | None = None


class Check(Protocol):
    """One kind of doubt."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Of all findings it may make."""
        ...

    def find(self, checked: Checked) -> Iterable[Found]:
        """MUST depend on nothing but `checked`, MUST be quick, and MUST be silent where the facts cannot tell."""
        ...
