"""What a worker has in hand of a build: a few seconds of work, and from afar the next before the last is made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from tiles.imagery import LooksAhead
from tiles.jobs.leases import Lease
from tiles.models import JobChunk, TilePair
from tiles.raster.grid import Grid

# A chunk ends with the tile that is at hand by then. What a tile takes differs a hundredfold between sources, so that
# no number of tiles would be right.
SECONDS_A_CHUNK = 5.0
# How long a worker goes on taking the next chunk into its own; then other jobs have their turn.
SECONDS_OF_TAKING = 60.0

Wanting = Callable[[Iterable[TilePair]], list[Grid]]


class Hand:
    """The tiles of one leased chunk, in order. `left` are the ids of those that are not written down yet."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self.left: list[int] = list(lease.payload["tiles"])
        self._tiles = deque(_tiles_of(self.left))
        self._began = time.monotonic()
        self._given = 0
        self._ahead: LooksAhead | None = None
        self._is_ahead = False
        self._wanting: Wanting = lambda _tiles: []

    def look_ahead(self, source: LooksAhead, wanting: Wanting) -> None:
        """Tell a source what it will be asked for, and take the next chunk over whenever it could fetch more.

        wanting: the grids of those tiles that will be asked for.
        """
        self._wanting, self._is_ahead = wanting, True
        source.expect(wanting(self._tiles))
        # After a first death the tile at fault is looked for, one by one.
        self._ahead = source if self._lease.attempt == 1 else None

    def beat(self) -> None:
        """As the lease's. Raises LeaseLost or Stopped."""
        self._lease.beat()
        if self._ahead and self._ahead.hungry:
            if time.monotonic() - self._began > SECONDS_OF_TAKING:
                self._ahead = None
            else:
                self._take_next(self._ahead)

    def next(self) -> TilePair | None:
        """The tile to make now. When the time is over the rest becomes a chunk of its own, and there is none.

        What a source was told of is on its way, and paid for: that is made here.
        """
        is_over = self._given and time.monotonic() - self._began > SECONDS_A_CHUNK
        if is_over and self._tiles and not self._is_ahead:
            self._offer_rest()
        if not self._tiles:
            return None
        self._given += 1
        return self._tiles.popleft()

    def _offer_rest(self) -> None:
        rest = [tile.pk for tile in self._tiles]
        with self._lease.fence():
            self._lease.add_chunks([{"do": "tiles", "tiles": rest}], stage=self._lease.stage)
            self.keep([tile_id for tile_id in self.left if tile_id not in rest])
        self._tiles.clear()

    def _take_next(self, source: LooksAhead) -> None:
        with self._lease.fence():
            taken = self._lease.take_over()
            if taken is not None:
                self.keep([*self.left, *taken["tiles"]])
        if taken is None:
            self._ahead = None
            return
        more = _tiles_of(taken["tiles"])
        self._tiles.extend(more)
        source.expect(self._wanting(more))

    def keep(self, left: list[int]) -> None:
        """Write down what is left of the chunk. Inside a fence."""
        JobChunk.objects.filter(pk=self._lease.chunk_id).update(payload={"do": "tiles", "tiles": left})
        self.left = left


def _tiles_of(ids: Sequence[int]) -> list[TilePair]:
    rows = TilePair.objects.select_related("dem_file").in_bulk(ids)
    return [rows[tile_id] for tile_id in ids if tile_id in rows]
