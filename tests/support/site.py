"""A whole Demeter of its own: data folder, database, web server, worker. For tests that need real processes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg

from .postgres import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
MARKER = "DEMETER_TEST_SITE"
"""Every process of a site carries this variable, so that none escapes the clean-up."""
ROLES = ("viewer", "annotator", "reviewer", "curator", "admin")

T = TypeVar("T")


def password_of(username: str) -> str:
    """The password of the people that tests make."""
    return f"{username}-pass-word-9"


def wait_until(condition: Callable[[], T], timeout: float, what: str, explain: Callable[[], str] = str) -> T:
    """Poll until `condition` returns something true, and return that. Fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s for {what}; last seen: {value!r}\n{explain()}")
        time.sleep(0.05)


def on_postgres() -> bool:
    """Whether this test session has a PostgreSQL server; else every site has an SQLite file."""
    return os.environ.get("DATABASE_URL", "").startswith(("postgres", "pgsql"))


def administer(statement: str) -> None:
    """Run one statement on that server, outside any site's database."""
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(scheme="postgresql"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Process:
    """A process of a site as the system shows it."""

    pid: int
    parent: int
    command: str


class Template:
    """A migrated database with one person of each role (name = role), copied for each site. One a session."""

    def __init__(self, folder: Path) -> None:
        self._embedded = not on_postgres()
        self._file = folder / "demeter.sqlite3"
        self._name = f"demeter_template_{uuid.uuid4().hex[:12]}"
        if not self._embedded:
            administer(f'CREATE DATABASE "{self._name}"')
        environment = {**os.environ, "DEMETER_DATA": str(folder), "DATABASE_URL": self._url(self._name, self._file)}
        environment["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        for arguments in (["manage.py", "migrate", "-v0"], ["-c", _MAKE_PEOPLE]):
            _run([sys.executable, *arguments], environment)

    def copy(self, folder: Path) -> tuple[str, Callable[[], None]]:
        """A new database for a site whose data folder is `folder`: its URL, and how to drop it."""
        if self._embedded:
            shutil.copy(self._file, folder / "demeter.sqlite3")
            return self._url("", folder / "demeter.sqlite3"), lambda: None
        name = f"demeter_site_{uuid.uuid4().hex[:12]}"
        administer(f'CREATE DATABASE "{name}" TEMPLATE "{self._name}"')
        return self._url(name, self._file), lambda: self._drop(name)

    def close(self) -> None:
        if not self._embedded:
            self._drop(self._name)

    def _url(self, name: str, file: Path) -> str:
        if self._embedded:
            return f"sqlite:///{file}"
        return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))

    def _drop(self, name: str) -> None:
        administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


_MAKE_PEOPLE = f"""
import django
django.setup()
from portal.accounts.services import user_create
for role in {ROLES!r}:
    user_create(username=role, password=role + "-pass-word-9", role=role)
"""


