"""A large build on SQLite while people use the pages: nobody is told that the database is locked."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.site import Site, on_postgres

from .conftest import Inputs, colours, hills, write_raster
from .test_kill import job_ended

pytestmark = [pytest.mark.slow, pytest.mark.skipif(on_postgres(), reason="about SQLite's one writer")]

SIZE = 16
DOWN, ACROSS = 50, 100
TILES = DOWN * ACROSS
MOST_REQUESTS = 400  # of one person
TOKEN = "t" * 32


@pytest.fixture
def scenery(tmp_path: Path) -> Inputs:
    folder = tmp_path / "scenery"
    write_raster(folder / "dem" / "all.tif", hills(DOWN * SIZE, ACROSS * SIZE))
    write_raster(folder / "picture.tif", colours(DOWN * SIZE, ACROSS * SIZE))
    return Inputs(folder, folder / "dem", folder / "picture.tif")


class Person:
    """Somebody at a browser: keeps what was answered, and what was confirmed."""

    def __init__(self, site: Site, role: str, over: threading.Event) -> None:
        self.role = role
        self.answers: list[tuple[str, int, str]] = []
        self.confirmed: list[str] = []
        self._over = over
        self._address = urlsplit(site.url).netloc
        session = site.shell(
            "from django.test import Client\n"
            "from portal.accounts.models import User\n"
            "client = Client()\n"
            f"person = User.objects.get(username={role!r})\n"
            "client.force_login(person, 'django.contrib.auth.backends.ModelBackend')\n"
            "print(json.dumps(client.cookies['sessionid'].value))"
        )
        self._headers = {
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
            "Content-Type": "application/json",
        }

    def is_busy(self) -> bool:
        return not self._over.is_set() and len(self.answers) < MOST_REQUESTS

    def ask(self, path: str, *, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """The status and, where it is JSON, what was answered."""
        connection = http.client.HTTPConnection(self._address, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), self._headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        self.answers.append((path, answer.status, text if answer.status >= 400 else ""))
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else None

    def tiles(self, query: str) -> list[dict[str, Any]]:
        _status, found = self.ask(f"/api/v1/areas/land/tiles/?{query}&limit=20")
        return [tile for tile in found["items"] if tile["build_state"] == "built"]


def reviews(person: Person) -> None:
    verbs = itertools.cycle([("approve", ""), ("unsure", ""), ("reject", "cloud")])
    while person.is_busy():
        for tile in person.tiles("state=pending"):
            verb, reason = next(verbs)
            body = {"client_id": str(uuid.uuid4()), "index": tile["index"], "verb": verb, "reason": reason}
            body |= {"seen": tile["layers"], "seen_version": tile["version"]}
            status, _answer = person.ask("/api/v1/areas/land/decisions/", method="POST", body=body)
            if status == 201:
                person.confirmed.append(body["client_id"])
            if not person.is_busy():
                return


def writes_captions(person: Person) -> None:
    start = 0
    while person.is_busy():
        for tile in person.tiles(f"from={start}"):
            path = f"/api/v1/areas/land/tiles/{tile['index']}/caption/"
            _status, caption = person.ask(path)
            body = {"text": f"Hills, looked at {start} times.", "client_id": str(uuid.uuid4())}
            body |= {"base_version": caption["version"]}
            status, _answer = person.ask(path, method="PUT", body=body)
            if status == 200:
                person.confirmed.append(body["client_id"])
            start = tile["index"] + 1
            if not person.is_busy():
                return


def looks_around(person: Person) -> None:
    pages = ["/", "/jobs/", "/jobs/rows/", "/areas/land/", "/areas/land/review/", "/captions/", "/api/v1/jobs/"]
    for page in itertools.cycle(pages):
        if not person.is_busy():
            return
        person.ask(page)


CONFIRMED = """
from collections import Counter
from captions.models import CaptionRevision
from tiles.models import AreaCounter, ReviewDecision, TilePair
decisions = list(map(str, ReviewDecision.objects.exclude(by=None).values_list("client_id", flat=True)))
revisions = list(map(str, CaptionRevision.objects.filter(author__isnull=False).values_list("client_id", flat=True)))
counters = {c.name: c.value for c in AreaCounter.objects.all() if c.value}
recounted = sum((tile.counted for tile in TilePair.objects.all()), Counter())
print(json.dumps([decisions, revisions, counters, recounted]))
"""


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_people_work_while_five_thousand_tiles_are_built(site: Site, scenery: Inputs, over: threading.Event) -> None:
    site.start_web()
    site.start_worker()
    given = ["--dem", scenery.dems, "--imagery", scenery.raster, "--tile-size", SIZE]
    site.manage("build_area", "land", *given, "--background")
    habits: dict[str, Callable[[Person], None]] = {
        "reviewer": reviews,
        "curator": reviews,
        "annotator": writes_captions,
        "viewer": looks_around,
    }
    people = {role: Person(site, role, over) for role in habits}
    with ThreadPoolExecutor(len(people)) as pool:
        at_work: list[Future[None]] = [pool.submit(habits[role], person) for role, person in people.items()]
        ended = job_ended(site, 600)
        over.set()
        for future in at_work:
            future.result()
    assert (ended["state"], ended["done"], ended["failed"]) == ("done", TILES, 0), ended

    answers = [answer for person in people.values() for answer in person.answers]
    assert [answer for answer in answers if answer[1] not in (200, 201, 409)] == []
    assert "database is locked" not in site.everything_said()
    decisions, revisions, counters, recounted = site.shell(CONFIRMED)
    decided = [*people["reviewer"].confirmed, *people["curator"].confirmed]
    assert len(decided) > 20
    assert sorted(decisions) == sorted(decided)
    assert len(people["annotator"].confirmed) > 10
    assert sorted(revisions) == sorted(people["annotator"].confirmed)
    assert counters == recounted
    assert counters["built"] == TILES
