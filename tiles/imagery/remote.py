"""Opening a cloud-optimised GeoTIFF on a server, and nothing else.

GDAL's own way to the network (/vsicurl) stays shut: it follows redirects to any host and cannot be told not to.
Instead GDAL is given a file of ours, whose bytes are fetched range by range through `Web`. So GDAL opens no
connection itself, knows no name but the one it is given, and tries no other driver than GTiff.
"""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from tiles.raster.reading import SAFE_ENV, is_located

from .base import SourcePermanent
from .web import Web

# The head of a GeoTIFF and its small tables are read in such pieces; pixels in the very ranges where they lie.
PAGE = 2**15
PAGES_KEPT = 16
# A block of 1024 x 1024 has at most a few megabytes; whoever asks for more follows a forged directory.
MOST_AT_ONCE = 64 * 2**20
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class RemoteFile:
    """The bytes of one file on a server.

    GDAL cannot pass an error on, so the first one is kept as `trouble` and all reads after it come back empty.
    """

    def __init__(self, web: Web, url: str, what: str) -> None:
        self._web = web
        self._url = url
        self.what = what
        self._size: int | None = None
        self._pages: dict[int, bytes] = {}
        self.trouble: BaseException | None = None

    @property
    def size(self) -> int:
        """Bytes; 0 when the file cannot be had."""
        if self._size is None:
            self.read(0, 1)
        return self._size or 0

    def read(self, start: int, length: int) -> bytes:
        """The bytes from `start` on, `length` of them or those that there are. Raises nothing: see `trouble`."""
        if self.trouble is not None:
            return b""
        try:
            return self._read(start, length)
        except BaseException as error:  # also a lease that was lost: GDAL's frames lie between here and the worker
            self.trouble = error
            return b""

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise what went wrong beneath GDAL, or say that the file is damaged."""
        try:
            yield
        except (RasterioError, CPLE_BaseError) as error:
            if self.trouble is not None:
                raise self.trouble from error
            raise SourcePermanent(f"{self.what} is damaged or cut short, or is no GeoTIFF.") from error
        if self.trouble is not None:
            raise self.trouble

    def _read(self, start: int, length: int) -> bytes:
        if length > MOST_AT_ONCE:
            raise SourcePermanent(f"{self.what} is damaged: it asks for {length:,} bytes at once.")
        if self._size is not None:
            length = max(min(length, self._size - start), 0)
        if length == 0:
            return b""
        if length > PAGE:
            return self._fetch(start, length)
        first, last = start // PAGE, (start + length - 1) // PAGE
        joined = b"".join(self._page(number) for number in range(first, last + 1))
        return joined[start - first * PAGE :][:length]

    def _page(self, number: int) -> bytes:
        if number not in self._pages:
            if len(self._pages) >= PAGES_KEPT:
                del self._pages[next(iter(self._pages))]
            self._pages[number] = self._fetch(number * PAGE, PAGE)
        return self._pages[number]

    def _fetch(self, start: int, length: int) -> bytes:
        """One range request. The answer must be that range of a file whose size does not change."""
        if self._size is not None:
            length = min(length, self._size - start)
        if length <= 0:
            return b""
        answer = self._web.ask(
            self._url,
            self.what,
            # The bytes as they are: a range of a compressed answer would mean something else.
            headers={"Range": f"bytes={start}-{start + length - 1}", "Accept-Encoding": "identity"},
            most=length,
            only=206,
        )
        found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if found is None:
            raise SourcePermanent(f"{self.what} cannot be read in parts: the server does not serve ranges.")
        first, last, size = (int(group) for group in found.groups())
        expected = min(start + length, size) - 1
        if (first, last) != (start, expected) or len(answer.body) != last - first + 1:
            raise SourcePermanent(f"{self.what} is answered with another range than was asked for.")
        if self._size not in (None, size):
            raise SourcePermanent(f"{self.what} changed while it was read.")
        self._size = size
        return answer.body


class _Handle(io.RawIOBase):
    """A place in a RemoteFile, as rasterio wants it."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
        self._at = max((self._file.size if base is None else base) + offset, 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(self._at, size if size >= 0 else self._file.size - self._at)
        self._at += len(found)
        return found


@contextmanager
def open_remote(file: RemoteFile) -> Iterator[Any]:
    """Open a RemoteFile as a GeoTIFF; yields a rasterio DatasetReader. Read inside `file.errors()`.

    Raises what the network raises, SourcePermanent for what is no GeoTIFF with a place on Earth.
    """
    name = f"{uuid.uuid4().hex}.tif"

    def opener(path: str, *_mode: Any, **_options: Any) -> io.RawIOBase | io.BytesIO:
        if str(path).endswith(name):
            return _Handle(file)
        if str(path) == "test":  # so rasterio tries an opener before it is used
            return io.BytesIO()
        raise FileNotFoundError(path)

    with rasterio.Env(**SAFE_ENV):
        with file.errors():
            dataset = rasterio.open(name, driver="GTiff", sharing=False, opener=opener)
        with dataset:
            if not is_located(dataset):
                raise SourcePermanent(f"{file.what} does not say where on Earth it lies.")
            if "OVERVIEW_FILE" in dataset.tags(ns="OVERVIEWS"):
                raise SourcePermanent(f"{file.what} refers to another file for its overviews, and is not read.")
            yield dataset
