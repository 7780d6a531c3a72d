"""Claims about what covers the ground, against light, plants, place and heights."""

from __future__ import annotations

import re

from .base import CheckFacts
from .claims import ClaimCheck, metres, percent, place
from .mentions import Mention

TROPICS = 25.0
SNOWLESS_BELOW = 2500.0
"""Metres below which no snow lies between the tropics."""
SUBTROPICS, SNOWLESS_LOWLAND = 30.0, 300.0
DARK_FOR_SNOW, DARK_FOR_SOME_SNOW = 0.12, 0.08
"""Mean brightness below which there cannot be much snow, and hardly any."""
NOTHING_WHITE = 0.0005
POLAR = 73.0
"""Degrees from the equator beyond which no tree grows."""
HIGHEST_TOWN = 5300.0
HIGHEST_FIELD = 5000.0
_CAPPED = re.compile(r"capped|dusted|peaks?|summits?|tops?|ridges?|distance|glacial|gull(?:y|ies)", re.IGNORECASE)
_TERRACED = re.compile(r"terrac", re.IGNORECASE)
_SEASONAL = re.compile(
    r"winter|leafless|autumn|burn\w*|dead|scorched|felled|deciduous|bare trees|mangrove|sparse", re.I
)


def snow_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.scene == "snow":
        return ""
    if facts.lat is not None and facts.dem_max is not None:
        tropical = abs(facts.lat) <= TROPICS and facts.dem_max < SNOWLESS_BELOW
        if tropical or (abs(facts.lat) <= SUBTROPICS and facts.dem_max < SNOWLESS_LOWLAND):
            return place(facts)
    if facts.scene == "night":
        return ""
    return _snow_by_light(mention, facts)


def _snow_by_light(mention: Mention, facts: CheckFacts) -> str:
    few = mention.small or mention.near(_CAPPED)
    light = facts.brightness
    if light is not None and not few and light < (DARK_FOR_SNOW if mention.large else DARK_FOR_SOME_SNOW):
        return f"mean brightness {light:.2f}, snow is above 0.4"
    white = facts.cloud_share
    if white is not None and white <= NOTHING_WHITE and (facts.haze_share or 0) <= 0.005 and not mention.small:
        return "nothing in the picture is bright and white"
    if not few and (facts.vegetation or 0) >= 0.9:
        return f"vegetation covers {percent(facts.vegetation or 0)} of the land"
    if not few and facts.greenness is not None and facts.greenness >= 0.9 and (facts.saturation or 0) > 0.15:
        return f"{percent(facts.greenness)} of the surface is green"
    return ""


def _snow_denied(mention: Mention, facts: CheckFacts) -> str:
    if facts.scene == "snow" and mention.words.lower().startswith(("snow", "ice")):
        return "the scene is labelled snow"
    return ""


def _covered(facts: CheckFacts) -> bool:
    """Whether snow, fog, cloud or night hide what grows."""
    return facts.scene in ("snow", "night", "fog") or (facts.cloud_share or 0) > 0.3


def _forest_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.water >= 0.985 and (facts.dem_max or 0) < 5:
        return f"water at sea level covers {percent(facts.water)}"
    if facts.dem_min is not None and facts.dem_min > 5000:
        return f"lowest height {metres(facts.dem_min)}, above every tree line"
    if facts.lat is not None and abs(facts.lat) > POLAR:
        return f"{abs(facts.lat):.0f}° from the equator, beyond every tree line"
    if mention.small or mention.near(_SEASONAL) or _covered(facts):
        return ""
    if facts.vegetation is not None:
        bright = facts.brightness is None or facts.brightness > 0.1 or (facts.ndvi is not None and facts.ndvi < 0.15)
        least = 0.15 if mention.large else 0.08
        return (
            f"vegetation covers {percent(facts.vegetation)} of the land" if facts.vegetation < least and bright else ""
        )
    if facts.ndvi is not None and facts.ndvi < 0.1 and facts.water < 0.3:
        return f"mean NDVI {facts.ndvi:.2f}"
    light, green = facts.brightness, facts.greenness
    if light is not None and green is not None and light > 0.14 and green < 0.03:
        return f"{percent(green)} of the surface is green, mean brightness {light:.2f}"
    return ""


_TENDED = re.compile(
    r"\b(?:golf|parks?|gardens?|oas[ie]s|irrigat\w+|lawns?|pitch(?:es)?|courtyards?|pivots?|"
    r"riverbanks?)\b",
    re.IGNORECASE,
)
_OPENINGS = re.compile(
    r"\b(?:clearings?|quarr\w+|paths?|roads?|landslides?|summits?|cliffs?|ridges?|tracks?|above|mines?|"
    r"river ?banks?)\b",
    re.IGNORECASE,
)