class Site:
    """One Demeter. Use as a context manager, or call `stop`: it leaves no process and no database behind.

    `folder` is the site's own, `data` its DEMETER_DATA, `sources` its only DEMETER_SOURCES, `url` where the web
    server listens once it is started. There is a person of each role, named as the role, with `password_of(role)`.
    `apps` are installed on top of the product's; `environment` overrides what the processes get.
    """

    def __init__(
        self,
        folder: Path,
        template: Template,
        *,
        apps: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.sources = folder / "sources"
        self.url = ""
        self._logs = folder / "log"
        for made in (self.data, self.sources, self._logs):
            made.mkdir(parents=True, exist_ok=True)
        self._mark = uuid.uuid4().hex
        self._started: list[subprocess.Popen[bytes]] = []
        database, self._drop_database = template.copy(self.data)
        self.environment = {**os.environ, **self._settings(database, apps), **(environment or {})}

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _settings(self, database: str, apps: Sequence[str]) -> dict[str, str]:
        (self.folder / "site_settings.py").write_text(
            f"from portal.settings import *\n\nINSTALLED_APPS = [*INSTALLED_APPS, *{list(apps)!r}]\n"
        )
        return {
            MARKER: self._mark,
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(REPOSITORY)]),
            "PYTHONUNBUFFERED": "1",
            "DEMETER_DATA": str(self.data),
            "DEMETER_SOURCES": str(self.sources),
            "DEMETER_MIN_FREE": "1000000",
            "DEMETER_WORKERS": "2",
            "DEMETER_LEASE_SECONDS": "2",
            "DEMETER_SWEEP_SECONDS": "0.5",
            "DEMETER_STALL_SECONDS": "4",
            "DATABASE_URL": database,
            "SECRET_KEY": "only-for-tests",
            "STATIC_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
            "WHITENOISE_USE_FINDERS": "1",
        }

    # --- Commands ---

    def manage(
        self,
        *arguments: object,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` with these arguments. With `check`, a failure fails the test and shows the output."""
        command = [sys.executable, str(REPOSITORY / "manage.py"), *map(str, arguments)]
        return _run(command, {**self.environment, **(env or {})}, check=check, input=input, timeout=timeout)

    def shell(self, code: str, *, timeout: float = 300) -> Any:
        """Run Python code inside this site. Returns the last line it prints, parsed as JSON; None for no output."""
        prelude = "import json\nimport django\ndjango.setup()\n"
        done = _run([sys.executable, "-c", prelude + code], self.environment, timeout=timeout)
        lines = done.stdout.strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    # --- Processes ---

    def start_web(self, *, threads: int = 8, again: bool = False) -> str:
        """Serve the site on a free port; returns its URL once it answers. again: where it was before it was killed."""
        port = urlsplit(self.url).port if again else free_port()
        assert port, "nothing was served yet"
        web = self.start(
            "web",
            [
                *(sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}"),
                *("--worker-class", "gthread", "--threads", str(threads), "--no-control-socket"),
            ],
        )
        wait_until(lambda: web.poll() is not None or _answers(port), 60, "the web server", self.logs)
        assert web.poll() is None, f"the web server ended:\n{self.logs()}"
        self.url = f"http://127.0.0.1:{port}"
        return self.url

    def start_worker(self, *, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start `manage.py worker`. It works within a second or two; wait for what it does, not for it."""
        return self.start("worker", [sys.executable, str(REPOSITORY / "manage.py"), "worker"], env=env)

    def start(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a process of this site in a group of its own, its output going to the log `name`."""
        with (self._logs / f"{name}.log").open("ab") as log:
            started = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env={**self.environment, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started.append(started)
        return started

    def processes(self) -> list[Process]:
        """Every living process of this site, oldest first."""
        self._reap()
        return sorted(_marked(f"{MARKER}={self._mark}"), key=lambda process: process.pid)

    def children(self, pid: int) -> list[Process]:
        return [process for process in self.processes() if process.parent == pid]

    def parent(self, pid: int) -> int:
        return next(process.parent for process in self.processes() if process.pid == pid)

    def below(self, pid: int) -> list[Process]:
        """All processes that descend from one."""
        children = self.children(pid)
        return [*children, *(process for child in children for process in self.below(child.pid))]

    def pool(self, supervisor: int) -> list[int]:
        """The two worker processes of a running `manage.py worker`, once they are there."""

        def workers() -> list[int]:
            chain = [supervisor]
            while len(chain) < 4:
                children = self.children(chain[-1])
                if len(children) != 1:
                    return []
                chain.append(children[0].pid)
            inner = self.children(chain[-1])
            return [process.pid for process in inner[:2]] if len(inner) == 4 else []

        return self.wait_until(workers, 60, "the cluster to stand")

    def kill_web(self) -> None:
        """SIGKILL the web server and its children."""
        for process in self.processes():
            if "gunicorn" in process.command:
                self.kill(process.pid)

    def kill(self, pid: int, how: int = signal.SIGKILL) -> None:
        """Signal one process, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)

    def kill_group(self, pid: int, how: int = signal.SIGKILL) -> None:
        """Signal the whole process group that `pid` is in."""
        os.killpg(os.getpgid(pid), how)

    def kill_all(self) -> None:
        """SIGKILL everything of this site at once, as a power cut does."""
        for process in self.processes():
            self.kill(process.pid)
        self.wait_until(lambda: not self.processes(), 20, "every process to be gone")

    def stop(self) -> None:
        """End every process and drop the database. Can be called twice."""
        for started in self._started:
            if started.poll() is None:
                started.terminate()
        for started in self._started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(timeout=15)
        self.kill_all()
        self._drop_database()
        self._drop_database = lambda: None

    def _reap(self) -> None:
        for started in self._started:
            started.poll()

    # --- Waiting ---

    def wait_until(self, condition: Callable[[], T], timeout: float, what: str) -> T:
        """`wait_until`, with the logs in the failure's text."""
        return wait_until(condition, timeout, what, self.logs)

    def everything_said(self) -> str:
        """All that the processes wrote."""
        return "\n".join(log.read_text() for log in sorted(self._logs.iterdir()))

    def logs(self) -> str:
        """The end of what each process wrote."""
        return "\n".join(f"--- {log.name}\n{log.read_text()[-4000:]}" for log in sorted(self._logs.iterdir()))


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    check: bool = True,
    input: str | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, input=input, timeout=timeout
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)[:400]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except OSError:
        return False
    finally:
        connection.close()


def _marked(mark: str) -> Iterator[Process]:
    """Living processes with this text in their environment; zombies have none."""
    if not Path("/proc/self/environ").exists():
        yield from _marked_by_ps(mark)
        return
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                yield Process(int(folder.name), parent, command.strip())


def _marked_by_ps(mark: str) -> Iterator[Process]:
    listed = _run(["ps", "-axwwE", "-o", "pid=,ppid=,stat=,command="], os.environ).stdout
    for line in listed.splitlines():
        pid, parent, state, command = line.split(None, 3)
        if mark in command and not state.startswith("Z"):
            yield Process(int(pid), int(parent), command)
