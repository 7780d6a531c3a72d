"""One request to a `/chat/completions`, and every way in which it may go wrong.

What a server sends is read piece by piece, up to a size and a time. Redirects are not followed: the key and the
pictures go to the host that was configured and to nobody else. Neither the key nor an answer's body is ever logged.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import requests
from django.utils import timezone
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from .base import CaptionerClosed
from .openai_answer import storable

CONNECT_SECONDS = 10.0
MOST_BYTES = 2**20
PIECE = 2**14
MAY_PASS = (408, 409, 425, 429)
LONGEST_ASKED_WAIT = 300.0


class Later(Exception):
    """It may work in a moment. code: as failures are grouped, should it not; after: seconds the server asks to wait.

    busy: the server turns away what is more than it can do, which is no fault of the request.
    """

    def __init__(self, code: str, message: str, *, after: float = 0.0, busy: bool = False, away: bool = False) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.after, self.busy, self.away = after, busy, away


class Declined(Exception):
    """This request will never succeed; another tile's may."""

    def __init__(self, code: str, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Completion:
    """What the model said. finish: why it ended; refusal: set where the model says that it will not."""

    text: str
    refusal: str
    finish: str
    asked: int
    answered: int
    model: str


class _Key(requests.auth.AuthBase):
    """The key as a bearer token. Set as `auth`, so that no .netrc is looked into for another one."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Wire:
    """Connections to an endpoint, kept open. Safe in threads."""

    def __init__(self, *, name: str, key: str, seconds: float, connections: int) -> None:
        self._name, self._seconds = name, seconds
        self._auth = _Key(key)
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=connections))

    def close(self) -> None:
        self._session.close()

    def complete(self, url: str, question: dict[str, Any]) -> Completion:
        """Ask once. Raises Later, Declined, CaptionerClosed."""
        deadline = time.monotonic() + self._seconds
        try:
            with self._session.post(
                f"{url}/chat/completions",
                json=question,
                auth=self._auth,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                timeout=(min(CONNECT_SECONDS, self._seconds), self._seconds),
                stream=True,
                allow_redirects=False,
            ) as response:
                body = _body(response, deadline)
                self._require_success(response, body)
        except (requests.RequestException, HTTPError) as error:
            self._explain(error)
        return _completion(body)

    def _require_success(self, response: requests.Response, body: bytes) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise CaptionerClosed(
                f"The endpoint {self._name} sends requests on to another address, which is not followed. "
                "Set its URL to where it really is."
            )
        if status in (401, 403):
            raise CaptionerClosed(f"The endpoint {self._name} refuses the key ({status}). Set the right one.")
        if status == 402 or "insufficient_quota" in body[:4000].decode("utf-8", "replace"):
            raise CaptionerClosed(f"The endpoint {self._name} wants to be paid before it goes on. See to the account.")
        if status in (404, 405, 410):
            raise CaptionerClosed(
                f"The endpoint {self._name} knows no such address or model ({status}). Check its URL and MODEL."
            )
        if status == 429:
            message = f"The endpoint {self._name} turns requests away: there are too many (429)."
            raise Later("too_many_requests", message, after=_retry_after(response), busy=True)
        if status >= 500 or status in MAY_PASS:
            message = f"The endpoint {self._name} fails ({status})."
            raise Later("endpoint_fails", message, after=_retry_after(response))
        raise Declined("request_declined", f"The endpoint {self._name} declines the request ({status}).", status=status)

    def _explain(self, error: Exception) -> NoReturn:
        if isinstance(error, requests.exceptions.SSLError):
            raise CaptionerClosed(f"The certificate of the endpoint {self._name} is not trusted.") from error
        if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
            raise Later("endpoint_away", f"The endpoint {self._name} cannot be reached.", away=True) from error
        if isinstance(error, requests.Timeout):
            raise Later("timed_out", f"The endpoint {self._name} took longer than {self._seconds:g} s.") from error
        if isinstance(error, HTTPError | requests.exceptions.ChunkedEncodingError):
            raise Later("cut_off", f"The endpoint {self._name} broke off in the middle of its answer.") from error
        raise Later("endpoint_away", f"The endpoint {self._name} cannot be reached.", away=True) from error


def _body(response: requests.Response, deadline: float) -> bytes:
    """The body, of at most MOST_BYTES. Raises Later when it comes in too slowly, Declined when it is longer."""
    body = bytearray()
    while piece := response.raw.read1(PIECE, decode_content=True):
        body += piece
        if len(body) > MOST_BYTES:
            raise Declined("answer_too_large", f"The answer is longer than {MOST_BYTES:,} bytes, and was not read on.")
        if time.monotonic() > deadline:
            raise Later("timed_out", "The answer came in too slowly.")
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and len(body) < int(announced):
        raise Later("cut_off", "The answer ended before it was complete.")
    return bytes(body)


def _retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to wait, said as seconds or as a date; within reason."""
    text = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() else _until(text)
    except (TypeError, ValueError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_ASKED_WAIT)


def _until(text: str) -> float:
    when = parsedate_to_datetime(text)
    return (when - timezone.now()).total_seconds() if when.tzinfo else 0.0


def _completion(body: bytes) -> Completion:
    """What a body in the shape of a chat completion says. Raises Later for what is none: most often a proxy's page."""
    try:
        said = json.loads(body)
        choice = said["choices"][0]
        message = choice["message"]
        content = message.get("content")
        text = content if isinstance(content, str) else _joined(content)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise Later("not_a_completion", "The endpoint answers something else than a chat completion.") from error
    usage = said.get("usage") if isinstance(said.get("usage"), dict) else {}
    return Completion(
        text=text,
        refusal=str(message.get("refusal") or ""),
        finish=str(choice.get("finish_reason") or ""),
        asked=_count(usage.get("prompt_tokens")),
        answered=_count(usage.get("completion_tokens")),
        model=storable(str(said.get("model") or ""), 200),
    )


def _joined(content: Any) -> str:
    """Content that comes in parts, as some servers send it."""
    if content is None:
        return ""
    return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))


def _count(value: Any) -> int:
    return min(value, 10**9) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
