"""The one connection to Earth Engine that a process has: made late, once, and again after a fork.

The client keeps its project, address and credentials in globals of the process, so that there is one of each. It is
initialised when the first tile needs it, which in a worker is after the fork.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import ee
import google.auth
from django.conf import settings
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.oauth2 import service_account

from tiles.raster.grid import Grid

from .base import SourceClosed, SourceRetryable
from .ee_account import Account
from .ee_faults import Remedy, fault_of
from .ee_patience import PATIENT, Patience
from .ee_transport import Transport

SCOPES = ("https://www.googleapis.com/auth/earthengine", "https://www.googleapis.com/auth/cloud-platform")

# Two of discovery, one of the algorithms, one of a token.
SIGN_IN_REQUESTS = 4

Beat = Callable[[], None]
T = TypeVar("T")


@dataclass
class _Connection:
    key: tuple[int, Account, Patience] | None = None


_connection = _Connection()
_connecting = threading.Lock()


def connect(patience: Patience = PATIENT, beat: Beat = lambda: None) -> Account:
    """See that this process is connected as the settings say; beat() is called while that takes time.

    Tried again after faults that may pass. Raises SourceClosed.
    """
    account = Account.of_settings()
    tries = 1
    while _connection.key != (os.getpid(), account, patience):
        try:
            in_thread(lambda: _initialise(account, patience), SIGN_IN_REQUESTS * patience.request, beat)
        except SourceRetryable as error:
            again = time.monotonic() + patience.pause(tries)
            if tries >= patience.tries:
                raise SourceClosed(str(error)) from error
            while time.monotonic() < again:
                beat()
                time.sleep(0.05)
        tries += 1
    return account


def disconnect() -> None:
    """Sign in anew when the next tile is asked for: what was refused may be mended by then."""
    _connection.key = None


def ask(image: Any, grid: Grid, bands: Sequence[str]) -> object:
    """What Earth Engine answers to an expression on this grid: bytes for `decode`, if all is well.

    Safe in threads. It waits at the gate that `ee_transport.through` sets up. Raises what `fault_of` understands.
    """
    return ee.data.computePixels(
        {"expression": image, "fileFormat": "GEO_TIFF", "bandIds": list(bands), "grid": _pixel_grid(grid)}
    )


def in_thread(work: Callable[[], T], seconds: float, beat: Beat) -> T:
    """Do something that may hang in another thread, so that the lease lives, and stop waiting after `seconds`."""
    box: list[T | BaseException] = []

    def run() -> None:
        try:
            box.append(work())
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    waited = 0.0
    while thread.is_alive() and waited < seconds:
        beat()
        thread.join(0.1)
        waited += 0.1
    if not box:
        raise SourceRetryable("Earth Engine did not answer in time. It may be busy: try again later.")
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]


def _initialise(account: Account, patience: Patience) -> None:
    with _connecting:
        key = (os.getpid(), account, patience)
        if _connection.key == key:
            return
        credentials = credentials_of(account.credentials)
        _connection.key = None
        try:
            ee.Reset()
            # Retries are our own: the client's sleep for a minute and do not hear Retry-After.
            ee.data.setMaxRetries(0)
            # It would fetch a catalogue of old assets from another host, and wait for that without end.
            ee.deprecation.deprecated_assets = {"": ee.deprecation.DeprecatedAsset("", None, None, None)}
            transport = Transport(patience, settings.EARTHENGINE_MAX_CONCURRENT)
            ee.Initialize(credentials, url=account.url, project=account.project, http_transport=transport)
        except Exception as error:
            fault = fault_of(error)
            kind = SourceRetryable if fault.remedy in (Remedy.RETRY, Remedy.WAIT) else SourceClosed
            raise kind(fault.sentence) from error
        _connection.key = key


def credentials_of(setting: str) -> Any:
    """What EARTHENGINE_CREDENTIALS names. Raises SourceClosed."""
    if setting == "anonymous":
        return AnonymousCredentials()
    if setting == "default":
        try:
            return google.auth.default(scopes=SCOPES)[0]
        except DefaultCredentialsError as error:
            raise SourceClosed(
                "EARTHENGINE_CREDENTIALS is default, and this machine has no default credentials. Run "
                "`gcloud auth application-default login`, or name a service account's file."
            ) from error
    path = Path(setting).expanduser()
    try:
        known = json.loads(path.read_text())
        return service_account.Credentials.from_service_account_info(known, scopes=SCOPES)
    except OSError as error:
        raise SourceClosed(
            f"The file of EARTHENGINE_CREDENTIALS, {path.name}, cannot be read: {error.strerror or error}."
        ) from error
    except (ValueError, KeyError) as error:
        raise SourceClosed(
            f"The file of EARTHENGINE_CREDENTIALS, {path.name}, is not the key file of a service account."
        ) from error


def _pixel_grid(grid: Grid) -> dict[str, Any]:
    """A grid in Earth Engine's words: plain numbers, for its client knows no others."""
    a, b, c, d, e, f = (float(number) for number in grid.affine)
    crs = {"crsCode": grid.crs} if grid.crs.startswith("EPSG:") else {"crsWkt": grid.crs}
    return {
        **crs,
        "dimensions": {"width": int(grid.width), "height": int(grid.height)},
        "affineTransform": {"scaleX": a, "shearX": b, "translateX": c, "shearY": d, "scaleY": e, "translateY": f},
    }
