"""How requests to Earth Engine travel: one shared session, and an end to every request.

The client's own deadline is one of each socket read, so that a server that sends a byte a second is waited for without
end; and it takes a body of any size. This transport, handed to `ee.Initialize`, knows better.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httplib2
import requests
import urllib3
from requests.adapters import HTTPAdapter

from .ee_patience import Patience

# 48 MB are the most that one answer may hold, uncompressed.
MOST_BYTES = 64 * 2**20
CONNECTIONS = 32


_clock = threading.local()


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """Whatever this thread sends inside is one request, and ends together."""
    _clock.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        del _clock.deadline


class Transport:
    """What the Google clients call an Http: `request` answers (httplib2.Response, bytes). Safe in threads."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=CONNECTIONS))

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Any = None,
        redirections: Any = None,
        connection_type: Any = None,
        **_others: Any,
    ) -> tuple[httplib2.Response, bytes]:
        """Send one request. Raises TimeoutError and ConnectionError, which the Google clients understand."""
        now = time.monotonic()
        deadline: float = getattr(_clock, "deadline", now + self._patience.request)
        silence = min(self._patience.silence, deadline - now)
        if silence <= 0:
            raise TimeoutError("the time for the request is over")
        try:
            with self._session.request(
                method, uri, data=body, headers=headers, timeout=silence, stream=True, allow_redirects=False
            ) as response:
                content = _read(response, deadline)
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise TimeoutError(str(error)) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise ConnectionError(str(error)) from error
        return httplib2.Response({**response.headers, "status": response.status_code}), content

    def close(self) -> None:
        self._session.close()


def _read(response: requests.Response, deadline: float) -> bytes:
    """The body, read as it comes in: one read of the socket at a time, so that the clock is looked at in between."""
    parts = []
    size = 0
    while part := response.raw.read1(2**16, decode_content=True):
        parts.append(part)
        size += len(part)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer came in too slowly")
        if size > MOST_BYTES:
            raise ConnectionError("the answer is larger than Earth Engine's ever are")
    return b"".join(parts)
