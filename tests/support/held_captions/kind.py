"""The captioning job, with the points of `held_builds` before and after its chunks and its rows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from captions.writing.kind import CaptionKind
from tests.support.held_builds.points import BEGIN, END, ROW, ROW_AFTER, at_chunk, reach
from tiles.jobs.leases import Lease
from tiles.models import JobChunk


class HeldCaptionKind(CaptionKind):
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
            super().run(lease)
            reach(END)  # all is done, but the chunk is still open
