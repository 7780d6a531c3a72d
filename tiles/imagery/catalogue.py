"""Searching a STAC API with pystac-client, whose every request goes through `Web`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from pystac.errors import STACError, STACTypeError
from pystac.link import Link
from pystac_client import Client
from pystac_client.conformance import ConformanceClasses
from pystac_client.errors import ClientTypeError
from pystac_client.exceptions import APIError, ParametersError
from pystac_client.stac_api_io import StacApiIO
from pystac_client.warnings import DoesNotConformTo

from .base import SourceError, SourcePermanent
from .web import NotThere, Web

PAGE_ITEMS = 100
MOST_ITEMS = 2000
MOST_BYTES = 32 * 2**20
NAME = "The catalogue"

_BROKEN = (
    *(APIError, ClientTypeError, DoesNotConformTo, ParametersError, STACError, STACTypeError, NotImplementedError),
    *(ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError),
)


class NoCollection(SourcePermanent):
    """The catalogue has no collection of this name."""


class Catalogue:
    """A STAC API at an address."""

    def __init__(self, url: str, web: Web) -> None:
        self._url = url
        self._io = _GuardedIO(web)
        self._client: Client | None = None

    def bounds(self, collection: str) -> list[list[float]]:
        """The boxes of west, south, east, north that a collection says it covers; the first is the whole.

        Raises SourceError, also when there is no such collection.
        """
        with _understood():
            found = self._opened().get_collection(collection)
            if found is None or found.id != collection:
                raise NoCollection(f"{NAME} has no collection {collection}. Name another one.")
            boxes = [[float(number) for number in box] for box in found.extent.spatial.bboxes]
            return [box if len(box) == 4 else [box[0], box[1], box[3], box[4]] for box in boxes]

    def search(
        self, *, collection: str, box: Sequence[float], start: str, end: str, cloud_limit: float
    ) -> list[dict[str, Any]]:
        """The items that touch a box of west, south, east, north in the days from start to end, as they come.

        The limit of cloud is passed on where the API can compare; whoever calls compares again. Raises SourceError.
        """
        with _understood():
            client = self._opened()
            query = {"eo:cloud_cover": {"lte": cloud_limit}} if client.conforms_to(ConformanceClasses.QUERY) else None
            found = client.search(
                collections=[collection],
                bbox=list(box),
                datetime=f"{start}/{end}",
                query=query,
                limit=PAGE_ITEMS,
                max_items=MOST_ITEMS + 1,
            )
            items = list(found.items_as_dicts())
        if len(items) > MOST_ITEMS:
            raise SourcePermanent(f"{NAME} has more than {MOST_ITEMS:,} scenes of a tile. Choose fewer days.")
        return items

    def answers(self, *, collection: str, start: str, end: str) -> bool:
        """Whether it answers a search for any one item of a collection, wherever that lies."""
        try:
            with _understood():
                search = self._opened().search(
                    collections=[collection], datetime=f"{start}/{end}", limit=1, max_items=1
                )
                next(search.items_as_dicts(), None)
        except SourceError:
            return False
        return True

    def _opened(self) -> Client:
        if self._client is None:
            self._client = Client.open(self._url, stac_io=self._io)
        return self._client


class _GuardedIO(StacApiIO):
    """pystac-client's way to the network, led through `Web`, and no way at all to files of this machine."""

    def __init__(self, web: Web) -> None:
        super().__init__(max_retries=None)
        self._web = web

    def read_text(self, source: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(source, Link) and urlsplit(str(source)).scheme not in ("http", "https"):
            raise SourcePermanent(f"{NAME} refers to something that is not on the web.")
        return super().read_text(source, *args, **kwargs)

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> str:
        verb = (method or "GET").upper()
        if verb not in ("GET", "POST"):
            raise SourcePermanent(f"{NAME} wants to be searched by {verb}, which is not done.")
        sent: Mapping[str, Any] = {"json": parameters} if verb == "POST" else {"params": parameters}
        try:
            return self._web.ask(href, NAME, most=MOST_BYTES, method=verb, headers=headers, **sent).body.decode()
        except NotThere as error:
            absent = APIError(str(error))
            absent.status_code = 404
            raise absent from error


@contextmanager
def _understood() -> Iterator[None]:
    """Whatever is wrong with an answer becomes SourcePermanent; advice to programmers is not shown to people."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except SourceError:
        raise
    except _BROKEN as error:
        raise SourcePermanent(f"{NAME} does not answer as a STAC API that can be searched does.") from error
