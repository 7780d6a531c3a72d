"""GeoTIFF files: the header by GDAL, the pixels by NumPy and ISA-L.

GDAL knows how a coordinate system is written into tags, and is asked for a file without pixels. Its pixels are then
put behind it, differenced and deflated here in half the time that GDAL takes. Such headers are kept: apart from the
corner, which is changed in place, the tiles of an area have the same.

Format: TIFF 6.0 with Adobe's deflate (8), predictor 2 and, after TIFF Technical Note 3, predictor 3; OGC GeoTIFF 1.1.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.io import MemoryFile

from tiles.raster.arrays import NumberArray
from tiles.raster.deflate import deflate
from tiles.raster.errors import BadBands, GridMismatch
from tiles.raster.grid import Grid

# From this size on both ways a reader may want only a part of the file, which strips would make slow.
TILED_FROM = 1024
TILE_BLOCK = 512
# One strip holds a whole layer of usual size.
STRIP_BYTES = 2**23

_DTYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
_OFFSETS, _LENGTHS = (273, 324), (279, 325)
_PIXEL_SCALE, _TIEPOINT = 33550, 33922
_TYPE_CODES = {3: "H", 4: "I"}
# Any grid that is not turned: its numbers are overwritten.
_UPRIGHT = Affine(2.0, 0.0, 7.0, 0.0, -2.0, 7.0)


@dataclass(frozen=True)
class _Form:
    """All that the header of a layer says but where the layer lies. nodata: as text, since NaN equals nothing."""

    crs: str
    width: int
    height: int
    count: int
    dtype: str
    nodata: str | None
    scale: float | None
    offset: float | None
    descriptions: tuple[str, ...]
    packed: bool

    @property
    def is_tiled(self) -> bool:
        return min(self.width, self.height) >= TILED_FROM

    @property
    def block(self) -> tuple[int, int]:
        """Height and width of what is deflated in one piece."""
        if self.is_tiled:
            return TILE_BLOCK, TILE_BLOCK
        row_bytes = self.width * self.count * np.dtype(self.dtype).itemsize
        return min(self.height, max(STRIP_BYTES // row_bytes, 1)), self.width

    @property
    def predictor(self) -> int:
        if not self.packed:
            return 1
        kind = np.dtype(self.dtype)
        return 3 if kind.kind == "f" else 2 if kind.itemsize > 1 else 1


@dataclass(frozen=True)
class _Header:
    """A TIFF without pixels. entries: of each tag its type, number of values, and where these stand in `content`."""

    content: bytes
    entries: dict[int, tuple[int, int, int]]

    def find(self, *tags: int) -> tuple[int, int, int]:
        return next(self.entries[tag] for tag in tags if tag in self.entries)


def encode_geotiff(
    array: NumberArray,
    grid: Grid,
    *,
    nodata: float | None = None,
    scale: float | None = None,
    offset: float | None = None,
    descriptions: Sequence[str] = (),
    packed: bool = True,
) -> bytes:
    """GeoTIFF of (H, W) or (B, H, W) on its grid, deflated without loss, or as it is when not `packed`.

    scale, offset: stored in the file so that value * scale + offset is the physical quantity; the array itself is
    not changed. descriptions: one name a band. Floats and integers wider than 8 bits are deflated as differences
    (predictor 3 and 2); 8-bit layers are not, so that every reader, Pillow among them, opens them.
    Raises GridMismatch when the array has another size than the grid, BadBands for a dtype TIFF cannot hold.
    """
    bands = array[np.newaxis] if array.ndim == 2 else array
    if bands.ndim != 3 or str(bands.dtype) not in _DTYPES:
        raise BadBands(f"An array of {array.ndim} dimensions and type {array.dtype} cannot be written as a GeoTIFF.")
    count, height, width = bands.shape
    if (width, height) != (grid.width, grid.height):
        raise GridMismatch(f"The array is {width} x {height} pixels, its grid {grid.width} x {grid.height}.")
    form = _Form(
        crs=grid.crs,
        width=width,
        height=height,
        count=count,
        dtype=str(bands.dtype),
        nodata=None if nodata is None else repr(float(nodata)),
        scale=scale,
        offset=offset,
        descriptions=tuple(descriptions),
        packed=packed,
    )
    pixels = np.moveaxis(bands, 0, 2).astype(bands.dtype.newbyteorder("<"), copy=False)
    blocks = (_differenced(block, form) for block in _blocks(pixels, form))
    return _assemble(_header_at(form, grid), [deflate(block) if packed else block.data for block in blocks])


def _header_at(form: _Form, grid: Grid) -> _Header:
    a, b, c, d, e, f = grid.affine
    if b or d or a <= 0 or e >= 0:
        return _header(form, grid.transform)
    header = _upright_header(form)
    content = bytearray(header.content)
    struct.pack_into("<3d", content, header.entries[_PIXEL_SCALE][2], a, -e, 0.0)
    struct.pack_into("<6d", content, header.entries[_TIEPOINT][2], 0.0, 0.0, 0.0, c, f, 0.0)
    return replace(header, content=bytes(content))


@lru_cache(maxsize=64)
def _upright_header(form: _Form) -> _Header:
    return _header(form, _UPRIGHT)


def _header(form: _Form, transform: Affine) -> _Header:
    grid = Grid(form.crs, tuple(transform)[:6], form.width, form.height)
    block_height, block_width = form.block
    options: dict[str, Any] = {"tiled": True, "blockxsize": block_width} if form.is_tiled else {}
    if form.packed:
        options |= {"compress": "deflate", "predictor": form.predictor}
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=form.count,
            dtype=form.dtype,
            nodata=None if form.nodata is None else float(form.nodata),
            width=form.width,
            height=form.height,
            crs=grid.rio_crs,
            transform=transform,
            interleave="pixel",
            blockysize=block_height,
            sparse_ok="TRUE",
            bigtiff="NO",
            endianness="LITTLE",
            **options,
        ) as dataset:
            _describe(dataset, form)
        content = bytes(memory.getbuffer())
    return _Header(content, _entries(content))


def _describe(dataset: Any, form: _Form) -> None:
    if form.scale is not None:
        dataset.scales = [form.scale] * dataset.count
    if form.offset is not None:
        dataset.offsets = [form.offset] * dataset.count
    for band, text in enumerate(form.descriptions, start=1):
        dataset.set_band_description(band, text)


def _entries(content: bytes) -> dict[int, tuple[int, int, int]]:
    """The tags of a little-endian TIFF's only directory."""
    (directory,) = struct.unpack_from("<I", content, 4)
    (number,) = struct.unpack_from("<H", content, directory)
    entries = {}
    for place in range(directory + 2, directory + 2 + 12 * number, 12):
        tag, kind, count, value = struct.unpack_from("<HHII", content, place)
        fits = count * struct.calcsize(_TYPE_CODES.get(kind, "d")) <= 4
        entries[tag] = kind, count, place + 8 if fits else value
    return entries


