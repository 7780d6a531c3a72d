"""How a process that works on rasters treats the memory it frees."""

from __future__ import annotations

import ctypes
import gc
import sys
from functools import cache

# glibc hands arrays of a tile's size back to the system when they are freed, and gets them again, zeroed, page by
# page, for the next step: a fifth of a tile's time. These let it keep them.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP_BYTES = 128 * 2**20
_FROM_HEAP_BYTES = 32 * 2**20  # the most that glibc allows


@cache
def keep_freed_memory() -> bool:
    """From now on, keep up to 128 MB of freed memory in this process. Returns whether the C library can do that."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # musl has none
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _FROM_HEAP_BYTES) and mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES))


@cache
def spare_the_collector() -> None:
    """From now on, look for garbage only among what is made later: what a process began with stays anyway.

    A hundred thousand objects of Django and its apps, gone through time and again, would be a tile's time in fifty.
    """
    gc.freeze()
