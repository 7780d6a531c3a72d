"""Archives on an S3-compatible store."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import botocore.exceptions
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from storages.backends.s3 import S3Storage

from tiles.core.errors import Suspended

from .stores import URL_SECONDS

READ_BLOCK = 1 << 20
PART_BYTES = 64 << 20


class S3Store:
    """A bucket, below a prefix. Credentials are found as every AWS client finds them: AWS_* in the environment first.

    Uploads in parts, whose checksums the store compares; one that dies is aborted or replaced by the next try.
    """

    def __init__(self, bucket: str, prefix: str, *, endpoint: str, region: str) -> None:
        self.storage = S3Storage(
            bucket_name=bucket,
            location=prefix,
            endpoint_url=endpoint or None,
            region_name=region or None,
            addressing_style="path" if endpoint else "auto",
            signature_version="s3v4",
            querystring_auth=True,
            querystring_expire=URL_SECONDS,
            default_acl=None,
            file_overwrite=True,
            gzip=False,
            # In this very thread, so that what beat() raises stops the upload.
            transfer_config=TransferConfig(use_threads=False, multipart_chunksize=PART_BYTES),
        )

    def put(self, release: str, name: str, source: Path, *, sha256: str, beat: Callable[[], None]) -> None:
        key = f"{release}/{name}"
        with _reached():
            if self.exists(release, name) and self._head(key).get("Metadata", {}).get("sha256") == sha256:
                return
            # Not by the storage's save(), which says nothing while it reads and sends.
            self.storage.bucket.Object(self._named(key)["Key"]).upload_file(
                str(source),
                ExtraArgs={"Metadata": {"sha256": sha256}, "ContentType": "application/zip"},
                Callback=lambda _sent: beat(),
                Config=self.storage.transfer_config,
            )
            if self._head(key)["ContentLength"] != source.stat().st_size:
                raise Suspended(f"The archive store kept only a part of {name}. Go on to send it again.")

    def open(self, release: str, name: str) -> BinaryIO:
        key = f"{release}/{name}"
        with _reached():
            if not self.storage.exists(key):
                raise FileNotFoundError(key)
            size = self._head(key)["ContentLength"]
        return io.BufferedReader(_Ranges(lambda first, last: self._get(key, first, last), size), READ_BLOCK)

    def url(self, release: str, name: str) -> str:
        shown = {"ResponseContentDisposition": f'attachment; filename="{name}"'}
        with _reached():
            return str(self.storage.url(f"{release}/{name}", parameters=shown, expire=URL_SECONDS))

    def delete(self, release: str, name: str) -> None:
        with _reached():
            self.storage.delete(f"{release}/{name}")

    def exists(self, release: str, name: str) -> bool:
        with _reached():
            return bool(self.storage.exists(f"{release}/{name}"))

    def _head(self, key: str) -> dict[str, Any]:
        return self._client.head_object(**self._named(key))

    def _get(self, key: str, first: int, last: int) -> Any:
        with _reached():
            return self._client.get_object(Range=f"bytes={first}-{last}", **self._named(key))["Body"]

    @property
    def _client(self) -> Any:
        return self.storage.connection.meta.client

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self.storage.bucket_name, "Key": f"{self.storage.location}/{key}".lstrip("/")}


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, Boto3Error) as error:
        raise Suspended(
            f"The archive store did not do what it was asked for ({error}). Check DEMETER_ARCHIVE_STORE, the "
            "credentials and the store itself, then go on.",
            code="store_away",
        ) from error


class _Ranges(io.RawIOBase):
    """An object of a store as a file. What is read on from where the last read ended comes in one answer."""

    def __init__(self, get: Callable[[int, int], Any], size: int) -> None:
        self._get, self._size = get, size
        self._place = 0
        self._answer: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if place != self._place:
            self._drop()
        self._place = place
        return place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        if self._place >= self._size:
            return 0
        if self._answer is None:
            self._answer = self._get(self._place, self._size - 1)
        with _reached():
            block = self._answer.read(len(buffer))
        buffer[: len(block)] = block
        self._place += len(block)
        return len(block)

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        """A connection whose answer was not read to its end is closed, not used again."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None
