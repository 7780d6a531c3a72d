"""Whose trouble it is when a server does not give something: one tile's, or everybody's.

A file may be missing or damaged on a server that works (S3 says 403 of what is not there), and a search may be too
much for one that answers others. So something else is asked for before a whole build is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from urllib.parse import urlsplit

from .base import SourceClosed, SourceError, SourcePermanent
from .scenes import Asset, Scene
from .web import Away, NotConfigured, Refused, Web

# Other files that are tried.
MOST_PROBES = 3


def blamed(
    trouble: Refused | NotConfigured | Away, scenes: Sequence[Scene], web: Web, api_answers: Callable[[], bool]
) -> SourceError:
    """What to raise for a trouble: SourceClosed when nobody gets anything, else what fails this tile only.

    scenes: those of the tile, as far as they are known. api_answers: whether the catalogue answers a search that has
    nothing to do with the tile.
    """
    web.begin_probing()
    if isinstance(trouble, Away):
        alive = _any_served(_neighbours(trouble, scenes), web) if scenes else api_answers()
        return trouble if alive else _down(trouble)
    if _any_served(_counterparts(trouble.what, scenes), web):
        why = "it may not be there" if isinstance(trouble, Refused) else "this one may be a mistake of the catalogue"
        return SourcePermanent(f"{trouble} Files of other scenes are served, so {why}.")
    return trouble


def _down(trouble: Away) -> SourceClosed:
    return SourceClosed(
        f"{trouble} So it stayed through all tries: {trouble.host} is down, or this machine's way to it is. Wait until "
        "it answers again."
    )


def _counterparts(what: str, scenes: Sequence[Scene]) -> list[Asset]:
    """The same file of other scenes."""
    role = next((role for scene in scenes for role, one in scene.assets.items() if one.what == what), None)
    return [scene.assets[role] for scene in scenes if scene.assets[role].what != what] if role else []


def _neighbours(trouble: Away, scenes: Sequence[Scene]) -> list[Asset]:
    """Other files of the server that is away: the same of other scenes first, then any."""
    files = (*_counterparts(trouble.what, scenes), *(one for scene in scenes for one in scene.assets.values()))
    return [one for one in files if one.what != trouble.what and urlsplit(one.url).netloc == trouble.host]


def _any_served(files: Iterable[Asset], web: Web) -> bool:
    return any(_is_served(file, web) for file in islice(files, MOST_PROBES))


def _is_served(file: Asset, web: Web) -> bool:
    try:
        web.ask(file.url, file.what, headers={"Range": "bytes=0-0"}, most=1, only=206)
    except SourceError:
        return False
    return True
