"""A worker process's side of the leash: should leash and supervisor both be killed, the cluster must not live on."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from django_q.signals import post_spawn


def tether(**_signal: Any) -> None:
    """Watch the leash from a thread of this worker process, at work or idle."""
    handle = os.environ.get("DEMETER_TETHER")
    if handle:
        threading.Thread(target=_end_with_leash, args=(int(handle),), name="tether", daemon=True).start()


def _end_with_leash(handle: int) -> None:
    os.read(handle, 1)  # nothing is ever written: this returns when the leash is gone
    os.killpg(0, signal.SIGKILL)


post_spawn.connect(tether, dispatch_uid="tether")
