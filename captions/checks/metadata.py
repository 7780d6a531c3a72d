"""Claims about the picture itself, against its metadata: resolution, satellite, modality, weather."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..prompts import gsd_level
from .base import Checked, CheckFacts, Found
from .cover import snow_claimed
from .mentions import Mention
from .sky import clear_air, night_claimed

RATIO = 1.3
"""By how much a resolution in numbers may differ."""

_LEVELS = re.compile(
    r"\b(?P<level>ultra[- ]high|very[- ]high|super[- ]high|extremely[- ]high|high|ordinary|medium|moderate|"
    r"ultra[- ]low|very[- ]low|low|coarse)[- ](?P<precision>precision[- ])?(?:spatial )?resolution\b",
    re.IGNORECASE,
)
# Metres a pixel from which, and up to which, a word may stand where it is no level by name: usage is loose.
_LOOSE = {
    "ultra high": (0.0, 1.0),
    "very high": (0.0, 5.0),
    "super high": (0.0, 2.0),
    "extremely high": (0.0, 2.0),
    "high": (0.0, 4.0),
    "ordinary": (0.8, 10.0),
    "medium": (1.0, 60.0),
    "moderate": (1.0, 500.0),
    "low": (2.0, 1e9),
    "coarse": (2.0, 1e9),
    "very low": (10.01, 1e9),
    "ultra low": (10.01, 1e9),
}
_NUMBER = r"(?P<{0}>\d+(?:\.\d+)?)\s*-?\s*(?P<{0}_unit>cm|centimet(?:re|er)s?|m|met(?:re|er)s?|km|kilomet(?:re|er)s?)"
SIZES = re.compile(
    rf"{_NUMBER.format('first')}\b[\s-]*(?:(?:spatial|ground|native|pixel|grid|image)[\s-]+)*"
    r"(?:resolution|gsd|ground sampl\w+|pixels?\b|/\s?px\b|/\s?pixel|(?:per|a|to the) pixel)"
    rf"|(?:resolution|gsd|ground sampl\w+(?: distance)?|pixel size)(?: is| of|:|=)*\s*(?:about |around |"
    rf"roughly |≈|~)?\s*"
    rf"{_NUMBER.format('second')}\b",
    re.IGNORECASE,
)
# Case counts: SPOT is a satellite, a spot is not.
SATELLITES = re.compile(
    r"\b(?:[Ss]entinel|SENTINEL|[Ll]andsat|LANDSAT|[Gg]ao[Ff]en|GF|[Ww]orld[Vv]iew|WV|[Qq]uick[Bb]ird|IKONOS|[Ii]konos|"
    r"Pl[eé]iades|SPOT|[Pp]lanet[Ss]cope|[Ss]ky[Ss]at|MODIS|ASTER|VIIRS|[Tt]ian[Gg]ong|[Hh]imawari|GOES|[Tt]erra[Ss]AR|"
    r"RADARSAT|[Rr]adarsat|ALOS|[Gg]eo[Ee]ye|[Kk]ompsat|KOMPSAT|[Rr]apid[Ee]ye|[Cc]arto[Ss]at|[Hh]yperion|ICEYE|"
    r"[Ee]nvisat|ERS)(?:[- ]?(?P<number>[0-9]{1,2}[A-D]?))?\b"
)
_MODALITIES = {
    "sar": re.compile(
        r"\b(?:SAR|(?:synthetic[- ]aperture )?radar)[- ](?:satellite )?(?:image|imagery|picture|scene|data|"
        r"backscatter|view|"
        r"shot)\w*|\b(?:radar|SAR) (?:backscatter|echo\w*)\b",
        re.IGNORECASE,
    ),
    "nir": re.compile(
        r"\b(?:(?:near[- ])?infra-?red|NIR)[- ](?:satellite )?(?:image|imagery|picture|scene|band|view)\w*",
        re.IGNORECASE,
    ),
    "rgb": re.compile(
        r"\b(?:optical|RGB|(?:true|natural|full)[- ]colou?r|colou?r)[- ](?:satellite )?"
        r"(?:image|imagery|picture|photo|photograph|composite|scene)\w*",
        re.IGNORECASE,
    ),
}
_GREY = re.compile(r"\b(?:black[- ]and[- ]white|gr[ae]y[- ]?scale|panchromatic|monochrome)\b", re.IGNORECASE)
_BEFORE = re.compile(
    r"\b(?:not?|isn['’]t|unlike|without|than|like|as|compared with|compared to|no)(?: an?| the)?\s*$", re.I
)
_MODALITY_WORDS = {"sar": "a radar image", "nir": "a near-infrared image", "rgb": "an image in colour"}


def _says(code: str, match: re.Match[str], why: str, severity: float = 0.6) -> Found:
    return Found(code, f"says “{match[0]}”: {why}", severity, match[0], match.start())


def _asserted(text: str, match: re.Match[str]) -> bool:
    """Neither denied nor compared with."""
    return not _BEFORE.search(text[: match.start()])


class ResolutionCheck:
    """A resolution in words or in metres a pixel, against the imagery's own."""

    codes = ("gsd",)

    def find(self, checked: Checked) -> Iterator[Found]:
        native = checked.facts.native_gsd
        if native is None:
            return
        for match in _LEVELS.finditer(checked.text):
            if _asserted(checked.text, match) and not _level_holds(match, native, checked.low_limit):
                yield _says("gsd", match, f"the imagery has {native:g} m a pixel")
        for match in SIZES.finditer(checked.text):
            said = _metres(match)
            if said > 0 and not 1 / RATIO <= said / native <= RATIO and _asserted(checked.text, match):
                yield _says("gsd", match, f"the imagery has {native:g} m a pixel")


