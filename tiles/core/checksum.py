"""Checksums of files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

_BLOCK = 2**22


def sha256_of(path: Path, beat: Callable[[], None] = lambda: None) -> str:
    """The sha256 of a file, in hexadecimal. beat() is called every few megabytes. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            beat()
    return digest.hexdigest()
