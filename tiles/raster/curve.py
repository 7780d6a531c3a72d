"""A curve through all the world along which neighbours come near each other."""

from __future__ import annotations

BITS = 24
"""A cell is 360 / 2**24 degrees wide, 2.4 m at the equator, and half as high."""


def space_key(lon: float, lat: float) -> int:
    """Where a place comes along the Hilbert curve over the world, 0 .. 4**BITS - 1. Degrees, EPSG:4326.

    What lies near along the curve lies near on the ground. The other way round there are seams, and the antimeridian
    is one: an area across it comes in two pieces.
    Source: Warren, "Hacker's Delight", 2nd edition, chapter 16.
    """
    side = 1 << BITS
    x = min(int((lon + 180.0) % 360.0 / 360.0 * side), side - 1)
    y = min(max(int((lat + 90.0) / 180.0 * side), 0), side - 1)
    key, half = 0, side >> 1
    while half:
        right, up = bool(x & half), bool(y & half)
        key += half * half * ((3 * right) ^ up)
        if not up:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        half >>= 1
    return key
