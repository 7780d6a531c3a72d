"""Points before and after the chunks and the rows of any kind of job."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tiles.jobs.leases import Lease
from tiles.models import JobChunk

from .points import BEGIN, END, ROW, ROW_AFTER, at_chunk, reach


class Held:
    """To be named before the kind that is held."""

    def run(self, lease: Lease) -> None:
        fence = lease.fence

        @contextlib.contextmanager
        def held_fence() -> Iterator[None]:
            with fence():
                yield
                reach(ROW)  # written, not yet committed
            reach(ROW_AFTER)

        lease.fence = held_fence  # type: ignore[method-assign]
        with at_chunk(JobChunk.objects.get(pk=lease.chunk_id).number):
            reach(BEGIN)
            super().run(lease)  # type: ignore[misc]
            reach(END)  # all is done, but the chunk is still open
