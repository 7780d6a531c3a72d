"""The web server and the worker together, for one person on one machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from django.conf import settings

from tiles.core.errors import ApplicationError

HOST = "127.0.0.1"


def require_port(port: int) -> None:
    """Raise ApplicationError when something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ApplicationError(
                f"Port {port} is taken. Choose another one: PORT={port + 1} make demo.", code="port_taken"
            ) from error


def serve(port: int, announce: Callable[[], None]) -> int:
    """Run both until Ctrl-C or SIGTERM, or until one ends by itself. Returns an exit code."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    if not settings.DEMETER_SOURCES:
        environment["DEMETER_SOURCES"] = str(settings.DEMETER_DATA / "demo")
    web = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"{HOST}:{port}", "--threads", "8"]
    quiet = ["--log-level", "warning", "--graceful-timeout", "5", "--no-control-socket"]
    worker = [sys.executable, "manage.py", "worker"]
    # Groups of their own, so that Ctrl-C reaches this process first and each child is told once.
    children = [
        subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, start_new_session=True)
        for command in ([*web, *quiet], worker)
    ]
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    try:
        if _answers(port, children, stopping):
            announce()
        while not stopping and all(child.poll() is None for child in children):
            time.sleep(0.2)
    finally:
        _stop(children)
    return 0 if stopping else 1


def _answers(port: int, children: list[subprocess.Popen[bytes]], stopping: list[int]) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until and not stopping and all(child.poll() is None for child in children):
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/sign-in/", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
