"""A reviewer's day: two people, two browsers, thousands of keys, and all that goes wrong on the way. What stands at the
end is what was pressed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import rasterio
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.browser import launch_options
from tests.support.review import ReviewPages, step_to, unsent
from tests.support.reviewer import Entry, Reviewer, stands, together
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SEED = 20
TILES, SMALL = 5_000, 200
DECISIONS = 2_000
TRACED = 12
DAY = f"""
import hashlib
import os
import numpy as np
import rasterio
from pathlib import Path
from tests.support.factories import SIZE, heights_of, lengthen, make_area, make_tile
source = Path(os.environ["DEMETER_SOURCES"]) / "day.tif"
shape = (100 * SIZE, {TILES} // 100 * SIZE)
with rasterio.open(source, "w", driver="GTiff", height=shape[0], width=shape[1], count=1, dtype="float32") as dem:
    kinds = [heights_of(index) for index in range(8)]
    dem.write(np.block([[kinds[(col * 100 + row) % 8] for col in range({TILES} // 100)] for row in range(100)]), 1)
area = make_area("day", name="The Day")
digest = hashlib.sha256(source.read_bytes()).hexdigest()
area.dem_files.update(path=str(source), name=source.name, sha256=digest, width=shape[1], height=shape[0])
for index in range(8):
    make_tile(area, index)
lengthen(area, {TILES})
"""
PAIR = f"""
from tests.support.factories import lengthen, make_area, make_tile
area = make_area("pair", policy="two")
for index in range(8):
    make_tile(area, index)
lengthen(area, {SMALL})
"""
END = """
from tests.support.factories import counters, recount
from tests.support.replay import assert_log_replays
from tiles.models import Area, ReviewDecision
area = Area.objects.get(slug={area!r})
assert_log_replays(area)
assert counters(area) == recount(area), (counters(area), recount(area))
log = ReviewDecision.objects.filter(tile__area=area).order_by("id")
tiles = area.tiles.exclude(version=0).values_list("index", "review_state", "reason", "decided_by__username")
print(json.dumps({{
    "log": [
        [entry.by.username, str(entry.action), entry.at.isoformat(),
         entry.tile.index, entry.verb, entry.reason, entry.note]
        for entry in log.select_related("by", "tile")
    ],
    "tiles": list(tiles),
}}))
"""


@pytest.fixture
def browsers() -> Iterator[list[Browser]]:
    """Two Chromiums, one a person."""
    with sync_playwright() as playwright:
        launched = [playwright.chromium.launch(**launch_options()) for _ in range(2)]  # type: ignore[arg-type]
        yield launched
        for browser in launched:
            browser.close()


@pytest.fixture
def pages(site: Site, browsers: list[Browser]) -> Iterator[Callable[..., list[ReviewPages]]]:
    """`pages("day")`: the review pages of an area, in each of the browsers."""
    opened: list[ReviewPages] = []

    def of_area(area: str) -> list[ReviewPages]:
        opened.extend(ReviewPages(site, browser, area) for browser in browsers)
        return opened[-len(browsers) :]

    yield of_area
    for each in opened:
        each.close()


def test_a_day(site: Site, pages: Callable[..., list[ReviewPages]]) -> None:
    site.shell(DAY)
    site.start_web()
    site.start_worker()
    first, second = pages("day")
    review, gallery = f"{site.url}/areas/day/review/", f"{site.url}/areas/day/gallery/"
    ann = Reviewer("reviewer", first.open("reviewer"), seed=SEED)
    page = second.open("curator")
    bob = Reviewer("curator", page, seed=SEED)
    stale = second.open("curator", query="?state=&tile=0", context=page.context)
    step_to(stale, 0)
    both = [ann, bob]
    for person in both:
        person.begin()
    together(both, 60)
    for _ in range(5):
        some_undoing(both)
        together(both, 40)
    for person in both:
        offline(person, both)
    together(both, 40)
    bulk_by_page(ann, gallery)
    ann.begin(review)
    web_dies(site, both)
    together(both, 60)
    ann.jump(2_500)
    together(both, 40)
    bulk_by_job(bob, gallery)
    bob.begin(review)
    settle_the_stale_tab(stale, bob)
    while sum(person.decisions for person in both) < DECISIONS:
        some_undoing(both)
        together(both, 40)
        offline(both[len(ann.acts) % 2], both)
    for person in both:
        person.settle()
    end = site.shell(END.format(area="day"))
    assert_log_is_what_was_pressed(end["log"], both)
    expected = stands(both)
    touched = {entry.tile for person in both for act in person.acts for entry in act}
    assert {index for index, *_ in end["tiles"]} == touched
    assert {index: tuple(rest) for index, *rest in end["tiles"] if rest[0] != "pending"} == expected
    of_both = {entry.tile for act in ann.acts for entry in act} & {entry.tile for act in bob.acts for entry in act}
    assert of_both == {1}, "no tile was decided by both but the one that was overwritten on purpose"
    archive = release(site, page, sum(state == "approved" for state, *_ in expected.values()))
    assert_release_leads_back(archive, site.sources / "day.tif", expected, end["log"])


def some_undoing(people: list[Reviewer]) -> None:
    """One after the other, so that nobody is handed what is decided anew a moment later."""
    for times, person in enumerate(people, start=1):
        person.undo(2 * times)
        together([person], 2 * times)


def offline(person: Reviewer, people: list[Reviewer]) -> None:
    """The network of one is cut; both go on, and so does undo."""
    person.settle()
    person.ready_ahead()
    person.page.context.set_offline(True)
    together(people, 6)
    person.undo(2)
    together([person], 4)
    unsent(person.page, 12)
    person.page.context.set_offline(False)
    together(people, 10)
    person.settle()


def web_dies(site: Site, people: list[Reviewer]) -> None:
    """In the middle of the sending; what is ahead is here already."""
    for person in people:
        person.ready_ahead()
    together(people, 2)
    site.kill_web()
    together(people, 6)
    site.start_web(again=True)
    for person in people:
        person.settle()


def bulk_by_page(person: Reviewer, gallery: str) -> None:
    """A page of the gallery approved, taken back, and approved again; a part of the next one rejected."""
    person.gallery(f"{gallery}?index_from=4000&index_to=4199")
    expect(person.page.locator(".cell")).to_have_count(60)
    person.bulk("approve", range(4000, 4060), "a1")
    person.page.keyboard.press("u")
    expect(person.page.get_by_role("dialog")).to_contain_text("60 tiles")
    person.bulk("undo", range(4000, 4060), ["Enter"])
    person.bulk("approve", range(4000, 4060), "a1")
    person.gallery(f"{gallery}?index_from=4060&index_to=4199")
    person.page.locator(".cell").first.focus()
    person.bulk("reject", range(4060, 4070), [" ", *["Shift+ArrowRight"] * 9, "2", "s"], reason="shadow")


def bulk_by_job(person: Reviewer, gallery: str) -> None:
    """All that match a filter, beyond the page."""
    person.gallery(f"{gallery}?index_from=4300&index_to=4499")
    for key in "m1":
        person.page.keyboard.press(key)
    expect(person.page.get_by_role("dialog")).to_contain_text("200 tiles will be approved.")
    person.bulk("approve", range(4300, 4500), ["Enter"])


def settle_the_stale_tab(page: Page, person: Reviewer) -> None:
    """A page of the same person, open since the morning: what it shows was decided by the other meanwhile."""
    person.settle()
    trouble = page.get_by_role("alert", name="Needs you")
    page.keyboard.press("1")
    step_to(page, 1)
    expect(trouble).to_contain_text("tile_0 was decided by reviewer meanwhile")
    trouble.get_by_role("button", name="Keep theirs").click()
    expect(trouble).to_be_hidden()
    page.keyboard.press("3")
    step_to(page, 2)
    expect(trouble).to_contain_text("tile_1 was decided by reviewer meanwhile")
    trouble.get_by_role("button", name="Overwrite with mine").click()
    expect(trouble).to_be_hidden()
    unsent(page, 0)
    person.acts.append([Entry(1, "unsure")])


def assert_log_is_what_was_pressed(log: list[list[Any]], people: list[Reviewer]) -> None:
    """Entry by entry and in order; entries of one action in the order of their numbers."""
    for person in people:
        acts: dict[str, list[Entry]] = {}
        for who, action, _at, *entry in log:
            if who == person.name:
                acts.setdefault(action, []).append(Entry(*entry))
        assert [sorted(act) for act in acts.values()] == person.acts
    assert {who for who, *_ in log} == {person.name for person in people}


def release(site: Site, page: Page, tiles: int) -> zipfile.ZipFile:
    """Make one of the area and download it."""
    page.goto(f"{site.url}/releases/new/?area=day")
    expect(page.locator("#preview")).to_contain_text(f"{tiles:,} tiles, about")
    page.get_by_label("Say in its manifest who reviewed").check()
    page.get_by_label("Name").focus()
    page.keyboard.type("the-day")
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_contain_text("Ready since", timeout=180_000)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    content = downloading.value.path().read_bytes()
    assert page.locator("#sha256").inner_text() == hashlib.sha256(content).hexdigest()
    return zipfile.ZipFile(io.BytesIO(content))


def assert_release_leads_back(
    archive: zipfile.ZipFile, source: Path, expected: dict[int, tuple[str, str, str]], log: list[list[Any]]
) -> None:
    """It holds what is approved and nothing else; any row leads to the pixels of the DEM, its hash, who and when."""
    manifest = next(name for name in archive.namelist() if name.endswith("manifest.jsonl"))
    rows = {row["index"]: row for row in map(json.loads, archive.read(manifest).splitlines())}
    assert set(rows) == {index for index, (state, *_) in expected.items() if state == "approved"}
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    newest = {index: (who, at) for who, _action, at, index, *_ in log}
    with rasterio.open(source) as opened:
        dem = opened.read(1)
    for index in Random(SEED).sample(sorted(rows), TRACED):
        row = rows[index]
        assert (row["dem"]["source"], row["dem"]["sha256"]) == (source.name, digest)
        window = row["dem"]["window"]
        heights = dem[window["row"] :, window["col"] :][: window["height"], : window["width"]]
        [file] = [file for file in row["files"] if file["role"] == "dem"]
        content = archive.read(manifest.replace("manifest.jsonl", file["path"]))
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        with rasterio.MemoryFile(content).open() as tile:
            np.testing.assert_array_equal(tile.read(1), heights)
        decision = row["decision"]
        who, at = newest[index]
        assert (decision["state"], decision["by"]) == ("approved", who)
        assert who == expected[index][2]
        assert decision["at"] == at
        assert decision["layers_seen"]["dem"] == file["version"]


class TestTwoMustAgree:
    """200 tiles, each seen by two; a third person settles what they do not agree about."""

    @staticmethod
    def verdict(name: str, index: int) -> tuple[str, str]:
        """What somebody thinks of a tile, whoever asks first."""
        good, bad = ("approve", ""), ("reject", "seam")
        if name == "admin":
            return good if index % 2 else bad
        return bad if index % 13 == 0 or (name == "curator" and index % 9 == 4) else good

    def test_it(self, site: Site, pages: Callable[..., list[ReviewPages]]) -> None:
        site.shell(PAIR)
        site.start_web()
        first, second = pages("pair")
        review = f"{site.url}/areas/pair/review/"
        ann = Reviewer("reviewer", first.open("reviewer"))
        ann.begin()
        self.look([ann], 60)
        bob = Reviewer("curator", second.open("curator"))
        bob.begin()
        while ann.tile or bob.tile:
            self.look([ann, bob])
            for person in (ann, bob):
                person.settle()
            for person in (ann, bob):  # what the other one had before them has come free, or waits for a second look
                person.begin(review)
        cam = Reviewer("admin", first.open("admin"))
        cam.begin()
        self.look([cam])
        cam.settle()
        end = site.shell(END.format(area="pair"))
        assert_log_is_what_was_pressed(end["log"], [ann, bob, cam])
        disputed = [i for i in range(SMALL) if self.verdict("reviewer", i) != self.verdict("curator", i)]
        assert disputed, "they disagree about some"
        assert sorted(entry.tile for [entry] in cam.acts) == disputed, "the third sees nothing else"
        for person in (ann, bob):
            assert sorted(entry.tile for [entry] in person.acts) == list(range(SMALL)), "each once"
        state = {"approve": "approved", "reject": "rejected"}
        agreed = [self.verdict("admin" if i in disputed else "reviewer", i) for i in range(SMALL)]
        found = {index: rest[:2] for index, *rest in end["tiles"]}
        assert found == {i: [state[verb], reason] for i, (verb, reason) in enumerate(agreed)}

    def look(self, people: list[Reviewer], most: int = SMALL) -> None:
        """Side by side, each until the end of the queue."""
        for _ in range(most):
            working = [person for person in people if person.tile]
            for person in working:
                person.decide(*self.verdict(person.name, int(person.tile)))
            for person in working:
                person.arrive()