def _level_holds(match: re.Match[str], native: float, low_limit: float) -> bool:
    word = match["level"].lower().replace("-", " ")
    if match["precision"]:
        return gsd_level(native, low_limit=low_limit).lower().replace("-", " ").startswith(f"{word} ")
    least, most = _LOOSE[word]
    return least <= native < most


def _metres(match: re.Match[str]) -> float:
    name = "first" if match["first"] else "second"
    unit = match[f"{name}_unit"].lower()
    factor = 0.01 if unit.startswith("c") else 1000 if unit.startswith("k") else 1
    return float(match[name]) * factor


class SatelliteCheck:
    """The name of a satellite, against what took the imagery."""

    codes = ("satellite",)

    def find(self, checked: Checked) -> Iterator[Found]:
        known = _plain(checked.facts.satellite)
        if not known:
            return
        for match in SATELLITES.finditer(checked.text):
            family, said = _ALIASES.get(_letters(match[0]), _letters(match[0])), _plain(match[0])
            ours = _ALIASES.get(_letters(known), _letters(known))
            number = (match["number"] or "").lower()
            other_number = bool(number) and any(each.isdigit() for each in known) and not _same_number(number, known)
            another = (family not in ours and ours not in family) or other_number
            if another and said not in known and _asserted(checked.text, match):
                yield _says("satellite", match, f"the imagery is from {checked.facts.satellite}", 0.7)


_ALIASES = {"gf": "gaofen", "wv": "worldview", "gaofen": "gaofen"}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _letters(name: str) -> str:
    """The family: letters up to the first digit."""
    match = re.match(r"[a-zé]+", _plain(name))
    return match[0] if match else ""


def _same_number(number: str, known: str) -> bool:
    ours = re.findall(r"\d{1,2}", known)
    return not ours or re.match(r"\d+", number)[0].lstrip("0") == ours[0].lstrip("0")  # type: ignore[index]


class ModalityCheck:
    """Radar, infrared, in colour, black and white."""

    codes = ("modality",)

    def find(self, checked: Checked) -> Iterator[Found]:
        ours = checked.facts.modality
        for modality, pattern in _MODALITIES.items():
            if modality == ours:
                continue
            for match in pattern.finditer(checked.text):
                if _asserted(checked.text, match) and not _false_colour(checked.text, match):
                    yield _says("modality", match, f"this is {_MODALITY_WORDS[ours]}", 0.7)
        colourful = checked.facts.saturation is not None and checked.facts.saturation > 0.2
        if ours == "rgb" and colourful:
            for match in _GREY.finditer(checked.text):
                if _asserted(checked.text, match):
                    yield _says("modality", match, f"mean saturation {checked.facts.saturation:.2f}", 0.5)


def _false_colour(text: str, match: re.Match[str]) -> bool:
    """ "false-colour image" and the like of a band that is no colour."""
    return bool(re.search(r"(?:false|pseudo)[- ]$", text[: match.start()], re.IGNORECASE))


class WeatherCheck:
    """The component `weather`, against the scene, the light and the place."""

    codes = ("weather",)

    def find(self, checked: Checked) -> Iterator[Found]:
        said, facts = checked.weather, checked.facts
        if not said or said == facts.scene:
            return
        why = f"the scene is labelled {facts.scene}" if facts.scene else _measured(said, facts)
        if why:
            yield Found("weather", f"the weather is said to be “{said}”: {why}", 0.7)


def _measured(weather: str, facts: CheckFacts) -> str:
    alone = Mention(weather, weather, 0, "", "")
    if weather == "fog":
        return clear_air(facts) if facts.water < 0.5 else ""
    return (night_claimed if weather == "night" else snow_claimed)(alone, facts)


CHECKS = (ResolutionCheck(), SatelliteCheck(), ModalityCheck(), WeatherCheck())
