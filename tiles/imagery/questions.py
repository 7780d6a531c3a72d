"""What can be asked of imagery that is searched for: one list a source, for the command and the page alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from django.conf import settings

from .base import SourceClosed
from .ee_account import Account
from .ee_request import KNOWN, Request, days_lost
from .stac import LEAST_CLOUDY, MEDIAN, MOST_LOOKS

Kind = Literal["text", "day", "number", "whole", "choice", "yes", "months", "bands", "classes", "assets"]


@dataclass(frozen=True)
class Question:
    """One part of what is asked for.

    name: as the source calls it. option: as the command does, without dashes; None where the command has its own.
    choices: what may be answered, with words for it; suggestions: what may be answered among other things.
    help: a clause after the label. optional: may be left without an answer, where one stands by default. rare: asked by
    few, and folded away on the page.
    """

    name: str
    label: str
    kind: Kind = "text"
    option: str | None = ""
    help: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    suggestions: Mapping[str, str] = field(default_factory=dict)
    optional: bool = False
    rare: bool = False

    @property
    def flag(self) -> str | None:
        """What the command calls it."""
        return self.name.replace("_", "-") if self.option == "" else self.option

    def parse(self, text: str) -> Any:
        """The answer that a text stands for. Raises ValueError with a clause that says how to give it."""
        if self.choices and text not in self.choices:
            raise ValueError(f"choose one of: {', '.join(self.choices)}")
        return PARSE[self.kind](text.strip())

    def shown(self, value: Any) -> str:
        """An answer as it is typed."""
        if value is None:
            return ""
        if self.kind == "months":
            return "-".join(map(str, value))
        if isinstance(value, Mapping):
            return ",".join(f"{role}={name}" for role, name in value.items())
        if isinstance(value, list | tuple):
            return ",".join(map(str, value))
        return f"{value:.12g}" if isinstance(value, float) else str(value)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ValueError("give a date as 2021-07-31") from error


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError("give a number, as in 0.5") from error


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ValueError("give a whole number") from error


def _months(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.strip().isdecimal() and last.strip().isdecimal()):
        raise ValueError("give the first and the last month, as in 5-9")
    return int(first), int(last)


def _bands(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _classes(text: str) -> list[int]:
    """Classes of a scene classification by their numbers."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ValueError("give numbers, as in 0,1,3,8,9,10") from error


