"""The information-rich prompt: a caption composed with what is known of its tile, by a template.

Facts and formats: MMM-RS, arXiv 2410.22362, and RS3DBench, arXiv 2509.18897.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields

from tiles.core.errors import BadInput

ULTRA_HIGH, HIGH, ORDINARY = 0.5, 1.0, 5.0
"""Metres a pixel below which a resolution counts as ultra-high, high and ordinary."""
LOW_LIMIT = 10.0
"""Metres a pixel up to which, itself included, a resolution counts as low. Not published; the counts put it above
10 and not above 100."""
LEVELS = ("Ultra-high", "High", "Ordinary", "Low", "Ultra-low")
MODALITY_WORDS = {"rgb": "Satellite imagery", "sar": "SAR satellite imagery", "nir": "Near-infrared satellite imagery"}
TEMPLATE_LENGTH = 500

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SPACES = re.compile(r"\s+")
_ENDS = " \t\r\n.,;"


@dataclass(frozen=True)
class Components:
    """What a prompt is made of. Empty where nothing is known or nothing is to be said."""

    modality: str = ""
    level: str = ""
    weather: str = ""
    category: str = ""
    description: str = ""
    satellite: str = ""
    dataset: str = ""
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preset:
    name: str
    label: str
    template: str


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("mmm-rs-short", "MMM-RS short", "{level}, {weather}, {description}, {satellite}."),
        Preset(
            "mmm-rs-training",
            "MMM-RS training",
            "{modality}, {level}, {weather}, {category}, {description}, {satellite}, {dataset}",
        ),
        Preset("rs3dbench-terms", "RS3DBench terms", "{terms}\n{description}"),
    )
}
NAMES = tuple(field.name for field in fields(Components))


def gsd_level(native_gsd: float | None, *, low_limit: float = LOW_LIMIT) -> str:
    """The words of MMM-RS for a resolution in metres a pixel: the source's own, never the grid's. "" when unknown."""
    if native_gsd is None:
        return ""
    above = (native_gsd >= ULTRA_HIGH, native_gsd >= HIGH, native_gsd >= ORDINARY, native_gsd > low_limit)
    return f"{LEVELS[sum(above)]} precision resolution"


def template_of(*, preset: str, own: str = "") -> str:
    """The template of an area. Raises BadInput for an unknown preset, and as `template_check`."""
    if own.strip():
        template_check(own)
        return own
    if preset not in PRESETS:
        raise BadInput(f"There is no prompt preset {preset!r}. Presets: {', '.join(PRESETS)}.", code="unknown_preset")
    return PRESETS[preset].template


def template_check(template: str) -> None:
    """Raise BadInput unless it is text with the names of components in braces, `{description}` among them."""
    if len(template) > TEMPLATE_LENGTH:
        raise BadInput(f"The template is too long: keep it below {TEMPLATE_LENGTH} characters.", code="bad_template")
    names = _PLACEHOLDER.findall(template)
    unknown = next((name for name in names if name not in NAMES), None)
    if unknown is not None:
        known = ", ".join(f"{{{name}}}" for name in NAMES)
        raise BadInput(f"A prompt has no component {unknown[:40]!r}. Components: {known}.", code="bad_template")
    if re.search(r"[{}]", _PLACEHOLDER.sub("", template)):
        raise BadInput(
            "A brace of the template has no partner. Write components as {description}.", code="bad_template"
        )
    if "description" not in names and "terms" not in names:
        raise BadInput(
            "The template needs {description} or {terms}: without, all prompts are alike.", code="bad_template"
        )


def compose(template: str, components: Components) -> str:
    """The prompt of one tile.

    The template's pieces stand between commas and line ends. A piece whose components are all empty goes, and one of
    its separators with it, so `{level}, {weather}, {description}` of a clear scene has no empty place. `{terms}`
    takes a line for each term where it stands alone on a line, and is joined by commas elsewhere.
    """
    lines = [_line(line, components) for line in template.strip().splitlines()]
    return "\n".join(line for line in lines if line)


def _line(line: str, components: Components) -> str:
    if line.strip() == "{terms}":
        return "\n".join(components.terms)
    pieces = [piece for piece in _pieces(line, components) if piece]
    end = "." if line.rstrip().endswith(".") else ""
    text = ", ".join(pieces)
    return f"{text}{end}" if text else ""


def _pieces(line: str, components: Components) -> Iterator[str]:
    for piece in line.split(","):
        names = _PLACEHOLDER.findall(piece)
        if names and not any(getattr(components, name) for name in names):
            continue
        yield _PLACEHOLDER.sub(lambda found: _words(getattr(components, found[1])), piece).strip(_ENDS)


def _words(value: str | tuple[str, ...]) -> str:
    """A component within a line: one line of it, without the full stop that would end the prompt in its middle."""
    text = ", ".join(value) if isinstance(value, tuple) else value
    return _SPACES.sub(" ", text).strip(_ENDS)
