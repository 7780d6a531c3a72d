"""How often one address may ask for what needs no sign-in."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

from tiles.core.errors import TooMany

WINDOW = 60
"""Seconds that are counted together."""

View = Callable[..., HttpResponseBase]


def rate_limited(view: View) -> View:
    """Let an address through DEMETER_PUBLIC_REQUESTS times a minute, over all views of this kind. Raises TooMany.

    Counted in the cache: by Redis where there is one, else by each web process on its own. 0 is no limit.
    """

    @functools.wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        most = settings.DEMETER_PUBLIC_REQUESTS
        window, into = divmod(time.time(), WINDOW)
        if most and _count(address_of(request), int(window)) > most:
            wait = WINDOW - int(into)
            raise TooMany(f"Too many requests from your address. Go on in {wait} seconds.", retry_after=wait)
        return view(request, *args, **kwargs)

    return limited


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, as the outermost of our DEMETER_PROXIES saw it; what is said before it is not
    believed."""
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    proxies = settings.DEMETER_PROXIES
    if proxies and len(forwarded) >= proxies and forwarded[-proxies]:
        return forwarded[-proxies]
    return str(request.META.get("REMOTE_ADDR", ""))


def _count(address: str, window: int) -> int:
    """How many requests there were from an address in this window, this one included."""
    key = f"public-{hashlib.sha256(address.encode()).hexdigest()[:32]}-{window}"
    cache.add(key, 0, timeout=2 * WINDOW)
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two
        return 1
