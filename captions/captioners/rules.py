"""The embedded captioner: a sentence from what was measured, and from nothing else.

What cannot be measured here (farmland, rivers, roads, towns) is never said. The wording varies with the tile's
place in its area, so that a dataset does not repeat one phrase, and is the same at every run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from .base import CaptionAnswer, TileFacts
from .wording import degrees, listed, metres, share_of

VERSION = 1

SECOND_SHARE = 0.3
"""A second landform is named from this share on."""
SOME_WATER = 0.02
ONLY_WATER = 0.98
UNEVEN = 5
"""A plain or highland whose slopes average more degrees is not called one: in a tile smaller than the window of
the landform, or on a surface of trees and roofs, low relief does not make it level."""
VOID_WORTH_SAYING = 0.05
DARK, BRIGHT = 0.05, 0.7
"""Mean brightness below and above which it is said. Only extremes: what lies between depends on the sensor."""
GREY = 0.08
EVEN = 0.01


class _Ground(NamedTuple):
    """How a landform of tiles.raster.terrain is said. The first noun suits any slope."""

    nouns: tuple[str, ...]
    plural: bool
    second: str
    terms: tuple[str, ...]


_GROUNDS = {
    "plain": _Ground(("a plain", "low, level ground", "flat lowland"), False, "level ground", ("plain",)),
    "highland": _Ground(
        ("a high plateau", "level highland", "a flat upland"), False, "level high ground", ("plain", "highland")
    ),
    "hill": _Ground(("hills", "a range of hills", "hilly ground"), True, "hills", ("hill",)),
    "low_mountain": _Ground(
        ("low mountains", "low, undulating mountains", "a landscape of low mountains"),
        True,
        "low mountains",
        ("mountain",),
    ),
    "high_mountain": _Ground(
        ("high mountains", "high, undulating mountains", "a landscape of high mountains"),
        True,
        "high mountains",
        ("mountain",),
    ),
}
_LEVEL = ("plain", "highland")
_MOUNTAINS = {"low_mountain", "high_mountain"}
_SINGULAR = ("a range", "a landscape", "hilly ground")


class RulesCaptioner:
    """Composes the sentence. Its confidence is how clearly the landform won: the share of the tile it covers."""

    name = "rules"

    def caption(self, facts: TileFacts) -> CaptionAnswer:
        provenance = {"backend": self.name, "version": VERSION, "facts": facts.known()}
        confidence = _confidence(facts)
        if confidence is not None:
            provenance["confidence"] = round(confidence, 3)
        return CaptionAnswer(
            description=_sentence(facts, _Chooser(facts)),
            terms=_terms(facts),
            category=facts.category,
            weather=facts.scene,
            confidence=confidence,
            provenance=provenance,
        )


class _Chooser:
    """Picks among wordings by the tile's area and number: varied over an area, the same at every run."""

    def __init__(self, facts: TileFacts) -> None:
        self._bytes = hashlib.sha256(f"{facts.area}/{facts.index}".encode()).digest()
        self._next = 0

    def __call__(self, wordings: Sequence[str]) -> str:
        value = self._bytes[self._next % len(self._bytes)]
        self._next += 1
        return wordings[value % len(wordings)]


def _sentence(facts: TileFacts, choose: _Chooser) -> str:
    if facts.landform == "ocean":
        clauses = _sea(facts, choose)
    elif facts.landform in _GROUNDS:
        clauses = [_land(facts, choose), _water(facts, choose)]
    else:
        clauses = [_picture(facts, choose)]
    clauses += [_cover(facts, choose), _light(facts, choose)]
    first, *others = [clause for clause in clauses if clause]
    text = f"{', '.join([first, *others[:-1]])}, and {others[-1]}" if others else first
    return f"{text[0].upper()}{text[1:]}.{_void(facts)}"


def _sea(facts: TileFacts, choose: _Chooser) -> list[str]:
    if facts.water_share is None or facts.water_share > ONLY_WATER:
        lead = choose(("open sea fills the image", "the image shows open sea"))
    else:
        share = share_of(facts.water_share)
        lead = choose((f"the sea covers {share} of the image", f"water at sea level covers {share} of the image"))
    if facts.dem_max is None or facts.dem_max < 1:
        return [lead]
    top = metres(facts.dem_max)
    return [lead, choose((f"the land rises to {top}", f"the land climbs to {top}", f"the highest ground is at {top}"))]


def _land(facts: TileFacts, choose: _Chooser) -> str:
    ground, plural = _ground(facts, choose)
    slope = _slope(facts, choose)
    if facts.dem_min is None or facts.dem_max is None:
        return f"the image shows {ground}{slope}"
    bottom, top = metres(facts.dem_min), metres(facts.dem_max)
    if bottom == top:
        return f"{ground} {'lie' if plural else 'lies'} at {top}{slope}"
    return choose(
        (
            f"{ground} {'rise' if plural else 'rises'} from {bottom} to {top}{slope}",
            f"the image shows {ground} between {bottom} and {top}{slope}",
            f"{ground} {'lie' if plural else 'lies'} between {bottom} and {top}{slope}",
            f"seen from above, {ground} {'reach' if plural else 'reaches'} {top}{slope}",
            f"the image shows {ground} of up to {top}{slope}",
        )
    )


