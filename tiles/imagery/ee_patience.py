"""How long Earth Engine is waited for."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Patience:
    """How long to wait, seconds. silence: of one socket read; request: of one request; tile: of all of a tile's.

    A request is over request + silence after it left, at the latest.
    tries: of one request; while the quota is used up they are not counted. first_wait, most_wait: between the tries,
    before the jitter.
    """

    silence: float = 120.0
    request: float = 150.0
    tile: float = 600.0
    tries: int = 6
    first_wait: float = 1.0
    most_wait: float = 30.0

    def pause(self, tries: int, asked: float = 0.0) -> float:
        """Seconds to the next try, by full jitter: anything up to a wait that doubles; never less than the server asks
        for, within reason."""
        most = min(self.most_wait, self.first_wait * 2 ** min(tries - 1, 16))
        return max(random.uniform(0, most), min(asked, self.most_wait))  # noqa: S311

    def brief(self) -> Self:
        """For a request that only asks whether there is anybody."""
        silence, request, tile = min(self.silence, 30.0), min(self.request, 30.0), min(self.tile, 60.0)
        return replace(self, silence=silence, request=request, tile=tile, tries=2)


PATIENT = Patience()
