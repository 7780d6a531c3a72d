"""A small disk that can really be full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of its own at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, *, leave: int = 0) -> None:
        """Take all its room but `leave` bytes."""
        with self._filler.open("ab") as file:
            while (free := shutil.disk_usage(self.folder).free - leave) > 0:
                with suppress(OSError):  # others write meanwhile
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)

    def make_room(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 160 MB at `site/data`: a job goes on once there are 64 MB more than it wants."""
    with small_disk(tmp_path / "site" / "data", megabytes=160) as mounted:
        yield mounted


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a small disk at `folder`; skips the test where that is not allowed."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a disk that is small enough to be full")
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "demeter-test", str(folder)]
    mounted = subprocess.run([mount, *options], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"this machine lets nobody mount a disk: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run([umount, "--lazy", str(folder)], check=True)
