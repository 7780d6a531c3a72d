"""The way of imagery to the network: only to hosts that are configured, looked at again at every redirect.

Every request goes through `Web`: it is tried again with full jitter where that may help, never longer than the time
a tile may take, reads no more than it was told to expect, and calls `beat` while it waits, so that a worker keeps
its lease.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Self, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from .base import SourceClosed, SourceError, SourcePermanent, SourceRetryable

CONNECT_SECONDS = 5
# Of silence, not of the whole answer. Beats fall between reads, and a lease is 30 seconds as a rule.
READ_SECONDS = 15
TRIES = 6
# Of requests that only ask whether there is anybody.
PROBE_SECONDS, PROBE_TRIES = 30.0, 2
FIRST_WAIT, LONGEST_WAIT = 0.5, 16.0
BEAT_SECONDS = 1.0
REDIRECTS = 5
PIECE = 2**16
DEFAULT_PORTS = {"http": 80, "https": 443}
MAY_PASS = (408, 425, 429)
REFUSALS = {
    401: "{host} wants an account (401), and none is used here. Build from a catalogue whose files need none, or have "
    "its server let this machine in.",
    403: "{host} refuses this machine (403). See whether the catalogue needs an account, which is not used here, and "
    "whether this network or a proxy may reach it.",
}

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What a server said. headers: case does not matter."""

    headers: Mapping[str, str]
    body: bytes


def require_configured(url: str, hosts: Collection[str]) -> None:
    """Raise NotConfigured unless a URL's host is one of `hosts`, SourcePermanent when it is not one of http or https.

    hosts: names in lower case, with a port where it is not the usual one of the scheme.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise SourcePermanent("The catalogue names an address that cannot be read.") from error
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise SourcePermanent(f"Imagery is read from http and https addresses only, and not from {parts.scheme}://.")
    if parts.username is not None or parts.password is not None or "\\" in parts.netloc:
        raise SourcePermanent(f"An address on {host} carries a name or a password, and is not used.")
    name = f"[{host}]" if ":" in host else host
    if port not in (None, DEFAULT_PORTS[parts.scheme]):
        name = f"{name}:{port}"
    if name not in hosts:
        raise NotConfigured(name)


class NotThere(SourcePermanent):
    """The server answers, and does not have what was asked for."""


class Refused(SourceClosed):
    """The server wants an account, or lets nobody from here in (401, 403). what: the thing asked for."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what} cannot be had: {reason}")
        self.what = what


class NotConfigured(SourceClosed):
    """Nobody has said that this host may be contacted, and it was not. what: the thing asked for, where one was."""

    def __init__(self, host: str, what: str = "") -> None:
        super().__init__(
            f"{host} is not among the hosts that may be contacted. If it is to be trusted, add it to "
            "DEMETER_STAC_HOSTS and start Demeter again."
        )
        self.host = host
        self.what = what


class Away(SourceRetryable):
    """After all tries the server is silent, cannot be reached, or has a fault of its own. what: the thing asked for."""

    def __init__(self, what: str, host: str, reason: str) -> None:
        super().__init__(reason)
        self.what = what
        self.host = host


class _ConfiguredHosts(HTTPAdapter):
    """Sends a request, also one that a redirect led to, only to a configured host."""

    def __init__(self, hosts: Collection[str]) -> None:
        self._hosts = frozenset(hosts)
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        require_configured(request.url or "", self._hosts)
        return super().send(request, *args, **kwargs)


