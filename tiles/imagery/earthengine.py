"""Imagery that Earth Engine composes on the tile's own grid: what an area's spec says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from tiles.core.errors import BadInput

from .base import SourceClosed
from .ee_account import Account
from .ee_patience import PATIENT
from .ee_request import SETTABLE, request_made
from .limiter import Limiter

if TYPE_CHECKING:
    from .ee_source import EarthEngineSource

KIND = "earthengine"
# Work for every worker to the end: whoever has asked for all of its chunk takes the next one over.
TILES_A_CHUNK = 4


def survey(changes: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The spec of a composite. Nothing is asked of Earth Engine yet, but that the settings name an account.

    changes: what differs from the preset, or from `before`, an area's spec. Raises BadInput.
    """
    request = request_made(changes, before["request"] if before and before["kind"] == KIND else None)
    try:
        Account.of_settings()
    except SourceClosed as error:
        raise BadInput(str(error), field="imagery") from error
    return {
        "kind": KIND,
        "request": request.to_dict(),
        "bands": list(request.bands),
        "nir": request.nir,
        "gsd": request.known.gsd,
        "satellite": request.known.satellite,
        "from": request.start,
        "to": request.end,
        "tiles_a_chunk": TILES_A_CHUNK,
    }


def source(spec: Mapping[str, Any], *, beat: Callable[[], None], limiter: Limiter | None) -> EarthEngineSource:
    # The client takes half a second to import, and web servers never need it.
    from .ee_source import EarthEngineSource

    patience = replace(PATIENT, tile=settings.EARTHENGINE_TILE_SECONDS)
    return EarthEngineSource(spec, limiter=limiter, beat=beat, patience=patience)


def reaches(_spec: Mapping[str, Any], _bounds: Sequence[float]) -> bool:
    """Earth Engine is asked for each tile; nothing is known before."""
    return True


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why `new` would give other pixels than `old`, as a clause, or nothing."""
    for name in SETTABLE:
        if old["request"].get(name) != new["request"].get(name):
            word = name.replace("_", " ")
            return f"its {word} was {_shown(old['request'].get(name))} and not {_shown(new['request'].get(name))}"
    return ""


def with_checksums(
    spec: Mapping[str, Any], _known: Mapping[str, Any] | None, _beat: Callable[[], None]
) -> dict[str, Any]:
    """A request is its own identity: there are no files to sum."""
    return dict(spec)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)
