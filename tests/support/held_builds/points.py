"""The points of a build at which a test can hold a process, to kill it there.

A point is `<chunk>:<moment>:<which>`. `2:file:png-17` is where chunk 2 of the job gives the picture of tile 17 its
name, and `2:row:1` is right before the first commit that chunk makes in one attempt.
What a process passes is appended to `passed` in the data folder. A process that comes to a point named by a file in
the folder `hold` leaves its id in the file of that name in `held`, and waits until the one in `hold` is gone.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings

from tiles.core.files import TEMPORARY

BEGIN, FILE, FILE_AFTER, ROW, ROW_AFTER, END = "begin", "file", "file-after", "row", "row-after", "end"

_chunk: int | None = None
_passed: Counter[str] = Counter()


@contextlib.contextmanager
def at_chunk(number: int) -> Any:
    """Within, this process passes the points of that chunk."""
    global _chunk
    _chunk = number
    _passed.clear()
    try:
        yield
    finally:
        _chunk = None


def reach(moment: str, which: str = "") -> None:
    """This process has come to a point: note it, and wait there while a test wants that. Counted without `which`."""
    if _chunk is None:
        return
    _passed[moment] += 1
    data = Path(settings.DEMETER_DATA)
    point = f"{_chunk}:{moment}:{which or _passed[moment]}"
    _note(data / "passed", point)
    if (data / "hold" / point).exists():
        whole = data / "held" / f".{point}"
        whole.write_text(str(os.getpid()))
        whole.rename(data / "held" / point)
        while (data / "hold" / point).exists():
            time.sleep(0.02)


def watch_renames() -> None:
    """Make points of the moments before and after a file gets its final name."""
    replace = os.replace

    def watched(source: Any, target: Any, **options: Any) -> None:
        if TEMPORARY not in os.fspath(source):
            replace(source, target, **options)
            return
        path = Path(target)
        which = f"{path.parent.parent.name}-{path.stem.removeprefix('tile_')}"
        reach(FILE, which)
        replace(source, target, **options)
        reach(FILE_AFTER, which)

    os.replace = watched


def _note(path: Path, line: str) -> None:
    """Append in one write, so that processes do not mix theirs."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)