class Web:
    """Connections to the configured hosts, kept open. Not for several threads at once."""

    def __init__(self, hosts: Collection[str], *, seconds: float) -> None:
        self.hosts = frozenset(hosts)
        self._seconds = seconds
        self._tries = TRIES
        self._deadline = 0.0
        self._beat: Callable[[], None] = lambda: None
        self._session = requests.Session()
        self._session.max_redirects = REDIRECTS
        for scheme in DEFAULT_PORTS:
            self._session.mount(f"{scheme}://", _ConfiguredHosts(hosts))

    def begin(self, beat: Callable[[], None] = lambda: None) -> None:
        """From now on there are `seconds` for all requests together, in which beat() is called often."""
        self._deadline, self._tries = time.monotonic() + self._seconds, TRIES
        self._beat = beat

    def begin_probing(self) -> None:
        """From now on there is a little time, and a second try, to see whether a server serves anything at all."""
        self._deadline, self._tries = time.monotonic() + PROBE_SECONDS, PROBE_TRIES

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def ask(
        self,
        url: str,
        what: str,
        *,
        most: int,
        only: int | None = None,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
    ) -> Answer:
        """The whole answer to a request, tried again where that may help.

        what: what messages call the thing asked for; most: bytes that it may have; only: 206 where a range is asked
        for, so that a server that would send the whole file instead is not listened to.
        Raises Away when the tries are used up, SourceRetryable when the time is, Refused, NotConfigured,
        SourcePermanent.
        """
        try:
            require_configured(url, self.hosts)
            return self._patiently(
                lambda: self._once(method, url, what, most, only, headers=headers, params=params, json=json), what, url
            )
        except NotConfigured as error:
            raise NotConfigured(error.host, what) from error

    def _patiently(self, attempt: Callable[[], T], what: str, url: str) -> T:
        longest = FIRST_WAIT
        for left in reversed(range(self._tries)):
            self._go_on(what)
            try:
                return attempt()
            except _Later as error:
                wait = max(random.uniform(0, longest), error.after)  # noqa: S311 - jitter, not a secret
                if not left or time.monotonic() + wait > self._deadline:
                    raise Away(what, urlsplit(url).netloc, str(error)) from error
                self._wait(wait, what)
                longest = min(2 * longest, LONGEST_WAIT)
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, url: str, what: str, most: int, only: int | None, **asked: Any) -> Answer:
        try:
            with self._session.request(
                method, url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS), **asked
            ) as response:
                _require_success(response, what)
                if only not in (None, response.status_code):
                    raise SourcePermanent(f"{what} cannot be read in parts: the server does not serve ranges.")
                return Answer(response.headers, self._body(response, what, most))
        except SourceError:
            raise
        except (requests.RequestException, HTTPError) as error:
            _explain(error, what)

    def _body(self, response: requests.Response, what: str, most: int) -> bytes:
        body = bytearray()
        while piece := response.raw.read1(PIECE, decode_content=True):
            body += piece
            if len(body) > most:
                raise SourcePermanent(f"{what} is answered with far more than was asked for.")
            self._go_on(what)
        return bytes(body)

    def _wait(self, seconds: float, what: str) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, BEAT_SECONDS))
            self._go_on(what)

    def _go_on(self, what: str) -> None:
        self._beat()
        if time.monotonic() > self._deadline:
            raise SourceRetryable(f"{what} took longer than the {self._seconds:g} seconds that a tile may take.")


class _Later(SourceRetryable):
    """It may work in a moment; after: seconds that the server asks to wait."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


def _require_success(response: requests.Response, what: str) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    if status >= 500 or status in MAY_PASS:
        raise _Later(f"{what} cannot be had now: the server answers {status}.", _retry_after(response))
    if status in (404, 410):
        raise NotThere(f"{what} cannot be had: the server does not have it.")
    if status in REFUSALS:
        host = urlsplit(response.url).netloc
        raise Refused(what, REFUSALS[status].format(host=host))
    reason = "it is shorter than it should be" if status == 416 else f"the server answers {status}"
    raise SourcePermanent(f"{what} cannot be had: {reason}.")


def _retry_after(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def _explain(error: Exception, what: str) -> NoReturn:
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        raise Refused(what, "this machine does not trust the server's certificate. See whose it is.") from error
    if isinstance(error, requests.Timeout):
        raise _Later(f"{what} cannot be had now: the server is silent.") from error
    if isinstance(error, requests.TooManyRedirects):
        raise SourcePermanent(f"{what} cannot be had: it is redirected again and again.") from error
    if isinstance(error, ValueError):  # what requests raises for an address that is none
        raise SourcePermanent(f"{what} cannot be had: its address is not one of http or https.") from error
    raise _Later(f"{what} cannot be had now: the connection fails.") from error
