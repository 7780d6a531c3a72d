"""Where the imagery of a tile comes from: one file a source, one protocol.

A source is described by a *spec*: plain JSON with its `kind`, kept in the area's recipe, from which the
source is made again whenever a worker needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tiles.core.errors import BadInput
from tiles.raster.grid import Grid

from . import earthengine, raster, stac
from .base import Imagery, LooksAhead, NoImagery, Source, SourceError, SourcePermanent, SourceRetryable
from .limiter import Limiter

__all__ = [
    "Imagery",
    "Limiter",
    "LooksAhead",
    "NoImagery",
    "Source",
    "SourceError",
    "SourcePermanent",
    "SourceRetryable",
    "imagery_checksums",
    "imagery_difference",
    "imagery_lattice",
    "imagery_reaches",
    "imagery_survey",
    "source_from",
]

_KINDS: dict[str, Any] = {"raster": raster, "stac": stac, "earthengine": earthengine}
_PLACELESS = (earthengine.KIND,)


def imagery_survey(
    text: str,
    *,
    bands: Sequence[int | str] | None = None,
    nir: int | str | None = None,
    search: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The spec of "raster:<file or folder>", "stac:<address of the API>" or "earthengine", checked as headers tell.

    bands: red, green and blue of a raster, counted from 1 (1, 2, 3), or their names in Earth Engine; nir: near infrared
    or None. search: what is to be found in a catalogue, see tiles.imagery.stac.DEFAULTS, or asked of Earth Engine, see
    tiles.imagery.ee_request. before: the spec that stands so far, which is taken for what is not said.
    Raises BadInput for an unknown kind or bands that are not there, RasterError for files that cannot be used.
    """
    kind, place = _kind_and_place(text, before)
    known = before if before and before["kind"] == kind else {}
    asked = {name: value for name, value in (search or {}).items() if value is not None}
    if kind == earthengine.KIND:
        return earthengine.survey({"bands": bands, "nir": nir, **asked}, known or None)
    if kind == stac.KIND:
        if bands is not None or nir is not None:
            raise BadInput("Bands by number belong to raster imagery. Name the assets of a catalogue instead.")
        return stac.survey(place, asked, known)
    if asked:
        raise BadInput(f"Imagery on disk is not searched: leave out {', '.join(sorted(asked)).replace('_', ' ')}.")
    bands, nir = bands or known.get("bands", (1, 2, 3)), known.get("nir") if nir is None else nir
    if not all(isinstance(band, int) for band in (*bands, *([] if nir is None else [nir]))):
        raise BadInput("Name the bands of a raster by their numbers, as in 1,2,3.")
    return raster.survey(place, bands=bands, nir=nir)  # type: ignore[arg-type]


def _kind_and_place(text: str, before: Mapping[str, Any] | None) -> tuple[str, str]:
    """Split "<kind>:<place>"; where nothing is said, what stood before. Raises BadInput."""
    if not text and before:
        kind = str(before["kind"])
        return kind, "" if kind in _PLACELESS else str(_KINDS[kind].place(before))
    kind, _, place = text.partition(":")
    if kind not in _KINDS or bool(place) == (kind in _PLACELESS):
        raise BadInput(
            f"The imagery {text!r} is not understood. Give it as raster:<file or folder>, stac:<address of an API>, or "
            "earthengine."
        )
    return kind, place


def imagery_reaches(spec: Mapping[str, Any], bounds: Sequence[float]) -> bool:
    """Whether there may be imagery within west, south, east, north, degrees."""
    return bool(_KINDS[spec["kind"]].reaches(spec, bounds))


def imagery_lattice(spec: Mapping[str, Any]) -> Grid:
    """The one grid that all pixels of the imagery lie on.

    Raises BadInput for a source that has none, or files of several lattices; RasterError for files that cannot be used.
    """
    if spec["kind"] != raster.KIND:
        raise BadInput(
            f"Imagery from {spec['kind']} has no pixel grid of its own: it is composed on the grid that is asked for. "
            "Choose one by --gsd METRES, or leave the grid to the elevation models.",
            field="grid.grid",
        )
    return raster.lattice(spec)


def source_from(
    spec: Mapping[str, Any], *, beat: Callable[[], None] = lambda: None, limiter: Limiter | None = None
) -> Source:
    """The source that a spec describes. beat: for sources that wait; limiter: for services that have a quota."""
    if spec["kind"] == earthengine.KIND:
        return earthengine.source(spec, beat=beat, limiter=limiter)
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