def _lush_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.lat is not None and abs(facts.lat) > POLAR and facts.brightness is not None and facts.brightness > 0.4:
        return f"{abs(facts.lat):.0f}° from the equator, mean brightness {facts.brightness:.2f}"
    if mention.small or mention.near(_TENDED) or _covered(facts):
        return ""
    if facts.vegetation is not None:
        return f"vegetation covers {percent(facts.vegetation)} of the land" if facts.vegetation < 0.12 else ""
    if facts.water >= 0.985:
        return f"water at sea level covers {percent(facts.water)}"
    if facts.ndvi is not None and facts.water < 0.3:
        return f"mean NDVI {facts.ndvi:.2f}" if facts.ndvi < 0.15 else ""
    if facts.greenness is not None and facts.greenness < 0.03 and (facts.brightness or 0) > 0.12:
        return f"{percent(facts.greenness)} of the surface is green"
    return ""


def _plants_denied(mention: Mention, facts: CheckFacts) -> str:
    """Barren, bare, without vegetation."""
    if mention.small or _MEASURED_PLANTS.search(f"{mention.before[-25:]}"):
        return ""
    return _green(facts, 0.65, 0.5, 0.8)


def _sparse_claimed(_mention: Mention, facts: CheckFacts) -> str:
    return _green(facts, 0.8, 0.6, 0.95)


def _bare_claimed(mention: Mention, facts: CheckFacts) -> str:
    return "" if mention.small or mention.near(_OPENINGS) else _green(facts, 0.65, 0.5, 0.8)


def _green(facts: CheckFacts, vegetation: float, ndvi: float, greenness: float) -> str:
    """Why the land is green, where one of the measures is at least this."""
    if facts.vegetation is not None:
        enough = facts.vegetation >= vegetation and facts.water < 0.95
        return f"vegetation covers {percent(facts.vegetation)} of the land" if enough else ""
    if facts.ndvi is not None:
        return f"mean NDVI {facts.ndvi:.2f}" if facts.ndvi >= ndvi else ""
    if facts.greenness is not None and facts.greenness >= greenness and facts.water < 0.05:
        return f"{percent(facts.greenness)} of the surface is green"
    return ""


_MEASURED_PLANTS = re.compile(r"\b(?:dense|lush|tall|much|rich|thick|continuous|natural|woody)\s*$", re.IGNORECASE)


def _desert_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.water >= 0.95:
        return f"water at sea level covers {percent(facts.water)}"
    dunes = mention.words.lower().startswith("dune")
    if mention.small or (dunes and facts.water > 0.02):
        return ""
    return _green(facts, 0.75 if dunes else 0.6, 0.5, 0.8)


def _city_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.is_open_sea:
        return f"water at sea level covers {percent(facts.water)}"
    if facts.dem_min is not None and facts.dem_min > HIGHEST_TOWN:
        return f"lowest height {metres(facts.dem_min)}, above every town"
    if mention.small:
        return ""
    if facts.slope is not None and facts.slope >= 22 and not mention.near(_VALLEY):
        return f"mean slope {facts.slope:.0f}°"
    most = 0.93 if mention.large else 0.96
    wild = facts.vegetation is not None and facts.vegetation >= most and (facts.ndvi is None or facts.ndvi > 0.55)
    if wild:
        return f"vegetation covers {percent(facts.vegetation or 0)} of the land"
    return ""


def _town_claimed(_mention: Mention, facts: CheckFacts) -> str:
    if facts.water >= 0.99 and (facts.dem_max or 0) < 2:
        return f"water at sea level covers {percent(facts.water)}"
    if facts.dem_min is not None and facts.dem_min > HIGHEST_TOWN:
        return f"lowest height {metres(facts.dem_min)}, above every village"
    return ""


def _farmland_claimed(mention: Mention, facts: CheckFacts) -> str:
    if facts.is_open_sea:
        return f"water at sea level covers {percent(facts.water)}"
    if facts.dem_min is not None and facts.dem_min > HIGHEST_FIELD:
        return f"lowest height {metres(facts.dem_min)}, above every field"
    if mention.small or mention.near(_TERRACED) or mention.near(_VALLEY):
        return ""
    if facts.slope is not None and facts.slope >= (20 if mention.large else 23):
        return f"mean slope {facts.slope:.0f}°"
    return ""


_VALLEY = re.compile(r"\b(?:valley|valleys|lower slopes|foot)\b", re.IGNORECASE)

CHECKS = (
    ClaimCheck("snow", ("snow",), snow_claimed, _snow_denied, 0.7),
    ClaimCheck("forest", ("forest",), _forest_claimed, None, 0.7),
    ClaimCheck("vegetation", ("lush",), _lush_claimed, None, 0.6),
    ClaimCheck("vegetation", ("plants",), None, _plants_denied, 0.6),
    ClaimCheck("vegetation", ("sparse",), _sparse_claimed, None, 0.5),
    ClaimCheck("vegetation", ("bare",), _bare_claimed, None, 0.6),
    ClaimCheck("desert", ("desert",), _desert_claimed, None, 0.7),
    ClaimCheck("city", ("city",), _city_claimed, None, 0.8),
    ClaimCheck("city", ("town",), _town_claimed, None, 0.7),
    ClaimCheck("farmland", ("farmland",), _farmland_claimed, None, 0.7),
)
