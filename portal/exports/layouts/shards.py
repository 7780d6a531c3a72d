"""Files of many tiles, begun anew when they are large enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Generic, Protocol, TypeVar

from .base import Option, Package

MEGABYTE = 1_000_000
SHARD_SIZE = Option("shard_megabytes", "Size of a shard in megabytes", default=500, least=1, most=10_000)


class Shard(Protocol):
    """A file that is being filled."""

    def size(self) -> int:
        """Bytes it has so far, about."""

    def close(self) -> None:
        """Write its end."""


S = TypeVar("S", bound=Shard)


class Shards(Generic[S]):
    """The shards of one split, `<stem>-00000.<ext>` and on; one is open at a time.

    begin: makes a shard that writes to a file. Used as a context manager: leaving it puts in the last shard, or drops
    it when there was an error.
    """

    def __init__(self, package: Package, path: str, begin: Callable[[BinaryIO], S], *, megabytes: int) -> None:
        self._package = package
        self._path = path
        self._begin = begin
        self._most = megabytes * MEGABYTE
        self._open: tuple[S, BinaryIO] | None = None
        self.counts: list[int] = []
        """Tiles in each shard."""

    @property
    def path(self) -> str:
        """Of the shard that is open, or was last."""
        return self._path.format(f"{len(self.counts) - 1:05}")

    def next(self) -> S:
        """The shard for the next tile."""
        if self._open is not None and self._open[0].size() >= self._most:
            self.finish()
        if self._open is None:
            spool = self._package.spool()
            self._open = self._begin(spool), spool
            self.counts.append(0)
        self.counts[-1] += 1
        return self._open[0]

    def finish(self) -> None:
        """Put the open shard, if there is one, into the archive."""
        if self._open is not None:
            shard, spool = self._open
            self._open = None
            with spool:
                shard.close()
                self._package.file(self.path, spool)
