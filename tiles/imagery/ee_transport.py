"""How requests to Earth Engine travel: one shared session, and an end to every request.

The client's own deadline is one of each socket read, so that a server that sends a byte a second is waited for without
end; it takes a body of any size; and it knows of no quota. This transport, handed to `ee.Initialize`, knows better:
a request that counts passes a gate when it is made ready and its connection is next, and not before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol, Self

import httplib2
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import connection, connectionpool

from .ee_patience import Patience

# 48 MB are the most that one answer may hold, uncompressed.
MOST_BYTES = 64 * 2**20
CONNECTIONS = 32


# Requests for pixels count against the quota; signing in and looking round do not.
COUNTED = ":computePixels"


class Gate(Protocol):
    """Where one request waits until it may leave, and says that it is back: a context manager around its sending."""

    def __enter__(self) -> Self:
        """Wait. Raises what says that the request is not wanted any more."""
        ...

    def left(self) -> None:
        """The bytes of the request are on their way."""
        ...

    def __exit__(self, *error: object) -> None: ...


class _Trip(threading.local):
    """What is known of the requests that this thread sends. leaving: the gate that one has passed just now."""

    gate: Gate | None = None
    leaving: Gate | None = None


_trip = _Trip()


@contextmanager
def through(gate: Gate) -> Iterator[None]:
    """Every request for pixels that this thread sends inside passes this gate."""
    _trip.gate = gate
    try:
        yield
    finally:
        _trip.gate = None


class _Tells:
    """A connection that tells the gate when the bytes of a request have left."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)  # type: ignore[misc]
        if _trip.leaving:
            _trip.leaving.left()


class _Connection(_Tells, connection.HTTPConnection):
    """Plain."""


class _SecureConnection(_Tells, connection.HTTPSConnection):
    """With TLS."""


class _Pool(connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(connectionpool.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Sends by connections that tell, also where a proxy lies between."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager


POOLS = {"http": _Pool, "https": _SecurePool}


class Transport:
    """What the Google clients call an Http: `request` answers (httplib2.Response, bytes). Safe in threads."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(pool_connections=4, pool_maxsize=CONNECTIONS))

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
        """Send one request, as soon as its gate lets it. Raises TimeoutError and ConnectionError, which the Google
        clients understand, and what the gate raises."""
        gate = _trip.gate if COUNTED in uri else None
        with gate or nullcontext():
            _trip.leaving = gate
            try:
                return self._sent(method, uri, body, headers)
            finally:
                _trip.leaving = None

    def _sent(self, method: str, uri: str, body: Any, headers: Any) -> tuple[httplib2.Response, bytes]:
        deadline = time.monotonic() + self._patience.request
        silence = min(self._patience.silence, self._patience.request)
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
