"""The vision-language models that this site may ask: named, configured, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from tiles.core.errors import BadInput

RESERVED = ("rules", "import", "blip", "person")
SMALLEST, LARGEST = 64, 4096
_NAME = re.compile(r"[a-z][a-z0-9-]{0,22}")


@dataclass(frozen=True)
class Endpoint:
    """One model behind an OpenAI-compatible interface.

    urls: bases such as http://127.0.0.1:8000/v1, asked in turn. concurrent: requests at once; requests, tokens: the
    most a minute, 0 for no limit; all of these over all workers. seconds: how long one request may take. picture:
    pixels of the longer side. longest: tokens of an answer. prices: money for a million tokens asked, and answered.
    """

    name: str
    urls: tuple[str, ...]
    model: str
    key: str = field(default="", repr=False)
    concurrent: int = 4
    requests: int = 0
    tokens: int = 0
    seconds: float = 120.0
    picture: int = 512
    depth: bool = False
    longest: int = 500
    prices: tuple[float, float] = (0.0, 0.0)

    @property
    def hosts(self) -> str:
        """Who is asked, for people: never the key."""
        return ", ".join(dict.fromkeys(urlsplit(url).netloc for url in self.urls))


def endpoint_names() -> list[str]:
    """What is configured, whether it can be used or not."""
    return list(settings.CAPTION_ENDPOINTS)


def endpoint_of(name: str) -> Endpoint:
    """A configured endpoint. Raises BadInput for one that is not there, or whose settings make no sense."""
    given = settings.CAPTION_ENDPOINTS.get(name)
    if given is None:
        raise BadInput(f"There is no captioner {name[:40]!r}. Name it in CAPTION_ENDPOINTS, or choose another one.")
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise BadInput(f"An endpoint cannot be called {name[:40]!r}: use up to 23 of a-z, 0-9 and -, and another word.")
    _check(name, given)
    urls = tuple(url.strip().rstrip("/") for url in given["urls"])
    return Endpoint(name=name, **{**given, "urls": urls, "prices": tuple(given["prices"])})


def _check(name: str, given: Mapping[str, Any]) -> None:
    at = f"CAPTION_{name.upper().replace('-', '_')}_"
    if not given["urls"] or not all(_is_base(url.strip()) for url in given["urls"]):
        raise BadInput(f"Set {at}URL to the model's base address, as in http://127.0.0.1:8000/v1, without a password.")
    if not given["model"]:
        raise BadInput(f"Set {at}MODEL to the name under which the endpoint knows its model.")
    if not given["key"].isascii() or any(character.isspace() for character in given["key"]):
        raise BadInput(f"What {at}KEY is set to is no key: it holds a space or a character that is not ASCII.")
    limits = {
        "CONCURRENT": 1 <= given["concurrent"] <= 256,
        "REQUESTS_A_MINUTE": given["requests"] >= 0,
        "TOKENS_A_MINUTE": given["tokens"] >= 0,
        "SECONDS": 0 < given["seconds"] <= 1800,
        "PICTURE": SMALLEST <= given["picture"] <= LARGEST,
        "LONGEST": 16 <= given["longest"] <= 4000,
        "PRICE_IN or _OUT": all(price >= 0 for price in given["prices"]),
    }
    for wrong in [label for label, right in limits.items() if not right]:
        raise BadInput(f"What {at}{wrong} is set to makes no sense. docs/captions.md lists what may be set.")


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    plain = parts.username is None and parts.password is None and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and named and plain and "\\" not in url
