"""What the atlas can be coloured by beside the columns of its array. Apps register theirs when they are ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tiles.core.errors import NotFound
from tiles.models import Area


class Choice(NamedTuple):
    """One way to colour an area. label: as in "split of coast-1"."""

    key: int
    label: str


class Meaning(NamedTuple):
    """What a code stands for. colour: as CSS has it; colours MUST differ in lightness, not in hue alone."""

    label: str
    colour: str


class Codes(NamedTuple):
    """numbers: (N,) numbers of tiles; codes: (N,) places in the legend. Tiles that are not named have code 0."""

    numbers: NDArray[np.uint32]
    codes: NDArray[np.uint8]


class Colouring(Protocol):
    """A kind of colouring. `legend` says what the codes 0, 1, 2 ... mean.

    `choices` MUST cost the same however many tiles there are, and MAY be empty for who may not see what it shows.
    `codes` raises NotFound and NotAllowed.
    """

    name: str
    legend: Sequence[Meaning]

    def choices(self, *, area: Area, by: Any) -> list[Choice]: ...

    def codes(self, *, area: Area, key: int, by: Any) -> Codes: ...


_kinds: dict[str, Colouring] = {}


def colouring_register(kind: Colouring) -> None:
    _kinds[kind.name] = kind


def colourings() -> list[Colouring]:
    """All kinds, by name."""
    return [_kinds[name] for name in sorted(_kinds)]


def colouring_bytes(*, area: Area, kind: str, key: int, by: Any) -> bytes:
    """The codes as they are sent: their number as uint32, all numbers as uint32, all codes as uint8; little-endian.

    Raises NotFound, NotAllowed.
    """
    if kind not in _kinds:
        raise NotFound("The atlas knows no such colouring. Reload the page.")
    numbers, codes = _kinds[kind].codes(area=area, key=key, by=by)
    return np.uint32(len(numbers)).tobytes() + numbers.astype("<u4").tobytes() + codes.astype(np.uint8).tobytes()
