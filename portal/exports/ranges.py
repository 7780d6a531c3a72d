"""A file, or a part of one, over HTTP that can be resumed: RFC 9110, sections 13 and 14.

Django's FileResponse knows no ranges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from tiles.core.paths import data_folder

BLOCK = 1 << 18
_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,300})-([0-9]{0,300})[ \t]*", re.ASCII | re.IGNORECASE)


class NotSatisfiable(Exception):
    """The range lies wholly behind the end."""


@dataclass(frozen=True)
class ByteRange:
    """Bytes first..last, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Sent:
    """What is said of a file that is sent. etag: a strong one, without its quotes. last_modified: aware."""

    filename: str
    etag: str
    content_type: str
    last_modified: datetime

    @property
    def tag(self) -> str:
        return f'"{self.etag}"'

    @property
    def modified(self) -> int:
        return int(self.last_modified.timestamp())


def ranged_file_response(
    request: HttpRequest,
    path: Path,
    *,
    filename: str,
    etag: str,
    content_type: str,
    last_modified: datetime,
) -> HttpResponseBase:
    """The file at `path`, or the part of it that was asked for: see `Sent` and `ranged_part_response`.

    Where DEMETER_ACCEL is set nginx sends the file, ranges included. Raises FileNotFoundError.
    """
    sent = Sent(filename, etag, content_type, last_modified)
    if settings.DEMETER_ACCEL:
        response = HttpResponse(content_type=content_type)
        response["X-Accel-Redirect"] = settings.DEMETER_ACCEL + quote(path.relative_to(data_folder()).as_posix())
        return _described(response, sent)
    size = path.stat().st_size
    return ranged_part_response(request, lambda: path.open("rb"), start=0, size=size, sent=sent)


def ranged_part_response(
    request: HttpRequest, opened: Callable[[], BinaryIO], *, start: int, size: int, sent: Sent
) -> HttpResponseBase:
    """`size` bytes from `start` on of what `opened` gives, as a file of its own, or the part of it that was asked for.

    Answers 200, 206, 304, 412 or 416; several ranges at once are answered with the whole, as the standard allows.
    Reads block by block, and opens nothing when nothing is sent.
    """
    unsent: HttpResponseBase | None = get_conditional_response(request, etag=sent.tag, last_modified=sent.modified)
    response = unsent or _bytes(request, opened, start, size, sent)
    response["ETag"] = sent.tag
    response["Last-Modified"] = http_date(sent.modified)
    response["Accept-Ranges"] = "bytes"
    return _described(response, sent)


def first_byte(request: HttpRequest, size: int, sent: Sent) -> int | None:
    """The first byte of a file of `size` bytes that the request is answered with; None when with none at all."""
    if request.method != "GET" or get_conditional_response(request, etag=sent.tag, last_modified=sent.modified):
        return None
    try:
        part = wanted_range(request.headers["Range"], size) if _ranges_apply(request, sent) else None
    except NotSatisfiable:
        return None
    return part.first if part else 0


def wanted_range(header: str, size: int) -> ByteRange | None:
    """What a Range header asks for of `size` bytes. None: the whole. Raises NotSatisfiable."""
    found = _ONE_RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:  # the last so many bytes
        length = min(int(found[2]), size)
        if length == 0:
            raise NotSatisfiable
        return ByteRange(size - length, size - 1)
    first = int(found[1])
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise NotSatisfiable
    return ByteRange(first, min(int(found[2]), size - 1) if found[2] else size - 1)


def _described(response: HttpResponseBase, sent: Sent) -> HttpResponseBase:
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=sent.filename) or ""
    response["Cache-Control"] = "private, no-transform"
    return response


def _bytes(request: HttpRequest, opened: Callable[[], BinaryIO], start: int, size: int, sent: Sent) -> HttpResponseBase:
    try:
        part = wanted_range(request.headers["Range"], size) if _ranges_apply(request, sent) else None
    except NotSatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    asked = part or ByteRange(0, size - 1)
    headers = {"Content-Length": str(asked.length)}
    if part:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{size}"
    if request.method == "HEAD":
        return HttpResponse(content_type=sent.content_type, headers=headers)
    file = opened()
    file.seek(start + asked.first)
    blocks = _Blocks(file, asked.length)
    return StreamingHttpResponse(blocks, status=206 if part else 200, content_type=sent.content_type, headers=headers)


def _ranges_apply(request: HttpRequest, sent: Sent) -> bool:
    """Whether a part may be sent: a GET with a Range, whose If-Range, when there is one, names this very file."""
    if request.method != "GET" or "Range" not in request.headers:
        return False
    condition = request.headers.get("If-Range", "").strip()
    if not condition:
        return True
    if condition.endswith('"'):
        return condition == sent.tag  # a weak one never matches
    return parse_http_date_safe(condition) == sent.modified


class _Blocks:
    """`length` bytes of an open file. Whoever sends them calls `close`, also when nobody wanted any."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self._file.read(min(BLOCK, self._left))
        if not block:
            raise StopIteration
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._file.close()
