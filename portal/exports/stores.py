"""Where archives of releases lie: in the data folder, or on an S3-compatible store."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from django.conf import settings

from tiles.core.paths import release_folder

from .models import Release, ReleaseFile

URL_SECONDS = 900
"""How long an address of a store may be gone to. A download that has begun may take longer."""


class Store(Protocol):
    """Keeps whole files by release and name. Every call raises Suspended when the store is away or refuses."""

    def put(self, release: str, name: str, source: Path, *, sha256: str, beat: Callable[[], None]) -> None:
        """Keep a file, and wait until it is kept. Can be repeated. beat() is called at least once a megabyte."""

    def open(self, release: str, name: str) -> BinaryIO:
        """Its bytes, seekable; whoever reads only a part gets only that part sent. Raises FileNotFoundError."""

    def url(self, release: str, name: str) -> str:
        """A signed address that holds for URL_SECONDS, to which a download goes on; "" when we send it ourselves."""

    def delete(self, release: str, name: str) -> None:
        """Can be repeated."""

    def exists(self, release: str, name: str) -> bool: ...


class LocalStore:
    """`<data>/releases/<release>/<name>`."""

    def put(self, release: str, name: str, source: Path, *, sha256: str, beat: Callable[[], None]) -> None:
        """The job lands its files there itself."""

    def open(self, release: str, name: str) -> BinaryIO:
        return self.path(release, name).open("rb")

    def url(self, release: str, name: str) -> str:
        return ""

    def delete(self, release: str, name: str) -> None:
        self.path(release, name).unlink(missing_ok=True)

    def exists(self, release: str, name: str) -> bool:
        return self.path(release, name).is_file()

    def path(self, release: str, name: str) -> Path:
        return release_folder(release) / name


def store_chosen() -> str:
    """The place for new archives: "" for the data folder, else as in s3://bucket/prefix."""
    return str(settings.DEMETER_ARCHIVE_STORE)


def store_at(place: str) -> Store:
    """The store of a place, as a release names it."""
    if not place:
        return LocalStore()
    return _s3(place, str(settings.DEMETER_ARCHIVE_ENDPOINT), str(settings.DEMETER_ARCHIVE_REGION))


def archive_store(release: Release) -> Store:
    """Where the archive of a release lies."""
    return store_at(release.store)


def archive_open(release: Release, file: ReleaseFile) -> BinaryIO:
    """The bytes of a file of a release, wherever it lies. Raises FileNotFoundError, Suspended."""
    return archive_store(release).open(release.name, file.name)


@cache
def _s3(place: str, endpoint: str, region: str) -> Store:
    from .store_s3 import S3Store  # boto3 takes a second to import, which only those pay who use it

    parts = urlsplit(place)
    return S3Store(parts.netloc, parts.path.strip("/"), endpoint=endpoint, region=region)
