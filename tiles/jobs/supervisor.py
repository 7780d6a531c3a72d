"""`manage.py worker`: keeps one django-q2 cluster alive and at work, and sweeps up after it.

Found by trial with django-q2 1.11: SIGKILL of an idle worker can hang the whole cluster, because it dies holding the
queue's read lock; SIGKILL of `qcluster` leaves its children alive. So a cluster that has ended is ended wholly and
started anew, and so is one that takes no work although there is some.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from . import leash
from .leases import leases_of
from .runfiles import RunFiles, end_leaderless
from .sweep import sweep, work_waits

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
GRACE_SECONDS = 8.0
"""How long a worker may take to its next beat before it is killed."""
SETTLED_SECONDS = 20.0
"""A cluster that lived this long did not crash at its start."""
MAX_DELAY_SECONDS = 30.0
MOST_DOUBLINGS = 4


class Cluster:
    """One run of `qcluster` behind its leash, with everything that it started."""

    def __init__(self, name: str, run_files: RunFiles) -> None:
        self.name = name
        self.started = time.monotonic()
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
        with run_files.cluster() as lock:
            handle = lock.fileno()
            self._leash = subprocess.Popen(
                [sys.executable, "-P", str(Path(leash.__file__)), str(GRACE_SECONDS), str(handle), *command],
                # The workers are what runs side by side; threads under them would only wait for each other.
                env={"OPENBLAS_NUM_THREADS": "1", **os.environ, "DEMETER_CLUSTER": name},
                stdin=subprocess.PIPE,
                pass_fds=(handle,),
                start_new_session=True,
            )
            lock.write(str(self._leash.pid))
            lock.flush()

    def is_running(self) -> bool:
        return self._leash.poll() is None

    def end(self) -> None:
        """End every process of the cluster; those at work get GRACE_SECONDS to give it back. Can be called twice."""
        if self._leash.stdin:
            self._leash.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._leash.wait(timeout=GRACE_SECONDS + 2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._leash.pid, signal.SIGKILL)
        self._leash.wait()


class Supervisor:
    """Runs until it is told to end. `say` gets one line for each thing an operator wants to know."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.told_to_end = threading.Event()
        self.run_files = RunFiles()
        self.cluster: Cluster | None = None
        self._number = 0
        self._delay = 0.0
        self._start_at = 0.0
        self._sweep_at = 0.0
        self._took_work_at = 0.0
        self._stalls = 0

    def run(self) -> None:
        """Supervise until SIGTERM or SIGINT; then leave no process behind."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.told_to_end.set())
        try:
            while not self.told_to_end.is_set():
                self._keep_running()
                if time.monotonic() >= self._sweep_at:
                    self._sweep_at = time.monotonic() + settings.DEMETER_SWEEP_SECONDS
                    self._look_after_work()
                self.told_to_end.wait(LOOK_SECONDS)
        finally:
            self._end_cluster()
            self._safely(sweep)
            self.run_files.close()

    def _keep_running(self) -> None:
        if self.cluster and not self.cluster.is_running():
            lived = time.monotonic() - self.cluster.started
            self._delay = 0.0 if lived > SETTLED_SECONDS else min(MAX_DELAY_SECONDS, 2 * self._delay + 0.5)
            self._end_cluster()
            self._start_at = time.monotonic() + self._delay
            self.say(f"The workers' cluster has died. Starting another in {self._delay:g} s.")
        if not self.cluster and time.monotonic() >= self._start_at:
            self._start_cluster()

    def _start_cluster(self) -> None:
        self._number += 1
        name = f"{socket.gethostname()[:60]}:{os.getpid()}:{self._number}"
        self.cluster = Cluster(name, self.run_files)
        self._took_work_at = time.monotonic()

    def _end_cluster(self) -> None:
        if self.cluster:
            self.cluster.end()
            # Its processes are gone for certain: nobody need wait for their leases to run out.
            name = self.cluster.name
            self._safely(lambda: leases_of(name).update(expires_at=timezone.now()))
            self.cluster = None
            self._sweep_at = 0.0

    def _look_after_work(self) -> None:
        if self._safely(end_leaderless):
            self.say("Ended what a dead supervisor had left running.")
        cluster = self.cluster
        if cluster:
            self._safely(lambda: _expire_leases_of_dead_workers(cluster.name))
        self._safely(sweep)
        if cluster and self._safely(lambda: self._takes_no_work(cluster)):
            self.say("The workers' cluster takes no work although there is some. Starting another.")
            self._end_cluster()

    def _takes_no_work(self, cluster: Cluster) -> bool:
        now = time.monotonic()
        if leases_of(cluster.name).filter(expires_at__gte=timezone.now()).exists():
            self._took_work_at, self._stalls = now, 0
        elif not work_waits():
            self._took_work_at = now
        # Ever more patience: on a busy machine a new cluster may take long to stand.
        patience = settings.DEMETER_STALL_SECONDS * 2 ** min(self._stalls, MOST_DOUBLINGS)
        stalled = now - self._took_work_at > patience
        self._stalls += stalled
        return stalled

    def _safely(self, act: Callable[[], Any]) -> Any:
        """Whatever happens to the database or the queue, the supervisor goes on."""
        try:
            return act()
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database is away: %s", str(error).strip())
        except Exception:
            logger.exception("supervising failed; going on")
        self._took_work_at = time.monotonic()
        connection.close()
        return None


def _expire_leases_of_dead_workers(cluster: str) -> None:
    """A worker of ours that has died is known at once; one of another machine by its lease only."""
    for chunk in leases_of(cluster).only("id", "owner", "token"):
        if not _is_alive(int(chunk.owner.rpartition("/")[2])):
            leases_of(cluster).filter(pk=chunk.pk, token=chunk.token).update(expires_at=timezone.now())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
