"""8-bit PNG files, written here: one row filter for the whole picture in NumPy, deflate by ISA-L.

Format: PNG specification, third edition (W3C), sections 5 (chunks) and 9 (filters).
"""

import struct
import zlib

import numpy as np

from tiles.raster.arrays import UInt8Array
from tiles.raster.deflate import SEARCHING, crc32, deflate
from tiles.raster.errors import BadBands

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Channels: the colour type that PNG gives them.
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2}
_NONE, _SUB, _UP = 0, 1, 2
_FILTERS = (_UP, _SUB, _NONE)
# The filter is chosen by what it does to so many rows, at two places of the picture.
_TRIAL_ROWS = 8
# What shrinks by this much is no imagery: ISA-L's short search misses repeats there, and zlib is quick.
_MANY_REPEATS = 0.08
_ZLIB_LEVEL = 6


def encode_png(image: UInt8Array, *, few_colours: bool = False) -> bytes:
    """PNG of (H, W) grey, (H, W, 2) grey and alpha, or (H, W, 3) RGB, uint8. Raises BadBands for anything else.

    Lossless. About as large as Pillow's default, in a fraction of the time. few_colours: the picture is no photograph
    but a map in the colours of a table, in which the same bytes come again and again.
    """
    channels = 1 if image.ndim == 2 else image.shape[-1]
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or channels not in _COLOUR_TYPES or image.size == 0:
        raise BadBands("A picture is 8-bit grey, grey with alpha, or RGB.")
    height, width = image.shape[:2]
    rows = np.ascontiguousarray(image).reshape(height, width * channels)
    # Repeats show best in what is not filtered, and there it pays to search for them.
    packed = deflate(_filtered(rows, channels, _NONE), SEARCHING) if few_colours else _packed(rows, channels)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    return b"".join((_SIGNATURE, *_chunk(b"IHDR", header), *_chunk(b"IDAT", packed), *_chunk(b"IEND", b"")))


def _chunk(kind: bytes, body: bytes) -> tuple[bytes, ...]:
    # The checksum runs over kind and body; taking it in two steps saves a copy of the body.
    return struct.pack(">I", len(body)), kind, body, struct.pack(">I", crc32(body, crc32(kind)))


def _packed(rows: UInt8Array, channels: int) -> bytes:
    height = len(rows)
    starts = (height // 3, 2 * height // 3) if height > 4 * _TRIAL_ROWS else (0,)
    samples = [rows[start : start + _TRIAL_ROWS] for start in starts]
    sizes = {kind: sum(len(deflate(_filtered(part, channels, kind))) for part in samples) for kind in _FILTERS}
    best = min(_FILTERS, key=sizes.__getitem__)
    filtered = _filtered(rows, channels, best)
    if sizes[best] < _MANY_REPEATS * sum(part.size for part in samples):
        return zlib.compress(filtered.data, _ZLIB_LEVEL)
    return deflate(filtered)


def _filtered(rows: UInt8Array, channels: int, kind: int) -> UInt8Array:
    """Each row as its difference to the one above (Up), to the pixel before (Sub), or as it is; the kind goes first."""
    out: UInt8Array = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
    out[:, 0] = kind
    body = out[:, 1:]
    if kind == _UP:
        body[0] = rows[0]
        np.subtract(rows[1:], rows[:-1], out=body[1:])
    elif kind == _SUB:
        body[:, :channels] = rows[:, :channels]
        np.subtract(rows[:, channels:], rows[:, :-channels], out=body[:, channels:])
    else:
        body[...] = rows
    return out
