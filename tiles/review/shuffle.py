"""A random order with a seed: the same for everybody who uses the seed, read a page at a time.

Every tile lies in one of a fixed number of buckets, by a hash of its number that the database keeps and indexes. A
seed puts the buckets in an order of its own, and the few tiles of each in another. So a page costs the look-up of its
buckets and, however few tiles a filter leaves, never more than that of all buckets, whatever the area holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from django.db.models import QuerySet

from tiles.models import TilePair
from tiles.models.choices import ReviewState
from tiles.models.tile import BUCKETS

Tiles = QuerySet[TilePair]
FIRST_LOOK = 16
MOST_A_LOOK = 512


@dataclass(frozen=True)
class Shuffle:
    """Tiles in the random order of a seed."""

    seed: int
    by_number = False

    def page(
        self, tiles: Tiles, *, after: int | None, before: int | None, start: int | None, size: int
    ) -> tuple[list[TilePair], bool, bool]:
        """One page, and whether there is more before and after it. The bounds are numbers of tiles, as `queue_page`s.

        A number has its place in the order whether or not there is such a tile.
        """
        bound = next((number for number in (after, before, start) if number is not None), None)
        back = before is not None
        found = self._numbers(_in_any_state(tiles), bound, back=back, inclusive=start is not None, most=size + 1)
        more, shown = len(found) > size, found[:size]
        rows = {tile.index: tile for tile in tiles.filter(index__in=shown)}
        page = [rows[index] for index in (reversed(shown) if back else shown) if index in rows]
        return page, more if back else bound is not None, True if back else more

    def _numbers(self, tiles: Tiles, bound: int | None, *, back: bool, inclusive: bool, most: int) -> list[int]:
        """The numbers of the next tiles, at most so many."""
        buckets = _order_of_buckets(self.seed)
        if back:
            buckets = buckets[::-1]
        limit = None if bound is None else self._place(bound)
        begin = 0 if bound is None else buckets.index(bucket_of(bound))
        found: list[int] = []
        for some in _looks(buckets[begin:]):
            by_bucket: dict[int, list[int]] = {bucket: [] for bucket in some}
            for bucket, index in tiles.filter(bucket__in=some).values_list("bucket", "index"):
                by_bucket[bucket].append(index)
            for numbers in by_bucket.values():
                for index in sorted(numbers, key=self._place, reverse=back):
                    if bound is None or limit is None or self._beyond(index, bound, limit, back, inclusive):
                        found.append(index)
            if len(found) >= most:
                break
        return found[:most]

    def _beyond(self, index: int, bound: int, limit: bytes, back: bool, inclusive: bool) -> bool:
        """Whether a tile of the looked-at buckets lies beyond the bound, which lies in the first of them."""
        if index == bound:
            return inclusive
        if bucket_of(index) != bucket_of(bound):
            return True
        place = self._place(index)
        return place < limit if back else place > limit

    def _place(self, index: int) -> bytes:
        return _mixed(self.seed, "tile", index)


def bucket_of(index: int) -> int:
    """The bucket of a number, as the database computes it for `TilePair.bucket`."""
    mixed = (index * 73_244_475 + 12_345_701) % (2**31 - 1)
    return mixed * mixed % (2**31 - 1) % BUCKETS


def _in_any_state(tiles: Tiles) -> Tiles:
    """Naming the states lets the index on state and bucket serve whether or not the filter asks for one."""
    return tiles.order_by().select_related(None).filter(review_state__in=ReviewState.values)


@lru_cache(maxsize=32)
def _order_of_buckets(seed: int) -> list[int]:
    return sorted(range(BUCKETS), key=lambda bucket: _mixed(seed, "bucket", bucket))


def _mixed(seed: int, what: str, number: int) -> bytes:
    return blake2b(f"{seed} {what} {number}".encode(), digest_size=8).digest()


def _looks(buckets: Sequence[int]) -> Iterator[Sequence[int]]:
    """A few buckets, then more and more, so that sparse filters need few queries."""
    size = FIRST_LOOK
    while buckets:
        yield buckets[:size]
        buckets = buckets[size:]
        size = min(2 * size, MOST_A_LOOK)
