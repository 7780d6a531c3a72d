"""What can go wrong with a request to Earth Engine, and what to do about it."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any, NamedTuple

import ee
from google.auth import exceptions as auth
from googleapiclient.errors import HttpError

from .ee_answer import BrokenAnswer, WrongAnswer


class Remedy(Enum):
    RETRY = "retry"
    SPLIT = "split"
    NOTHING_THERE = "nothing there"
    GIVE_UP = "give up"
    # It is the same for every tile, until somebody mends it; the other is a quota that may come back by itself.
    CLOSED = "closed"
    WAIT = "wait"


class Fault(NamedTuple):
    """sentence: for a person. after: seconds that the server asked to wait, if it did."""

    remedy: Remedy
    sentence: str
    after: float = 0.0


BUSY_STATUS = frozenset((408, 429, 500, 502, 503, 504))
_RATE_REASONS = frozenset(("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"))
_TOO_LARGE = re.compile(r"memory limit exceeded|request size .* must be less|computation timed out", re.I)
_NO_SCENE = re.compile(r"available bands: \[\]|did not match any bands\. available bands: $|empty collection", re.I)
_API_OFF = re.compile(r"has not been used in project|SERVICE_DISABLED|api .*disabled", re.I)
_NOT_REGISTERED = re.compile(r"not registered", re.I)
_RATE_TEXT = re.compile(r"too many concurrent|rate limit|quota exceeded for", re.I)


def fault_of(error: BaseException) -> Fault:
    """The fault behind whatever the client raised."""
    if isinstance(error, BrokenAnswer):
        return Fault(Remedy.RETRY, str(error))
    if isinstance(error, WrongAnswer):
        return Fault(Remedy.GIVE_UP, str(error))
    if isinstance(error, (auth.TransportError, ConnectionError)):
        return Fault(
            Remedy.RETRY,
            "The connection to Earth Engine failed or was cut. Check the network, a firewall, and EARTHENGINE_URL.",
        )
    if isinstance(error, auth.GoogleAuthError):
        return _of_sign_in(error)
    if isinstance(error, TimeoutError):
        return Fault(Remedy.RETRY, "Earth Engine did not answer in time. It may be busy: try again later.")
    http = error if isinstance(error, HttpError) else error.__context__
    if isinstance(http, HttpError):
        return _of_status(http)
    if isinstance(error, (ee.EEException, ValueError)):
        return Fault(Remedy.GIVE_UP, f"Earth Engine's client refuses the request: {_line(str(error))}")
    if isinstance(error, OSError):
        return Fault(Remedy.RETRY, f"The connection to Earth Engine failed: {_line(str(error))}")
    raise error


def _of_sign_in(error: auth.GoogleAuthError) -> Fault:
    if getattr(error, "retryable", False):
        return Fault(Remedy.RETRY, "Google's sign-in does not answer now. Try again later.")
    return Fault(
        Remedy.CLOSED,
        "Google does not accept the credentials of EARTHENGINE_CREDENTIALS: "
        f"{_line(str(error.args[0]) if error.args else type(error).__name__)}",
    )


def _of_status(error: HttpError) -> Fault:
    status = int(error.resp.status)
    message, reasons = _told(error)
    if status in BUSY_STATUS or (status == 403 and (reasons & _RATE_REASONS or _RATE_TEXT.search(message))):
        if _TOO_LARGE.search(message):
            return Fault(Remedy.SPLIT, f"Earth Engine cannot compute so much at once: {message}")
        remedy = Remedy.WAIT if status in (403, 429) else Remedy.RETRY
        return Fault(remedy, _busy(status, message), _seconds(error.resp.get("retry-after")))
    if status == 400:
        return _of_request(message)
    if status == 401:
        return Fault(
            Remedy.CLOSED, "Earth Engine does not accept the credentials (401). Check EARTHENGINE_CREDENTIALS."
        )
    if status == 403:
        return Fault(Remedy.CLOSED, _not_allowed(message))
    if status == 404:
        return Fault(Remedy.GIVE_UP, f"Earth Engine does not find it, or nothing is at EARTHENGINE_URL: {message}")
    return Fault(Remedy.GIVE_UP, f"Earth Engine answered {status}: {message}")


def _of_request(message: str) -> Fault:
    if _TOO_LARGE.search(message):
        return Fault(Remedy.SPLIT, f"Earth Engine cannot compute so much at once: {message}")
    if _NO_SCENE.search(message):
        return Fault(Remedy.NOTHING_THERE, "Earth Engine has no scene for this tile.")
    return Fault(Remedy.GIVE_UP, f"Earth Engine refuses the request: {message}")


def _busy(status: int, message: str) -> str:
    if status in (403, 429):
        return f"Earth Engine's limit of requests is reached ({status}): {message}"
    return f"Earth Engine has a fault of its own ({status}): {message}"


def _not_allowed(message: str) -> str:
    if _API_OFF.search(message):
        return f"The Earth Engine API is off in this project. Enable it in the Google Cloud console. ({message})"
    if _NOT_REGISTERED.search(message):
        return f"The project is not registered for Earth Engine. Register it, or set EARTHENGINE_PROJECT. ({message})"
    return f"The account may not do this in this project (403). Check its roles and EARTHENGINE_PROJECT. ({message})"


def _told(error: HttpError) -> tuple[str, set[str]]:
    """The server's own message, on one line, and its machine-readable reasons."""
    try:
        told: Any = json.loads(error.content)["error"]
        details = [*told.get("errors", []), *told.get("details", [])]
        reasons = {str(detail.get("reason", "")) for detail in details if isinstance(detail, dict)}
        return _line(" ".join([str(told["message"]), *sorted(reasons & {"SERVICE_DISABLED"})])), reasons
    except (ValueError, KeyError, TypeError, AttributeError):
        return _line(str(error.reason or "no reason given")), set()


def _line(text: str) -> str:
    """As one sentence of one line."""
    return (" ".join(text.split())[:300].rstrip(".") or "no reason given") + "."


def _seconds(text: str | None) -> float:
    """Of a Retry-After header; a date in it is not understood, and the wait is then our own."""
    return float(text) if text and text.isdecimal() else 0.0