def _assets(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(equals for _role, equals, _name in pairs):
        raise ValueError("give names as in red=B04,scl=SCL")
    return {role.strip(): name.strip() for role, _equals, name in pairs}


PARSE: dict[Kind, Callable[[str], Any]] = {
    "text": str,
    "choice": str,
    "yes": lambda text: text == "yes",
    "day": _day,
    "number": _number,
    "whole": _whole,
    "months": _months,
    "bands": _bands,
    "classes": _classes,
    "assets": _assets,
}

START = Question("start", "First day", "day", help="first day of the imagery")
END = Question("end", "Last day", "day", help="last day of the imagery")
CLOUD_LIMIT = Question("cloud_limit", "Cloud limit (%)", "number", help="leave out scenes with more cloud")

CATALOGUE = (
    Question("collection", "Collection", help="as sentinel-2-l2a"),
    START,
    END,
    CLOUD_LIMIT,
    Question(
        "composite",
        "Composite",
        "choice",
        help="many passes to one picture (default median)",
        choices={MEDIAN: "Median of the clear looks", LEAST_CLOUDY: "Least cloudy pass that is clear"},
    ),
    Question("scenes", "Scenes", "whole", help=f"passes that a median is made of, 1 to {MOST_LOOKS} (default 12)"),
    Question(
        "mask", "Masked classes", "classes", help="of the scene classification (SCL), as in 0,1,3,8,9,10", rare=True
    ),
    Question(
        "assets",
        "Names of the assets",
        "assets",
        help="as in red=B04,scl=SCL; nir= does without near infrared; the usual names are found by themselves",
        optional=True,
        rare=True,
    ),
)

PRESET = Question(
    "preset",
    "Preset",
    "choice",
    help="what the other answers change (default cloud-score)",
    choices={"cloud-score": "cloud-score: Cloud Score+, bilinear", "published": "published: as RS3DBench did, QA60"},
)
EARTHENGINE = (
    Question(
        "collection",
        "Collection",
        help="as COPERNICUS/S2_HARMONIZED",
        suggestions={name: known.label for name, known in KNOWN.items()},
    ),
    Question("bands", "Red, green, blue", "bands", option=None, help="by name, as in B4,B3,B2"),
    Question("nir", "Near infrared", option=None, help="by name, as in B8", optional=True),
    START,
    END,
    Question("months", "Season (months)", "months", help="the season, as 5-9 or 11-2", optional=True),
    replace(CLOUD_LIMIT, optional=True),
    Question(
        "mask",
        "Cloud mask",
        "choice",
        help="what takes the clouds out",
        choices={
            "cloud-score": "Cloud Score+ (Sentinel-2)",
            "qa60": "QA60 (Sentinel-2)",
            "qa-pixel": "QA_PIXEL (Landsat)",
            "none": "None",
        },
    ),
    Question("threshold", "Threshold of Cloud Score+", "number", option="mask-threshold", help="0 to 1 (default 0.60)"),
    Question(
        "reducer",
        "Reducer",
        "choice",
        help="many scenes to one picture (default median)",
        choices={
            "median": "Median",
            "mosaic": "Mosaic, the latest on top",
            "least_cloudy": "Least cloudy scene on top",
            "image": "One image: the collection is its id",
        },
    ),
    Question(
        "resampling",
        "Resampling",
        "choice",
        help="of each scene, before the reducer (default bilinear)",
        choices={"bilinear": "Bilinear", "bicubic": "Bicubic", "nearest": "Nearest neighbour"},
    ),
    Question("scale_factor", "Scale factor", "number", help="reflectance a unit (default 0.0001)"),
    Question("offset", "Offset", "number", option="scale-offset", help="reflectance at 0 (default 0)", rare=True),
    Question("cloud_property", "Property with the cloud cover", help="where a scene says its cloud cover", rare=True),
    Question(
        "score_band",
        "Band of Cloud Score+",
        "choice",
        help="cs also removes terrain shadow (default cs_cdf)",
        choices={"cs_cdf": "cs_cdf", "cs": "cs: removes terrain shadow too"},
        rare=True,
    ),
    Question("clear_count", "Count the clear looks", "yes", help="ask for the number of clear looks too", rare=True),
)


def not_configured(kind: str) -> str:
    """What has to be set before imagery can come from a source, as sentences; nothing when it can."""
    if kind == "stac" and not settings.DEMETER_STAC_HOSTS:
        return (
            "No catalogue may be contacted. Set DEMETER_STAC_HOSTS to the hosts of a STAC API and of its files, "
            "separated by commas, and start Demeter again. docs/build.md tells how, under STAC."
        )
    if kind == "earthengine":
        try:
            Account.of_settings()
        except SourceClosed as error:
            return str(error)
    return ""


def spec_facts(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an area's spec of its imagery says, as labels and words; no path of this machine."""
    if spec["kind"] == "earthengine":
        request = Request.from_dict(spec["request"])
        used, days = days_lost(request)
        lost = [("Days really used", f"about {used:,} of {days:,}: QA60 is empty on the others")] if used < days else []
        return [("Source", "Earth Engine"), *_facts((PRESET, *EARTHENGINE), spec["request"]), *lost]
    if spec["kind"] == "stac":
        return [("Source", f"STAC catalogue {spec['url']}"), *_facts(CATALOGUE, spec)]
    number = len(spec["files"])
    bands = [("Bands", ",".join(map(str, spec["bands"])))]
    nir = [("Near infrared", f"band {spec['nir']}")] if spec["nir"] else []
    return [("Source", f"{number:,} {'file' if number == 1 else 'files'} on disk"), *bands, *nir]


def _facts(questions: tuple[Question, ...], answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    known = [(question, answers.get(question.name)) for question in questions if question.kind != "assets"]
    return [(question.label, _words(question, value)) for question, value in known if value is not None]


def _words(question: Question, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return question.choices.get(value) or question.shown(value) if isinstance(value, str) else question.shown(value)
