"""What every source of imagery is: asked for a grid, it answers pixels on exactly that grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, runtime_checkable

from tiles.core.errors import BadInput
from tiles.raster.arrays import BoolArray, NumberArray
from tiles.raster.grid import Grid


class SourceError(Exception):
    """A source could not answer. The message is one clear sentence."""


class SourceRetryable(SourceError):
    """It may work later, and others work now: a time-out, an answer that is cut short again and again."""


class SourcePermanent(SourceError):
    """It will not work however often it is tried: a wrong band, a refused account."""


class SourceClosed(SourceError):
    """Nobody gets anything from it, whatever the grid, until something is mended: the account, the quota, the network.

    It says nothing about a tile, so no tile may be failed for it.
    """


class NoImagery(SourceError):
    """The source works, and has nothing for this grid."""


@dataclass(frozen=True)
class Imagery:
    """The imagery of one grid.

    rgb: (H, W, 3) in the source's own dtype, unstretched. nir: (H, W) in the same dtype, or None.
    valid: (H, W), False where the source has no image; what rgb holds there means nothing.
    scale, offset: value * scale + offset is the physical quantity (reflectance, as a rule); None where
    the source does not say. nodata: what the source itself writes where it has nothing, if anything.
    clear_observations: (H, W) count of clear looks, where a source knows it.
    provenance: what a reader needs to find the pixels again; goes into the tile's row as it is.
    """

    rgb: NumberArray
    nir: NumberArray | None
    valid: BoolArray
    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None
    clear_observations: NumberArray | None = None
    provenance: dict[str, Any] = field(default_factory=dict)


def wrong_part(part: str, sentence: str) -> BadInput:
    """What is wrong with one part, by its name, of what is asked for from Earth Engine or a catalogue."""
    return BadInput(sentence, field=f"imagery.{part}")


class Source(Protocol):
    """Where imagery comes from. Used as a context manager, so that files and connections are opened once a chunk.

    `fetch` MUST answer on the very grid it is asked for, MUST say through `valid` where it has nothing, and MUST
    give the same pixels every time. One that may take longer than a lease calls beat() often, and lets pass what that
    raises. It raises SourceRetryable, SourcePermanent, SourceClosed or NoImagery; a local file that
    cannot be read raises tiles.raster.errors.Unreadable as it is.
    """

    def fetch(self, grid: Grid, beat: Callable[[], None] = lambda: None) -> Imagery: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


@runtime_checkable
class LooksAhead(Protocol):
    """A source to which each answer is a long way: it begins to fetch before it is asked."""

    def expect(self, grids: Sequence[Grid]) -> None:
        """These grids will be asked for in this order, after those that it was told of; some MAY be left out."""
        ...

    @property
    def hungry(self) -> bool:
        """Whether it could fetch more than it was told of."""
        ...
