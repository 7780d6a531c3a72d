"""A file over HTTP that can be resumed: RFC 9110, sections 13 and 14. Django's FileResponse knows no ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe

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


def ranged_file_response(
    request: HttpRequest,
    path: Path,
    *,
    filename: str,
    etag: str,
    content_type: str,
    last_modified: datetime,
) -> HttpResponseBase:
    """The file at `path`, or the part of it that was asked for.

    etag: a strong one, without its quotes. last_modified: aware. Answers 200, 206, 304, 412 or 416; several ranges at
    once are answered with the whole, as the standard allows. Reads block by block. Where DEMETER_ACCEL is set nginx
    sends the file, ranges included. Raises FileNotFoundError.
    """
    tag = f'"{etag}"'
    modified = int(last_modified.timestamp())
    if settings.DEMETER_ACCEL:
        response: HttpResponseBase = HttpResponse(content_type=content_type)
        response["X-Accel-Redirect"] = settings.DEMETER_ACCEL + quote(path.relative_to(data_folder()).as_posix())
    else:
        response = get_conditional_response(request, etag=tag, last_modified=modified) or _bytes(
            request, path, tag, modified, content_type
        )
        response["ETag"] = tag
        response["Last-Modified"] = http_date(modified)
        response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "private, no-transform"
    return response


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


def _bytes(request: HttpRequest, path: Path, tag: str, modified: int, content_type: str) -> HttpResponseBase:
    file = path.open("rb")
    size = path.stat().st_size
    try:
        part = wanted_range(request.headers["Range"], size) if _ranges_apply(request, tag, modified) else None
    except NotSatisfiable:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    sent = part or ByteRange(0, size - 1)
    headers = {"Content-Length": str(sent.length)}
    if part:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{size}"
    if request.method == "HEAD":
        file.close()
        return HttpResponse(content_type=content_type, headers=headers)
    file.seek(sent.first)
    return StreamingHttpResponse(
        _Blocks(file, sent.length), status=206 if part else 200, content_type=content_type, headers=headers
    )


def _ranges_apply(request: HttpRequest, tag: str, modified: int) -> bool:
    """Whether a part may be sent: a GET with a Range, whose If-Range, when there is one, names this very file."""
    if request.method != "GET" or "Range" not in request.headers:
        return False
    condition = request.headers.get("If-Range", "").strip()
    if not condition:
        return True
    if condition.endswith('"'):
        return condition == tag  # a weak one never matches
    return parse_http_date_safe(condition) == modified


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
