"""The process between the supervisor and its cluster: ends the cluster when either of them is gone.

    python -P leash.py GRACE HANDLES COMMAND...

It is started as the leader of a process group, in which the command and all that it starts run, with a pipe from the
supervisor as its standard input. The command inherits the file handles in HANDLES, a list with commas. However the
supervisor dies, the pipe closes; however the command dies, its children may live on: in both cases the leash ends
the whole group. It imports nothing of Django, so that it is there at once and has little that can fail.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time


class Leash:
    def __init__(self, grace: float) -> None:
        self.grace = grace
        # Whoever is in the group holds the writing end: the pipe closes when the last of them is gone.
        self.life, self._life_of_others = os.pipe()
        self.wake, wake_writer = os.pipe()
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer)
        self.told_to_end = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, self._hear)

    def _hear(self, number: int, _frame: object) -> None:
        self.told_to_end = self.told_to_end or number != signal.SIGCHLD

    def run(self, command: list[str], inherited: tuple[int, ...]) -> int:
        # The other way round: our end of this pipe closes when we die, and the group's processes may notice.
        tether, _held_until_we_die = os.pipe()
        child = subprocess.Popen(
            command,
            env={**os.environ, "DEMETER_TETHER": str(tether)},
            stdin=subprocess.DEVNULL,
            pass_fds=(self._life_of_others, tether, *inherited),
        )
        os.close(self._life_of_others)
        while child.poll() is None and not self.told_to_end:
            ready, _, _ = select.select([sys.stdin.fileno(), self.wake], [], [])
            if self.wake in ready:
                os.read(self.wake, 4096)
            elif not os.read(sys.stdin.fileno(), 4096):
                break
        self._end_group(child)
        return 1

    def _end_group(self, child: subprocess.Popen[bytes]) -> None:
        """Workers get a moment to give back what they have in hand; nothing else in a cluster is worth waiting for."""
        child.kill()
        child.wait()
        os.killpg(0, signal.SIGTERM)
        deadline = time.monotonic() + self.grace
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self.life, self.wake], [], [], left)
            if self.life in ready:
                return
            os.read(self.wake, 4096)
        os.killpg(0, signal.SIGKILL)


def main() -> int:
    grace, inherited, *command = sys.argv[1:]
    return Leash(float(grace)).run(command, tuple(int(handle) for handle in inherited.split(",") if handle))


if __name__ == "__main__":
    sys.exit(main())
