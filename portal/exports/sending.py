"""Sending the files of a release: to who is signed in, has a link, or to everybody, all in the same way.

Whoever calls has checked that the release may be seen.
"""

from __future__ import annotations

import hashlib
import mimetypes
from datetime import datetime
from io import BytesIO
from pathlib import Path

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)

from tiles.core.errors import NotFound
from tiles.core.paths import release_folder

from .croissant import croissant_path
from .downloads import Taker, download_note, member_note
from .manifest import MANIFEST
from .members import member_find, member_open, missing, require_archive
from .models import Release, ReleaseFile
from .ranges import Sent, first_byte, ranged_file_response, ranged_part_response
from .retention import CONTENTS
from .stores import LocalStore, archive_open, archive_store

SUMS_OF_FILES, DESCRIPTION, SUM = "SHA256SUMS", "croissant.json", ".sha256"
TYPES = {
    ".jsonl": "application/x-ndjson",
    ".sha256": "text/plain; charset=utf-8",
    ".cff": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".geojson": "application/geo+json",
}
PLAIN = ("SHA256SUMS", "LICENSE")


def file_response(request: HttpRequest, release: Release, name: str, taker: Taker) -> HttpResponseBase:
    """A file of a release by its name: an archive, its checksum, those of all, the description, what is kept of it.

    Raises NotFound, Gone for an archive that was removed, Suspended when the store that has it is away.
    """
    if name == DESCRIPTION:
        return _description(request, release)
    if name in (MANIFEST, CONTENTS) and release.archive_removed_at:
        return _beside(request, release, release_folder(release.name) / name, name)
    if name == MANIFEST:
        return member_response(request, release, name, taker)
    files = list(release.files.all())
    if name == SUMS_OF_FILES and files:
        return _at_hand(request, release, name, checksum_lines(files).encode())
    for file in files:
        if name == file.name:
            return _archive(request, release, file, taker)
        if name == file.name + SUM:
            return _at_hand(request, release, name, checksum_lines([file]).encode())
    raise NotFound(f"{release.name} has no such file, or is not ready yet. Look at its page.")


def member_response(request: HttpRequest, release: Release, path: str, taker: Taker) -> HttpResponseBase:
    """One file out of the archive, which is not unpacked for it. Raises NotFound, Gone, Suspended."""
    member = member_find(release, path)
    etag = member.sha256 or f"{release.sha256[:32]}-{member.archive}-{member.header}"
    sent = Sent(member.name, etag, _type_of(member.name), _made(release))
    begun = first_byte(request, member.size, sent)
    if begun is not None:
        try:
            archive, start = member_open(release, member)
        except FileNotFoundError as error:
            raise missing(release) from error
        response = ranged_part_response(request, lambda: archive, start=start, size=member.size, sent=sent)
    else:  # nothing of it is sent
        response = ranged_part_response(request, BytesIO, start=0, size=member.size, sent=sent)
    if begun == 0:
        member_note(release=release, taker=taker)
    return response


def checksum_lines(files: list[ReleaseFile]) -> str:
    """What `sha256sum -c` reads."""
    return "".join(f"{file.sha256}  {file.name}\n" for file in files)


def _archive(request: HttpRequest, release: Release, file: ReleaseFile, taker: Taker) -> HttpResponseBase:
    """Whole or in parts. One on a store is sent by the store: the answer says where, for a quarter of an hour."""
    require_archive(release)
    sent = Sent(file.name, file.sha256, "application/zip", _made(release))
    begun = first_byte(request, file.size, sent)
    store = archive_store(release)
    try:
        if isinstance(store, LocalStore):
            response = ranged_file_response(
                request,
                store.path(release.name, file.name),
                filename=sent.filename,
                etag=sent.etag,
                content_type=sent.content_type,
                last_modified=sent.last_modified,
            )
        elif begun is not None:
            response = HttpResponseRedirect(store.url(release.name, file.name))
            response["Cache-Control"] = "no-store"
        else:
            response = ranged_part_response(
                request, lambda: archive_open(release, file), start=0, size=file.size, sent=sent
            )
    except FileNotFoundError as error:
        raise missing(release) from error
    if begun == 0:
        download_note(release=release, file=file.name, taker=taker)
    return response


def _beside(request: HttpRequest, release: Release, path: Path, name: str) -> HttpResponseBase:
    """What was kept of a removed archive."""
    etag = hashlib.sha256(f"{release.sha256} {name}".encode()).hexdigest()
    try:
        return ranged_file_response(
            request, path, filename=name, etag=etag, content_type=_type_of(name), last_modified=_made(release)
        )
    except FileNotFoundError as error:
        raise NotFound(f"{release.name} has no {name}. Look at its page.") from error


def _description(request: HttpRequest, release: Release) -> HttpResponseBase:
    try:
        described = croissant_path(release.name).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{release.name} is not ready, or was made before releases had a description.") from error
    return _at_hand(request, release, DESCRIPTION, described, "application/ld+json")


def _at_hand(
    request: HttpRequest, release: Release, name: str, content: bytes, content_type: str = "text/plain; charset=utf-8"
) -> HttpResponseBase:
    """A few bytes, sent in one piece."""
    sent = Sent(name, hashlib.sha256(content).hexdigest(), content_type, _made(release))
    answer = ranged_part_response(request, lambda: BytesIO(content), start=0, size=len(content), sent=sent)
    if not isinstance(answer, StreamingHttpResponse):
        return answer
    return HttpResponse(answer.getvalue(), status=answer.status_code, headers=dict(answer.items()))


def _made(release: Release) -> datetime:
    return release.ready_at or release.created_at


def _type_of(name: str) -> str:
    if name in PLAIN:
        return "text/plain; charset=utf-8"
    suffix = Path(name).suffix.lower()
    return TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
