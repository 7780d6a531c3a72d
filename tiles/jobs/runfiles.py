"""Notes a supervisor leaves in `<data>/run`, so that the next one finds a cluster that nobody leads any more.

Locks and not process ids say who lives, since ids are used again. A supervisor holds the lock of `<name>.lead`; every
process of its cluster inherits the lock of `<name>.group`, whose text is the id of their process group. A free
`lead` and a taken `group` is a cluster to end, and while the lock is taken that group's id is truly its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.conf import settings

END_SECONDS = 5.0


class RunFiles:
    """The notes of this supervisor. Raises OSError when the data folder cannot be written."""

    def __init__(self) -> None:
        self.folder = Path(settings.DEMETER_DATA) / "run"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._lead = _open(self.folder / f"{self.name}.lead")
        _lock(self._lead)

    @contextlib.contextmanager
    def cluster(self) -> Iterator[IO[str]]:
        """A file to be inherited by a new cluster. Write the id of its group into it."""
        path = self.folder / f"{self.name}.group"
        path.unlink(missing_ok=True)  # a process of the last cluster that is slow to die keeps its own file
        with _open(path) as file:
            _lock(file)
            yield file

    def close(self) -> None:
        for suffix in (".group", ".lead"):
            (self.folder / f"{self.name}{suffix}").unlink(missing_ok=True)
        self._lead.close()


def end_leaderless() -> int:
    """End the clusters of this machine and data folder whose supervisors are dead. Returns how many there were."""
    folder = Path(settings.DEMETER_DATA) / "run"
    return sum(_end_when_leaderless(lead) for lead in sorted(folder.glob(f"{_host()}-*.lead")))


def _end_when_leaderless(lead: Path) -> bool:
    group = lead.with_suffix(".group")
    with _open(lead) as lead_file:
        if not _lock(lead_file):
            return False
        found = False
        with _open(group) as group_file:
            text = group_file.read().strip()
            if text.isdigit() and not _lock(group_file):
                found = True
                _end(int(text), group_file)
        group.unlink(missing_ok=True)
        lead.unlink(missing_ok=True)
        return found


def _end(group: int, lock: IO[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + END_SECONDS
    while not _lock(lock) and time.monotonic() < deadline:
        time.sleep(0.05)


def _host() -> str:
    return socket.gethostname().replace("/", "_")[:60] or "host"


def _open(path: Path) -> IO[str]:
    file = path.open("a+", encoding="ascii")
    file.seek(0)
    return file


def _lock(file: IO[str]) -> bool:
    """Take the file's lock. False when somebody living holds it; True too where the file system has no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
