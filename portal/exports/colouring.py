"""The atlas coloured by the splits of a release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tiles.atlas.colourings import Choice, Codes, Meaning
from tiles.core.errors import NotFound
from tiles.core.permissions import VIEW_RELEASES, require
from tiles.models import Area

from .models import Release, ReleaseEntry

Split = ReleaseEntry.Split
MOST = 20
LOOKED_THROUGH = 200
"""Releases of an area that are read at most to find those with splits."""
GONE = "There is no such release of this area any more. Reload the page."


CODE_OF = {Split.TRAIN: 1, Split.VAL: 2, Split.TEST: 3, Split.NONE: 4}


class SplitColouring:
    """Training, validation and test of the newest ready releases of an area.

    Its colours are after Okabe and Ito's, for all kinds of colour vision; each has a lightness of its own.
    """

    name = "split"
    legend: Sequence[Meaning] = (
        Meaning("not in the release", "#8c8c8c"),
        Meaning("training", "#0072b2"),
        Meaning("validation", "#f0e442"),
        Meaning("test", "#e07b39"),
        Meaning("in it, of no split", "#2b2b2b"),
    )

    def choices(self, *, area: Area, by: Any) -> list[Choice]:
        if not by.has_perm(VIEW_RELEASES):
            return []
        newest = _ready(area).order_by("-id").values_list("pk", "name", "asked")[:LOOKED_THROUGH]
        found = [Choice(pk, f"split of {name}") for pk, name, asked in newest if (asked.get("split") or {}).get("way")]
        return found[:MOST]

    def codes(self, *, area: Area, key: int, by: Any) -> Codes:
        require(by, VIEW_RELEASES)
        release = _ready(area).filter(pk=key).first()
        if release is None:
            raise NotFound(GONE)
        rows = release.entries.filter(tile__area=area).values_list("tile__index", "split").order_by("tile__index")
        found = list(rows)
        numbers = np.array([index for index, _split in found], np.uint32)
        codes = np.array([CODE_OF[Split(split)] for _index, split in found], np.uint8)
        return Codes(numbers, codes)


def _ready(area: Area) -> Any:
    return Release.objects.filter(areas=area, state=Release.State.READY)