def _ground(facts: TileFacts, choose: _Chooser) -> tuple[str, bool]:
    """What the ground is, and whether that is a plural."""
    if _is_uneven(facts):
        return choose(("the ground", "uneven ground")), False
    kind, second = _GROUNDS[facts.landform], _second(facts)
    if {facts.landform, second} == _MOUNTAINS:
        return choose(("mountains", "mountains of varied height")), True
    if second:
        return f"{kind.nouns[0]} and {_GROUNDS[second].second}", True
    sloping = facts.landform in _LEVEL and (facts.slope or 0) >= 3
    noun = kind.nouns[0] if sloping else choose(kind.nouns)
    return noun, kind.plural and not noun.startswith(_SINGULAR)


def _is_uneven(facts: TileFacts) -> bool:
    return facts.landform in _LEVEL and facts.slope is not None and facts.slope > UNEVEN


def _second(facts: TileFacts) -> str:
    """The landform that comes next, where it covers enough to be named."""
    others = {name: share for name, share in facts.landform_shares.items() if name in _GROUNDS}
    others.pop(facts.landform, None)
    name = max(sorted(others), key=lambda other: others[other], default="")
    return name if name and others[name] >= SECOND_SHARE else ""


def _slope(facts: TileFacts, choose: _Chooser) -> str:
    if facts.slope is None:
        return ""
    if facts.slope < 1:
        return choose((" with barely noticeable slopes", " with hardly any slope"))
    word = next((word for limit, word in _STEEPNESS if facts.slope < limit), "very steep")
    return choose(
        (
            f" with {word} slopes of {degrees(facts.slope)} on average",
            f" with {word} slopes that average {degrees(facts.slope)}",
            f" with {word} slopes",
        )
    )


_STEEPNESS = ((5, "gentle"), (12, "moderate"), (25, "steep"))


def _water(facts: TileFacts, choose: _Chooser) -> str:
    if facts.water_share is None or facts.water_share < SOME_WATER:
        return ""
    share = share_of(facts.water_share)
    return choose((f"water at sea level covers {share} of the image", f"the sea takes up {share} of the image"))


# Share of the dry land that is vegetated, up to which each wording holds.
_VEGETATION = (
    (0.03, ("there is hardly any vegetation", "the land is almost without vegetation")),
    (0.25, ("vegetation is sparse", "little of the land is covered with vegetation")),
    (0.75, ("vegetation covers much of the land", "much of the land is covered with vegetation")),
    (1.01, ("vegetation is dense", "the land is densely covered with vegetation")),
)
_DRY = 0.05


def _cover(facts: TileFacts, choose: _Chooser) -> str:
    """How green it is: by NDVI where there is near infrared, else by the share of pixels with an excess of green.

    Water looks green to the latter, so nothing is said of a tile with water by it.
    """
    if facts.vegetation is not None:
        return choose(next(words for limit, words in _VEGETATION if facts.vegetation < limit))
    if facts.greenness is None or (facts.water_share or 0) > _DRY:
        return ""
    if facts.greenness < 0.03:
        return choose(("hardly any of the surface is green", "there is next to no green"))
    if facts.greenness > 0.97:
        return choose(("nearly all of the surface is green", "green covers nearly everything"))
    share = share_of(facts.greenness)
    return choose((f"{share} of the surface is green", f"green covers {share} of the surface"))


def _light(facts: TileFacts, choose: _Chooser) -> str:
    words = []
    if facts.brightness is not None and facts.brightness < DARK:
        words.append("dark")
    if facts.brightness is not None and facts.brightness > BRIGHT:
        words.append("bright")
    if facts.saturation is not None and facts.saturation < GREY:
        words.append("nearly grey")
    if facts.contrast is not None and facts.contrast < EVEN:
        words.append("even in tone")
    return f"{choose(('the picture', 'the scene', 'the imagery'))} is {listed(words)}" if words else ""


def _picture(facts: TileFacts, choose: _Chooser) -> str:
    """For a tile without heights: nothing is known of its ground."""
    kind = {"sar": "a radar image", "nir": "a near-infrared image"}.get(facts.modality, "an image")
    if facts.satellite:
        kind += f" from {facts.satellite}"
    return choose((f"this is {kind} without heights", f"this is {kind} of ground whose heights are not known"))


def _void(facts: TileFacts) -> str:
    if facts.void_share is None or facts.void_share < VOID_WORTH_SAYING:
        return ""
    return f" Heights are missing for {share_of(facts.void_share)} of the image."


def _terms(facts: TileFacts) -> tuple[str, ...]:
    """Words of the RS3DBench vocabulary that the heights prove, the main one first."""
    terms = ["ocean"] if facts.landform == "ocean" else []
    second = "" if facts.landform == "ocean" else _second(facts)
    for name in (facts.landform, second):
        if name in _GROUNDS and not _is_uneven(facts):
            terms += _GROUNDS[name].terms
    if facts.water_share is not None and facts.water_share >= SOME_WATER:
        terms.append("ocean")
    return tuple(dict.fromkeys(terms))


def _confidence(facts: TileFacts) -> float | None:
    share = facts.water_share if facts.landform == "ocean" else facts.landform_shares.get(facts.landform)
    return None if share is None else min(max(share, 0.0), 1.0)
