"""Numbers and names: heights that the heights contradict, and what nothing here can prove."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .base import Checked, CheckFacts, Found
from .claims import metres
from .metadata import SATELLITES, SIZES

TOLERANCE, SHARE_TOLERANCE = 30.0, 0.05
"""Metres, and share of a height, by which a rounded number may miss it."""
FOOT = 0.3048

_LENGTH = re.compile(
    r"(?<![\w.,-])(?P<sign>[-−])?(?P<number>\d{1,3}(?:[,  ]\d{3})+|\d+(?:\.\d+)?)\s*-?\s*"
    r"(?P<unit>km|kilomet(?:re|er)s?|met(?:re|er)s?|m|ft|feet)\b(?![²³]|\s?[23]\b|/)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"(?<![\w.,-])(?P<low>\d[\d,]*(?:\.\d+)?)\s*(?:m\b|met(?:re|er)s?)?\s*(?:to|and|-|–|up to)\s*$", re.IGNORECASE
)
# What is said of ground reaching up, and of altitude proper.
_RISES = re.compile(
    r"\b(?:ris\w+|rose|reach\w*|climb\w*|soar\w*|tower\w*|peak\w*|summit\w*|mountains?|hills?|ridges?|up to|"
    r"culminat\w+|"
    r"high|tall|top\w*|exceed\w*|over|above|ground|ascend\w*)\b[^.;]*$",
    re.IGNORECASE,
)
_ALTITUDE = re.compile(
    r"\b(?:elevations?|altitudes?|heights?|lies? at|lying at|situated at|located at|sits at|from|between|rises? from|"
    r"descend\w*|drops?|falls?|lowest|down) (?:\w+ ){0,5}$",
    re.IGNORECASE,
)
_ALTITUDE_AFTER = re.compile(
    r"^\s*(?:above (?:mean )?sea level|a\.?s\.?l|of (?:elevation|altitude)|in (?:elevation|altitude)|altitude|"
    r"elevation|"
    r"(?:to|and) \d[\d,]*\s*m)",
    re.IGNORECASE,
)
_HIGH_AFTER = re.compile(
    r"^[\s-]*(?:high|tall|peaks?|mountains?|summits?|plateau|ridges?|hills?|in height|of relief)\b", re.IGNORECASE
)
_NO_HEIGHT = re.compile(
    r"^[\s-]*(?:wide|long|across|deep|thick|away|apart|square|runway|per |a pixel|pixel|resolution|distance|in length|"
    r"in width|in diameter|grid|further|north|south|east|west|to the|(?:high|tall) (?:\w+ )?(?:tower|dam|"
    r"building|bridge|chimney|"
    r"turbine|waterfall|tree|mast|wall)|of (?:coast|road|river|shore)|contour|track|tiles?|from)",
    re.IGNORECASE,
)
_NO_HEIGHT_BEFORE = re.compile(
    r"\b(?:resolution|gsd|width|length|diameter|distance|pixels?|stretch\w*|wide|long|scale|every|spacing|within|"
    r"for|buildings?|tower|towers|bridge|dam|waterfall|cliffs?)\b[^.;]{0,25}$",
    re.IGNORECASE,
)
_NUMERAL = re.compile(r"(?<![\w.,-])[-−]?\d+(?:[.,  ]\d+)*\s?(?:%|percent|per cent|°|degrees?)?", re.IGNORECASE)


class HeightCheck:
    """A height in numbers, against the lowest and the highest."""

    codes = ("height",)

    def find(self, checked: Checked) -> Iterator[Found]:
        facts = checked.facts
        if facts.dem_min is None or facts.dem_max is None or (facts.void_share or 0) > 0.3:
            return
        for match in _LENGTH.finditer(checked.text):
            why = _height_wrong(checked.text, match, facts)
            if why:
                yield Found("height", f"says “{match[0]}”: {why}", 0.7, match[0], match.start())


def _height_wrong(text: str, match: re.Match[str], facts: CheckFacts) -> str:
    before, after = text[max(0, match.start() - 60) : match.start()], text[match.end() : match.end() + 40]
    if _NO_HEIGHT.match(after) or _NO_HEIGHT_BEFORE.search(before):
        return ""
    absolute = bool(_ALTITUDE_AFTER.match(after) or _ALTITUDE.search(before))
    ranged = _RANGE.search(before)
    if match["unit"].lower().startswith("k") and not (_ALTITUDE_AFTER.match(after) or _HIGH_AFTER.match(after)):
        return ""
    if not (absolute or ranged or _RISES.search(before) or _HIGH_AFTER.match(after)):
        return ""
    said = _in_metres(match)
    low, high = facts.dem_min or 0.0, facts.dem_max or 0.0
    tolerance = max(TOLERANCE, SHARE_TOLERANCE * abs(high))
    if said > high + tolerance:
        return f"highest ground {metres(high)}"
    # A number below the lowest may be a height above the valley.
    if (absolute or ranged) and said < low - tolerance and not _relative(before, after):
        return f"lowest height {metres(low)}"
    return ""


def _relative(before: str, after: str) -> bool:
    return bool(re.search(r"\b(?:differ\w*|relief|relative|drop of|range of)\b", before + after, re.IGNORECASE))


def _in_metres(match: re.Match[str]) -> float:
    value = float(re.sub(r"[,  ]", "", match["number"]))
    unit = match["unit"].lower()
    factor = FOOT if unit in ("ft", "feet") else 1000 if unit.startswith("k") else 1
    return value * factor * (-1 if match["sign"] else 1)


class NumberCheck:
    """A numeral that is none of the measured facts: nothing here can prove it."""

    codes = ("number",)

    def find(self, checked: Checked) -> Iterator[Found]:
        taken = [match.span() for pattern in (SATELLITES, SIZES) for match in pattern.finditer(checked.text)]
        for match in _NUMERAL.finditer(checked.text):
            words = match[0].strip()
            inside = any(start <= match.start() < end for start, end in taken)
            if inside or _known_number(words, checked.facts) or _in_name(words, checked.facts):
                continue
            yield Found("number", f"says “{words}”: no measure proves this number", 0.15, words, match.start())


def _known_number(words: str, facts: CheckFacts) -> bool:
    digits = re.sub(r"[^\d.]", "", words.replace("−", "-"))
    if not digits or digits.count(".") > 1:
        return False
    value = float(digits)
    if re.search(r"%|percent|per cent", words, re.IGNORECASE):
        shares = (facts.water_share, facts.vegetation, facts.greenness, facts.cloud_share, facts.void_share)
        every = [*shares, *facts.landform_shares.values()]
        return any(share is not None and abs(100 * share - value) <= 2 for share in every)
    measured = (facts.dem_min, facts.dem_max, facts.dem_mean, facts.relief, facts.slope, facts.gsd, facts.native_gsd)
    return any(known is not None and _rounds_to(abs(known), value) for known in measured)


def _rounds_to(known: float, value: float) -> bool:
    """Rounded as captions round: to a tenth, whole, to ten above 100 and to a hundred above 1,000."""
    step = 0.1 if known < 10 else 1 if known < 99.5 else 10 if known < 1000 else 100
    return abs(known - value) <= step / 2 + 1e-6 or abs(known - value) <= 1


def _in_name(words: str, facts: CheckFacts) -> bool:
    return any(words in name for name in facts.names)


_CAPITAL = re.compile(
    r"(?<![.!?:;]\s)(?<![\"“(])(?<!^)(?<!\n)\b[A-Z][a-zà-ÿ'’]+(?:[- ](?:of |de |la |the )?[A-Z][a-zà-ÿ'’]+)*"
)
_COMMON = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "north",
        "south",
        "east",
        "west",
        "northern",
        "southern",
        "eastern",
        "western",
        "english",
        "earth",
        "i",
    ]
)
TITLED = 0.5
"""From this share of capitalised words on a text is written like a title, and capitals tell nothing."""


class NameCheck:
    """A proper name that the metadata do not hold: nothing here can prove it."""

    codes = ("name",)

    def find(self, checked: Checked) -> Iterator[Found]:
        words = re.findall(r"[^\W\d_]+", checked.text)
        capital = sum(word[0].isupper() for word in words)
        if checked.language not in ("en", "fr", "es", "it", "pt", "nl") or capital > TITLED * max(len(words), 4):
            return
        known = {word.lower() for name in checked.facts.names for word in re.findall(r"[^\W\d_]+", name)}
        satellites = [match.span() for match in SATELLITES.finditer(checked.text)]
        for match in _CAPITAL.finditer(checked.text):
            parts = {word.lower() for word in re.findall(r"[^\W\d_]+", match[0])}
            if parts <= known | _COMMON or any(start <= match.start() < end for start, end in satellites):
                continue
            yield Found("name", f"says “{match[0]}”: no measure proves this name", 0.15, match[0], match.start())


CHECKS = (HeightCheck(), NumberCheck(), NameCheck())
