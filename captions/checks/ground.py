"""Claims about the ground and the sea, against heights."""

from __future__ import annotations

import re

from .base import CheckFacts
from .claims import ClaimCheck, metres, percent
from .mentions import Mention

SEA_MARGIN = 10.0
"""Metres above zero up to which the sea may be in a tile: tides, datums, and noise of the heights."""
ELLIPSOID_MARGIN = 120.0
"""The same where heights are above an ellipsoid, from which the sea departs by up to 107 m."""
VOIDS_MAY_HIDE_SEA = 0.02
NO_WATER = 0.005

_FILLS = re.compile(
    r"\b(?:fills?|covers?|takes? up|occup(?:y|ies)) (?:almost |nearly )?(?:all|most|the (?:whole|entire|full)|"
    r"everything|"
    r"the (?:image|picture|scene|frame|tile)|three quarters)\b|\bentirely (?:sea|ocean|water)\b|\bnothing but\b|"
    r"\bmost of (?:the|this) (?:image|picture|scene|frame|tile|area)\b",
    re.IGNORECASE,
)
_PARTIAL_GROUND = re.compile(
    r"\b(?:valley|valleys|floor|bottom|banks?|terraces?|between|foot|along|riverside|basin|roofs?|tops?|strip|patch(?:es)?|"
    r"summits?|as a)\b",
    re.IGNORECASE,
)
_NOT_GROUND = re.compile(
    r"\b(?:banks?|roofs?|dunes?|walls?|stairs|streets?|price|cliffs?|quarr\w+|pits?|sided)\b", re.I
)


def _sea_claimed(mention: Mention, facts: CheckFacts) -> str:
    if mention.words.lower().startswith("beach") and mention.near(_FRESH_WATER):
        return ""
    margin = ELLIPSOID_MARGIN if "ellips" in facts.vertical_datum.lower() else SEA_MARGIN
    dry = facts.water < NO_WATER and (facts.void_share or 0) <= VOIDS_MAY_HIDE_SEA
    if dry and facts.dem_min is not None and facts.dem_min > margin:
        return f"no water at sea level, lowest height {metres(facts.dem_min)}"
    return _sea_share(mention, facts)


def _sea_share(mention: Mention, facts: CheckFacts) -> str:
    """Why the sea is larger or smaller than it is said to be, where that is said."""
    if facts.water_share is None or not mention.words.lower().startswith(("sea", "ocean")):
        return ""
    covered = facts.water_share + (facts.void_share or 0)
    too_much = mention.close(_FILLS) and not mention.small and covered < 0.35
    not_half = mention.close(_HALF) and (covered < 0.2 or facts.water_share > 0.85)
    too_little = mention.small and not mention.close(_HALF) and facts.water_share > 0.8
    if too_much or not_half or too_little:
        return f"water at sea level covers {percent(facts.water_share)}"
    return ""


_HALF = re.compile(r"\bhalf (?:of )?(?:the|this) (?:image|picture|scene|frame|tile|area)\b", re.IGNORECASE)
_FRESH_WATER = re.compile(r"\b(?:lakes?|rivers?|reservoirs?|ponds?|riverbank)\b", re.IGNORECASE)


def _sea_denied(mention: Mention, facts: CheckFacts) -> str:
    """Without sea or water; who denies coasts and fjords may stand in the open sea."""
    if not mention.words.lower().startswith(("sea", "ocean", "water", "bod", "landlocked")):
        return ""
    if mention.topic == "water" and mention.near(_WATER_OF_MANY_KINDS):
        return ""
    return f"water at sea level covers {percent(facts.water)}" if facts.water >= 0.1 else ""


_WATER_OF_MANY_KINDS = re.compile(r"\b(?:inland|fresh|standing|flowing|running|drinking|muddy) ?water", re.IGNORECASE)


def _lake_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.is_open_sea and facts.water >= 0.99:
        return f"water at sea level covers {percent(facts.water)}, no land around it"
    level = facts.landforms("plain", "highland")
    big = (mention.large or mention.close(_FILLS)) and not mention.small
    if big and level is not None and level + facts.water < 0.02 and (facts.slope or 0) >= 10:
        return f"no level ground, mean slope {facts.slope:.0f}°"
    return ""


def _mountain_claimed(_mention: Mention, facts: CheckFacts) -> str:
    if facts.relief is None or (facts.void_share or 0) > 0.3:
        return ""
    mountains = facts.landforms("low_mountain", "high_mountain")
    if facts.relief < 60:
        return f"heights differ by {metres(facts.relief)} only"
    if facts.relief < 150 and not mountains and (facts.slope or 0) < 5:
        return f"heights differ by {metres(facts.relief)} only, mean slope {facts.slope or 0:.0f}°"
    return ""


def _cliff_claimed(_mention: Mention, facts: CheckFacts) -> str:
    if facts.relief is not None and facts.relief < 15 and (facts.void_share or 0) < 0.3:
        return f"heights differ by {metres(facts.relief)} only"
    return ""


