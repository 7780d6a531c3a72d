"""How long an endpoint is waited for."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """tries: of one tile, not counting those that were turned away for being too many. first_wait, most_wait: seconds
    between tries, before the jitter. busy: seconds for which an endpoint may turn everything away."""

    tries: int = 5
    first_wait: float = 1.0
    most_wait: float = 30.0
    busy: float = 900.0

    def pause(self, tries: int, asked: float = 0.0) -> float:
        """Seconds to the next try, by full jitter: up to a wait that doubles, never less than the server asks."""
        most = min(self.most_wait, self.first_wait * 2 ** min(max(tries, 1) - 1, 16))
        return max(random.uniform(0, most), asked)  # noqa: S311 - jitter, not a secret


PATIENT = Patience()
