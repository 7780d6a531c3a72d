"""How requests to Earth Engine travel: one shared session, and an end to every request.

The client's own deadline is one of each socket read, so that a server that sends a byte a second is waited for without
end; it takes a body of any size; and it knows of no quota. This transport, handed to `ee.Initialize`, knows better:
a request that counts passes a gate when it is made ready and its bytes are next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httplib2
import requests
import urllib3
from requests.adapters import HTTPAdapter

from .ee_patience import Patience

# 48 MB are the most that one answer may hold, uncompressed.
MOST_BYTES = 64 * 2**20
# Requests for pixels count against the quota; signing in and looking round do not.
COUNTED = ":computePixels"

# Waits until a request may leave; raises what says that it is not wanted any more.
Gate = Callable[[], None]


class _Trip(threading.local):
    """What stands before the requests that this thread sends."""

    gate: Gate = staticmethod(lambda: None)


_trip = _Trip()


@contextmanager
def through(gate: Gate) -> Iterator[None]:
    """Every request for pixels that this thread sends inside passes this gate, right before its bytes leave."""
    _trip.gate = gate
    try:
        yield
    finally:
        del _trip.gate


class Transport:
    """What the Google clients call an Http: `request` answers (httplib2.Response, bytes). Safe in threads.

    connections: how many are kept open; with fewer than requests fly at once, the others open a new one each time.
    """

    def __init__(self, patience: Patience, connections: int) -> None:
        self._patience = patience
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=max(1, connections)))

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
        """Send one request. Raises TimeoutError and ConnectionError, which the Google clients understand; and what its
        gate raises."""
        silence = min(self._patience.silence, self._patience.request)
        try:
            ready = self._session.prepare_request(requests.Request(method, uri, data=body, headers=headers))
            how = self._session.merge_environment_settings(uri, {}, True, None, None)
            if COUNTED in uri:
                _trip.gate()
            deadline = time.monotonic() + self._patience.request
            with self._session.send(ready, timeout=silence, allow_redirects=False, **how) as response:
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
