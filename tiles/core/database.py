"""What the database's own failures mean."""

from __future__ import annotations

import sqlite3

from django.db import DatabaseError

from .errors import DiskFull

NOT_STORED = "The disk is full, so nothing could be stored. Tell who runs this site; try again when there is room."
# SHMSIZE: SQLite finds no room for the file that its readers and writers share, so not even reading works.
_SQLITE_CODES = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
_POSTGRES_STATE = "53100"


def disk_full(error: BaseException | None) -> DiskFull | None:
    """The failure as DiskFull, when it is the database that finds no room for its files."""
    if not isinstance(error, DatabaseError):
        return None
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        full = getattr(cause, "sqlite_errorname", "") in _SQLITE_CODES
    else:
        full = getattr(cause, "sqlstate", "") == _POSTGRES_STATE
    return DiskFull(NOT_STORED) if full else None
