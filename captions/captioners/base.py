"""What every captioner is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from tiles.core.errors import Suspended
from tiles.models import TilePair


@dataclass(frozen=True)
class TileFacts:
    """What was measured of a tile, and what its area says of it. None or "" where nothing is known.

    Heights and relief in metres, slope in degrees, shares 0..1, gsd in metres a pixel. brightness, contrast,
    saturation, greenness, ndvi and vegetation (of the dry land) were measured on the imagery before any stretch.
    """

    area: str
    index: int
    modality: str = "rgb"
    satellite: str = ""
    scene: str = ""
    category: str = ""
    gsd: float | None = None
    landform: str = ""
    landform_shares: dict[str, float] = field(default_factory=dict)
    dem_min: float | None = None
    dem_max: float | None = None
    relief: float | None = None
    slope: float | None = None
    water_share: float | None = None
    void_share: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    saturation: float | None = None
    greenness: float | None = None
    ndvi: float | None = None
    vegetation: float | None = None

    def known(self) -> dict[str, Any]:
        """The facts that are known, for a provenance: JSON types only."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", {})}


@dataclass(frozen=True)
class CaptionAnswer:
    """What a captioner says of one tile.

    terms: words of the RS3DBench vocabulary (plain, ocean, hill, mountain ...). confidence: 0..1, None where the
    captioner has no measure of it. provenance: backend, its version, model, prompt, raw answer, facts used.
    """

    description: str
    terms: tuple[str, ...] = ()
    category: str = ""
    weather: str = ""
    confidence: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def components(self) -> dict[str, Any]:
        """What a caption keeps beside its text."""
        return {"terms": list(self.terms), "category": self.category, "weather": self.weather}


@dataclass(frozen=True)
class Guide:
    """What a captioner is told. terms: what an answer's terms are chosen from. number: 0 for the usual instruction."""

    text: str
    terms: tuple[str, ...]
    number: int = 0


@dataclass(frozen=True)
class CaptionTask:
    """One tile to be described.

    picture, depth: a JPEG of the colours and one of the heights beside it, of the size that the captioner asked for;
    empty for a captioner that wants none.
    """

    tile_id: int
    facts: TileFacts
    guide: Guide
    picture: bytes = b""
    depth: bytes = b""


@dataclass(frozen=True)
class Spent:
    """What answering took: tokens of the question and of the answer, and seconds on the clock."""

    asked: int = 0
    answered: int = 0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        return self.asked + self.answered

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.asked + other.asked, self.answered + other.answered, self.seconds + other.seconds)


@dataclass(frozen=True)
class Unanswered:
    """Why a tile got no text. code: a few words joined by `_`, by which failures are grouped; message: a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Answered:
    """What became of one task, and what it took."""

    task: CaptionTask
    outcome: CaptionAnswer | Unanswered
    spent: Spent = Spent()


class CaptionerClosed(Suspended):
    """The captioner cannot be used by anybody now: a wrong key, an endpoint that is away. The job pauses for it."""

    code = "captioner_closed"


@dataclass(frozen=True)
class Wants:
    """What a captioner needs. size: pixels of the picture's longer side, 0 for no picture; at_once: tiles in hand."""

    size: int = 0
    depth: bool = False
    at_once: int = 16


class Writer(Protocol):
    """A captioner as jobs use it: many tiles at a time, pictures and all.

    `name` becomes the caption's origin; `model` tells proposals of one name apart, and is "" where there is but one.
    """

    name: str
    model: str
    wants: Wants

    def answers(self, tasks: Iterator[CaptionTask], beat: Callable[[], None]) -> Generator[Answered]:
        """Every task once, in any order, as it is answered.

        MUST take tasks only as it can begin them: who asks may end them early, and wants the answers of those begun.
        MUST call beat() at least every few seconds, from the thread it is called in, and let pass what it raises.
        MUST treat whatever a picture or a model says as text. MAY raise CaptionerClosed; what was not answered by then
        is asked again later.
        """
        ...

    def cost(self, spent: Spent) -> float:
        """Money, by the prices that are configured; 0 where none are."""
        ...


class Captioner(Protocol):
    """Writes the caption of one tile by its facts alone. `name` becomes the caption's origin."""

    name: str

    def caption(self, facts: TileFacts) -> CaptionAnswer:
        """MUST say only what the facts or the picture show; MAY raise ApplicationError when it cannot answer."""
        ...


LIGHT = ("brightness", "contrast", "saturation", "greenness", "ndvi", "vegetation")


def facts_of(tile: TilePair) -> TileFacts:
    """The facts of a built tile. Needs `tile.area` loaded; reads no file.

    What was measured of the light is left out where nobody can know it: 16-bit numbers begin and end elsewhere in
    every source, and a ratio of numbers with an offset says nothing of how green a wood is.
    """
    measures = tile.measures
    measured = LIGHT if _light_is_known(tile) else ()
    return TileFacts(
        area=tile.area.slug,
        index=tile.index,
        modality=tile.modality,
        satellite=tile.satellite,
        scene=tile.scene,
        category=tile.category,
        gsd=tile.gsd,
        landform=tile.landform,
        landform_shares=dict(measures.get("landform_shares") or {}),
        dem_min=tile.dem_min,
        dem_max=tile.dem_max,
        relief=tile.relief,
        slope=tile.slope,
        water_share=tile.water_share,
        void_share=tile.void_share,
        **{name: measures.get(name) for name in measured},
    )


def _light_is_known(tile: TilePair) -> bool:
    """Whether the imagery is 8-bit, or reflectance, as it is or by its scale."""
    rgb = tile.layer("rgb") or {}
    if rgb.get("scale") is not None:
        return True
    dtype, highest = str(rgb.get("dtype", "")), rgb.get("max")
    return dtype == "uint8" or (dtype.startswith("float") and highest is not None and highest <= _REFLECTANCE)


_REFLECTANCE = 2.0
"""The highest reflectance that is still one: glint and clouds exceed 1."""
