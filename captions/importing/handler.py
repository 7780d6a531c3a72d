"""Files that a form sends: one that is too large is never written to this machine's disk."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from .given import MOST_BYTES

ROOM = 2**20
"""For the fields of the form beside its file."""


class NotTooLarge(FileUploadHandler):
    """Leaves the file out where the request says that it is larger than MOST_BYTES; the view then says so."""

    def handle_raw_input(
        self, input_data: Any, meta: Any, content_length: int, boundary: Any, encoding: Any = None
    ) -> None:
        self._too_large = content_length > MOST_BYTES + ROOM

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self._too_large:
            raise SkipFile
        return super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers behind this one keep the file."""
