"""Expected failures: what went wrong, in one sentence for a person and one code for a program."""

from __future__ import annotations

from typing import Any


class ApplicationError(Exception):
    """An expected failure.

    `message` is a whole sentence that says what to do; `code` never changes its meaning, so that a
    client may act on it; `status` is the HTTP status; `extra` goes into a JSON answer as it is.
    """

    code = "error"
    status = 400

    def __init__(self, message: str, *, code: str = "", **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extra = extra
        if code:
            self.code = code


class BadInput(ApplicationError):
    """What was asked for makes no sense, or a file is not what it should be."""

    code = "bad_input"


class NotAllowed(ApplicationError):
    """The person lacks the permission."""

    code = "not_allowed"
    status = 403


class NotFound(ApplicationError):
    """The thing is not there, or not for this person."""

    code = "not_found"
    status = 404


class Conflict(ApplicationError):
    """The thing is in a state in which this cannot be done."""

    code = "conflict"
    status = 409


class Stale(Conflict):
    """Somebody else changed the thing since it was read; `extra["current"]` holds what stands there now."""

    code = "stale"


class Suspended(ApplicationError):
    """Nothing is wrong with the work, but it cannot go on until a person has mended something elsewhere."""

    code = "suspended"
    status = 503


class DiskFull(ApplicationError):
    """Less than DEMETER_MIN_FREE is left where the data lies."""

    code = "disk_full"
    status = 507


class Gone(ApplicationError):
    """The thing was there, and was removed for good."""

    code = "gone"
    status = 410


class TooMany(ApplicationError):
    """More requests than one address may make; `extra["retry_after"]` says after how many seconds to go on."""

    code = "too_many"
    status = 429
