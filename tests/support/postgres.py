"""A PostgreSQL of one's own, thrown away afterwards.

    python -m tests.support.postgres -- python -m pytest tests/tiles/jobs

runs the command with DATABASE_URL (and SECRET_KEY, which the settings then ask for) and stops the server when
it ends, fails or is interrupted. `--install` before the `--` installs PostgreSQL first where that can be done.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


class NoPostgres(Exception):
    """PostgreSQL is not installed, or does not start."""


@contextlib.contextmanager
def postgres_cluster() -> Iterator[str]:
    """Start a new server on a free port of the loopback; yields its DATABASE_URL. Raises NoPostgres."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="demeter-pg-"))
    try:
        account = _account(folder)
        password = secrets.token_hex(16)
        port = free_port()
        _initialise(programs, folder, password, account)
        server = _start(programs, folder, port, account)
        try:
            _wait_ready(programs, server, folder, port)
            yield f"postgres://demeter:{password}@127.0.0.1:{port}/postgres"
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _programs() -> Path:
    """The folder of the server's programs."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for pattern in ("usr/lib/postgresql/*/bin", "opt/homebrew/opt/postgresql*/bin", "usr/local/opt/postgresql*/bin"):
        found += sorted(Path("/").glob(pattern), reverse=True)
    for folder in found:
        if all((folder / name).is_file() for name in ("initdb", "postgres", "pg_isready")):
            return folder
    raise NoPostgres("PostgreSQL is not installed. On Debian: apt-get install postgresql.")


def _account(folder: Path) -> dict[str, Any]:
    """As whom the server runs: PostgreSQL refuses root, so root lends its folder to somebody else."""
    if os.geteuid() != 0:
        return {}
    names = [name for name in ("postgres", "nobody") if _known(name)]
    if not names:
        raise NoPostgres("PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`.")
    entry = pwd.getpwnam(names[0])
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _known(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False


def _initialise(programs: Path, folder: Path, password: str, account: dict[str, Any]) -> None:
    password_file = folder / "password"
    password_file.write_text(password)
    password_file.chmod(0o644)  # the folder itself is closed to others
    made = subprocess.run(
        [
            *(programs / "initdb", "-D", folder / "data", "-U", "demeter", "-A", "scram-sha-256"),
            *(f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C", "--no-sync"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        **account,
    )
    password_file.unlink()
    if made.returncode:
        raise NoPostgres(f"initdb failed: {made.stderr.strip()}")


def _start(programs: Path, folder: Path, port: int, account: dict[str, Any]) -> subprocess.Popen[bytes]:
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-p", str(port), *settings],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the command; the server is stopped after it
            **account,
        )


def _wait_ready(programs: Path, server: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    deadline = time.monotonic() + 60
    ready = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            _stop(server)
            raise NoPostgres(f"PostgreSQL does not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.05)


def _stop(server: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=10)
            return


def _interrupted(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def install() -> None:
    """Make sure there is a PostgreSQL, as root on Debian; elsewhere the message of NoPostgres says what to do."""
    with contextlib.suppress(NoPostgres):
        _programs()
        return
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return
    subprocess.run([apt, "update", "-qq"], check=True)
    subprocess.run(
        [apt, "install", "-y", "-qq", "--no-install-recommends", "postgresql"],
        check=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )


def main(arguments: list[str]) -> int:
    middle = arguments.index("--") if "--" in arguments else 0
    options, command = arguments[:middle], arguments[middle + 1 :]
    if not command or set(options) - {"--install"}:
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        if options:
            install()
        with postgres_cluster() as url:
            environment = {"SECRET_KEY": "only-for-tests", **os.environ, "DATABASE_URL": url}
            return _run(command, environment)
    except NoPostgres as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(command: list[str], environment: dict[str, str]) -> int:
    running = subprocess.Popen(command, env=environment)
    try:
        return running.wait()
    except KeyboardInterrupt:
        # A terminal's Ctrl-C has reached the command too; a SIGTERM to us alone has not.
        running.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(timeout=20)
        running.kill()
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