def _assemble(header: _Header, blocks: Sequence[bytes | memoryview]) -> bytes:
    """Put the blocks behind the header, and into it where they are."""
    head = bytearray(header.content)
    head += bytes(-len(head) % 16)
    lengths = [memoryview(block).nbytes for block in blocks]
    starts = np.cumsum([len(head), *lengths[:-1]]).tolist()
    for tags, values in ((_OFFSETS, starts), (_LENGTHS, lengths)):
        kind, count, place = header.find(*tags)
        struct.pack_into(f"<{count}{_TYPE_CODES[kind]}", head, place, *values)
    return b"".join((head, *blocks))


def _blocks(pixels: NumberArray, form: _Form) -> Iterator[NumberArray]:
    """The pieces of (H, W, B) pixels, row by row. Tiles are whole: at the edges the last pixel goes on."""
    rows, columns = form.block
    for row in range(0, form.height, rows):
        for col in range(0, form.width, columns):
            block = pixels[row : row + rows, col : col + columns]
            if form.is_tiled and block.shape[:2] != (rows, columns):
                block = np.pad(block, ((0, rows - block.shape[0]), (0, columns - block.shape[1]), (0, 0)), mode="edge")
            yield block


def _differenced(block: NumberArray, form: _Form) -> NumberArray:
    """An (h, w, B) block as the predictor stores it, contiguous and band beside band."""
    if form.predictor == 1 and block.flags.c_contiguous:
        return block
    # Band by band: NumPy takes five times as long over an axis of three.
    beside = np.empty(block.shape, block.dtype)
    for band in range(form.count):
        if form.predictor == 2:
            beside[:, 0, band] = block[:, 0, band]
            np.subtract(block[:, 1:, band], block[:, :-1, band], out=beside[:, 1:, band])
        else:
            beside[:, :, band] = block[:, :, band]
    return _bytes_differenced(beside, form.count) if form.predictor == 3 else beside


def _bytes_differenced(block: NumberArray, count: int) -> NumberArray:
    """Of each row all first (highest) bytes, then all second ones, and so on; as steps to the byte `count` before."""
    size = block.dtype.itemsize
    rows = block.view(np.uint8).reshape(len(block), -1, size)
    planes = np.empty((len(block), size, rows.shape[1]), np.uint8)
    for byte in range(size):
        planes[:, byte] = rows[:, :, size - 1 - byte]
    shuffled = planes.reshape(len(block), -1)
    steps = np.empty_like(shuffled)
    steps[:, :count] = shuffled[:, :count]
    np.subtract(shuffled[:, count:], shuffled[:, :-count], out=steps[:, count:])
    return steps
