"""Where the imagery of a tile comes from: one file a source, one protocol.

A source is described by a *spec*: plain JSON with its `kind`, kept in the area's recipe, from which the
source is made again whenever a worker needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tiles.core.errors import BadInput

from . import raster
from .base import Imagery, NoImagery, Source, SourceError, SourcePermanent, SourceRetryable

__all__ = [
    "Imagery",
    "NoImagery",
    "Source",
    "SourceError",
    "SourcePermanent",
    "SourceRetryable",
    "imagery_checksums",
    "imagery_difference",
    "imagery_reaches",
    "imagery_survey",
    "source_from",
]

_KINDS = {"raster": raster}


def imagery_survey(text: str, *, bands: Sequence[int] = (1, 2, 3), nir: int | None = None) -> dict[str, Any]:
    """The spec of "raster:<file or folder>": what is there, checked as far as headers tell.

    bands: red, green and blue, counted from 1; nir: near infrared or None.
    Raises BadInput for an unknown kind or bands that are not there, RasterError for files that cannot be used.
    """
    kind, _, rest = text.partition(":")
    if kind not in _KINDS or not rest:
        raise BadInput(f"The imagery {text!r} is not understood. Give it as raster:<file or folder>.")
    return _KINDS[kind].survey(rest, bands=bands, nir=nir)


def imagery_reaches(spec: Mapping[str, Any], bounds: Sequence[float]) -> bool:
    """Whether there may be imagery within west, south, east, north, degrees."""
    return _KINDS[spec["kind"]].reaches(spec, bounds)


def source_from(spec: Mapping[str, Any]) -> Source:
    """The source that a spec describes."""
    return _KINDS[spec["kind"]].source(spec)


def imagery_checksums(
    spec: Mapping[str, Any], known: Mapping[str, Any] | None, beat: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """The spec with what identifies its content for good; `known`, an earlier one, saves reading files again."""
    return _KINDS[spec["kind"]].with_checksums(spec, known, beat)


def imagery_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What sets two specs apart so far that they give other pixels, as a clause; empty when nothing does."""
    if old["kind"] != new["kind"]:
        return f"it came from {old['kind']} and not from {new['kind']}"
    return _KINDS[old["kind"]].difference(old, new)