def _mountain_denied(_mention: Mention, facts: CheckFacts) -> str:
    mountains = facts.landforms("low_mountain", "high_mountain")
    if mountains is not None and mountains > 0.5 and (facts.relief or 0) > 300:
        return f"mountains cover {percent(mountains)}, heights differ by {metres(facts.relief or 0)}"
    return ""


def _hill_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.relief is None or (facts.void_share or 0) > 0.3:
        return ""
    least, level = (8, 1.0) if mention.words.lower() == "rolling" else (20, 2.0)
    if facts.relief < least and (facts.slope or 0) < level:
        return f"heights differ by {metres(facts.relief)} only"
    high = facts.landforms("high_mountain")
    lone = mention.topic == "hill" and not mention.near(_MOUNTAINS)
    if lone and high is not None and high >= 0.85 and facts.relief >= 1000 and (facts.slope or 0) >= 18:
        return f"high mountains cover {percent(high)}, heights differ by {metres(facts.relief)}"
    return ""


_MOUNTAINS = re.compile(r"\b(?:mountain\w*|peaks?|alp\w*|foothills?|steep|high)\b", re.IGNORECASE)


def _hill_denied(_mention: Mention, facts: CheckFacts) -> str:
    hills = facts.landforms("hill")
    if hills is not None and hills >= 0.8 and (facts.relief or 0) > 60:
        return f"hills cover {percent(hills)}, heights differ by {metres(facts.relief or 0)}"
    return ""


_FLAT_WATER = re.compile(r"\bflat\b[^,]*\b(?:seas?|water|ocean|lakes?|ice|surface|coast)\b", re.IGNORECASE)


def _plain_claimed(mention: Mention, facts: CheckFacts) -> str:
    if mention.small or mention.near(_PARTIAL_GROUND) or mention.near(_FLAT_WATER):
        return ""
    level = facts.landforms("plain", "highland")
    uneven = (facts.slope or 0) >= 8 and (facts.relief or 0) >= 150
    if level is not None and level < 0.03 and uneven:
        return f"no level ground, mean slope {facts.slope:.0f}°, heights differ by {metres(facts.relief or 0)}"
    if level is None and (facts.slope or 0) >= 15 and facts.landform in ("low_mountain", "high_mountain"):
        return f"mean slope {facts.slope:.0f}°"
    return ""


def _plain_denied(_mention: Mention, facts: CheckFacts) -> str:
    level = facts.landforms("plain", "highland")
    if level is None or level < 0.97 or facts.relief is None or facts.relief >= 20 or (facts.slope or 0) >= 2:
        return ""
    return f"level ground covers {percent(level)}, heights differ by {metres(facts.relief)} only"


def _steep_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.slope is None or facts.relief is None or mention.near(_NOT_GROUND):
        return ""
    if facts.relief < 20 or (facts.slope < 2 and facts.relief < 60):
        return f"mean slope {facts.slope:.1f}°, heights differ by {metres(facts.relief)}"
    return ""


def _steep_denied(_mention: Mention, facts: CheckFacts) -> str:
    return f"mean slope {facts.slope:.0f}°" if (facts.slope or 0) >= 25 else ""


def _gentle_claimed(mention: Mention, facts: CheckFacts) -> str:
    least = 12 if mention.words.lower().startswith(("barely", "hardly")) else 18
    if mention.small or mention.near(_PARTIAL_GROUND):
        return ""
    return f"mean slope {facts.slope:.0f}°" if (facts.slope or 0) >= least else ""


def _lowland_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.dem_min is not None and facts.dem_min > 500 and not _LOW_AIR.match(mention.after):
        return f"lowest height {metres(facts.dem_min)}"
    return ""


_LOW_AIR = re.compile(r"\s+(?:cloud|fog|mist|haze|sun)", re.IGNORECASE)


def _highland_claimed(mention: Mention, facts: CheckFacts) -> str:
    if mention.words[0].isupper() and mention.before.strip():
        return ""
    limit = 500 if mention.words.lower().startswith("high") else 200
    if facts.dem_max is not None and facts.dem_max < limit:
        return f"highest ground {metres(facts.dem_max)}"
    return ""


CHECKS = (
    ClaimCheck("sea", ("sea",), _sea_claimed, _sea_denied, 0.8),
    ClaimCheck("sea", ("water",), None, _sea_denied, 0.7),
    ClaimCheck("lake", ("lake",), _lake_claimed, None, 0.6),
    ClaimCheck("mountain", ("mountain",), _mountain_claimed, _mountain_denied, 0.8),
    ClaimCheck("mountain", ("cliff",), _cliff_claimed, None, 0.7),
    ClaimCheck("hill", ("hill", "foothill"), _hill_claimed, _hill_denied, 0.6),
    ClaimCheck("plain", ("plain",), _plain_claimed, _plain_denied, 0.7),
    ClaimCheck("slope", ("steep",), _steep_claimed, _steep_denied, 0.6),
    ClaimCheck("slope", ("gentle",), _gentle_claimed, None, 0.6),
    ClaimCheck("height", ("lowland",), _lowland_claimed, None, 0.6),
    ClaimCheck("height", ("highland",), _highland_claimed, None, 0.6),
)
