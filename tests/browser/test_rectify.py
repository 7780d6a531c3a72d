"""Captions rectified by keys alone, one after the other, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.review import sign_in
from tests.support.site import Site, Template, wait_until

pytestmark = pytest.mark.browser

AREAS = ("path", "two", "stale", "lost", "hand", "drafts", "finding")
EVIL = "<img src=x onerror=\"document.title='owned'\"></textarea><script>document.title='owned'</script>"
MAKE = """
from uuid import uuid4
from captions.models import Caption, Finding, Proposal
from captions.services import caption_write_machine
from tests.support.factories import make_area, make_tile
for attempt in (1, 2):
    for name in {areas!r}:
        area = make_area(f"{{name}}-{{attempt}}")
        for index in range(30 if name == "two" else 5):
            tile = make_tile(area, index)
            caption_write_machine(tile_id=tile.pk)
            Caption.objects.filter(tile=tile).update(doubt=1 - index / 100)
        tile = area.tiles.get(index=0)
        Proposal.objects.create(
            tile=tile, area=area, captioner="model-b",
            text={evil!r} if name == "hand" else "A rival's valley.", components={{"terms": ["valley"]}},
            confidence=0.8, client_id=uuid4(),
        )
        caption = Caption.objects.get(tile=tile)
        word = caption.text.split()[1]
        Finding.objects.create(
            caption=caption, area=area, code="says_hill", words=word, start=caption.text.index(word),
            message="The heights say otherwise.", severity=1,
        )
"""
STATES = """
from captions.models import Caption
rows = Caption.objects.filter(area__slug={area!r}).order_by("tile__index")
print(json.dumps(list(map(list, rows.values_list("version", "state", "flagged", "text", "components")))))
"""
DRAFTS = """
from captions.models import CaptionDraft
print(json.dumps(CaptionDraft.objects.filter(tile__area__slug={area!r}).count()))
"""
SAVE = """
from uuid import uuid4
from captions.models import Caption
from captions.services import caption_rectify
from portal.accounts.models import User
caption = Caption.objects.get(area__slug={area!r}, tile__index={index})
caption_rectify(
    tile_id=caption.tile_id, text={text!r}, base_version=caption.version, client_id=uuid4(),
    by=User.objects.get(username="curator"),
)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("rectify"), site_template) as made:
        made.shell(MAKE.format(areas=AREAS, evil=EVIL))
        made.start_web()
        yield made


@pytest.fixture
def visit(site: Site, chromium: Browser, attempt: int) -> Iterator[Callable[..., Page]]:
    """`visit("annotator", "path")`: the rectify page of that area in a browser of that person's own."""
    contexts: list[BrowserContext] = []

    def open_page(who: str, area: str, query: str = "") -> Page:
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        contexts.append(context)
        page = context.new_page()
        sign_in(page, site, who)
        page.goto(f"{site.url}/areas/{area}-{attempt}/captions/rectify/{query}")
        expect(page.locator("#rectify")).to_have_attribute("data-started", "true")
        return page

    yield open_page
    for context in contexts:
        context.close()


def at(page: Page, index: int) -> None:
    expect(page.locator("#stage")).to_have_attribute("data-tile", str(index))


def field(page: Page) -> Any:
    return page.get_by_label("Caption", exact=True)


def part(page: Page, name: str) -> Any:
    return page.locator(f"#rectify [data-part={name}]")


def sent(page: Page) -> None:
    expect(page.locator("#rectify")).to_have_attribute("data-unsent", "0")


def states(site: Site, area: str) -> list[Any]:
    return site.shell(STATES.format(area=area))


def write(page: Page, text: str) -> None:
    page.keyboard.press("e")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def test_the_whole_path_by_keys(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    page = visit("annotator", "path")
    at(page, 0)
    expect(part(page, "findings")).to_contain_text("The heights say otherwise.")
    expect(part(page, "mirror").locator("mark.marked")).to_have_count(1)
    first = field(page).input_value()
    # The next picture is decoded, and nothing is asked of the server on the way of a key.
    expect(page.locator("#stage")).to_have_attribute("data-ahead", "1")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    page.keyboard.press("Enter")
    at(page, 1)
    expect(page.locator("#stage")).to_have_attribute("data-ready", "true")
    sent(page)
    posted = f"POST {site.url}/api/v1/areas/path-{attempt}/tiles/0/caption/readings/"
    assert [line for line in asked if "/api/" in line or "/tiles/1/" in line] == [posted]
    page.keyboard.press("u")
    at(page, 0)
    expect(part(page, "state")).to_have_text("not read")
    sent(page)

    page.keyboard.press("v")
    expect(part(page, "ghost")).to_have_text("A rival's valley.")
    page.keyboard.press("a")
    expect(field(page)).to_have_value("A rival's valley.")
    expect(part(page, "prompt")).to_contain_text("A rival's valley")
    page.keyboard.press("r")
    expect(field(page)).to_have_value(first)

    page.keyboard.press("ArrowRight")
    at(page, 1)
    page.keyboard.press("t")
    expect(page.get_by_label("Add a term")).to_be_focused()
    page.keyboard.type("Terraces")
    page.keyboard.press("Enter")
    expect(part(page, "terms")).to_contain_text("terraces")
    page.keyboard.press("Escape")
    write(page, "A valley with terraces.")
    expect(part(page, "prompt")).to_contain_text("A valley with terraces")
    expect(part(page, "ghost").locator("ins").first).to_be_visible()
    page.keyboard.press("Control+Enter")
    at(page, 2)
    page.keyboard.press("f")
    expect(part(page, "flag")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    at(page, 1)
    expect(field(page)).to_have_value("A valley with terraces.")
    expect(part(page, "state")).to_have_text("read by you")
    page.keyboard.press("h")
    expect(page.locator(".caption-history")).to_contain_text("Version 2")
    sent(page)
    found = states(site, f"path-{attempt}")
    assert [row[:3] for row in found[:3]] == [[1, "unread", False], [2, "read", False], [1, "unread", True]]
    assert found[1][3:] == [
        "A valley with terraces.",
        found[1][4] | {"terms": [*found[1][4]["terms"][:-1], "terraces"]},
    ]


@pytest.mark.slow
def test_findings_and_history_by_keys(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    """A dismissal waits for no server, and outlasts its being away; a version is restored without leaving the page."""
    site.shell(SAVE.format(area=f"finding-{attempt}", index=0, text="The picture shows the open sea."))
    page = visit("annotator", "finding", "?state=read")
    at(page, 0)
    findings = part(page, "findings").get_by_role("listitem")
    expect(findings.filter(has_text="sea").first).to_be_visible()
    before = findings.count()
    page.keyboard.press("n")
    page.context.set_offline(True)
    page.keyboard.press("d")
    expect(findings).to_have_count(before - 1)
    expect(page.locator("#rectify")).to_have_attribute("data-unsent", "1")
    page.keyboard.press("u")
    expect(findings).to_have_count(before)
    page.keyboard.press("d")
    expect(findings).to_have_count(before - 1)
    page.context.set_offline(False)
    sent(page)
    page.reload()
    at(page, 0)
    expect(findings).to_have_count(before - 1)

    expect(page.locator("#rectify")).to_have_attribute("data-started", "true")
    page.keyboard.press("h")
    expect(part(page, "history")).to_contain_text("Version 2")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Restore version 1")).to_be_focused()
    page.keyboard.press("Enter")
    expect(part(page, "history")).to_contain_text("Version 3")
    expect(field(page)).not_to_have_value("The picture shows the open sea.")
    page.keyboard.press("Escape")
    expect(part(page, "history-list")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#stage")).not_to_have_attribute("data-tile", "0")
    assert states(site, f"finding-{attempt}")[0][:2] == [3, "read"]


@pytest.mark.slow
def test_two_people_never_get_the_same(visit: Callable[..., Page]) -> None:
    mine, theirs = visit("annotator", "two"), visit("curator", "two")
    at(mine, 0)
    at(theirs, 24)
    for step in range(1, 6):
        mine.keyboard.press("Enter")
        theirs.keyboard.press("Enter")
        at(mine, step)
        at(theirs, 24 + step)
    theirs.keyboard.press("Enter")
    expect(theirs.get_by_role("heading", name="This is the end of the queue")).to_be_visible()
    expect(part(theirs, "finished-text")).to_contain_text("annotator has")


def test_a_save_over_somebody_elses_shows_both(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    page, area = visit("annotator", "stale"), f"stale-{attempt}"
    at(page, 0)
    site.shell(SAVE.format(area=area, index=0, text="Theirs."))
    write(page, "Mine.")
    page.keyboard.press("Control+Enter")
    at(page, 1)
    expect(part(page, "trouble")).to_be_visible()
    page.keyboard.press("x")
    at(page, 0)
    merge = page.get_by_role("region", name="Two versions of this caption")
    expect(merge).to_contain_text("Theirs.")
    expect(merge).to_be_focused()
    page.keyboard.press("m")
    expect(merge).to_be_hidden()
    sent(page)
    assert states(site, area)[0][:4] == [3, "read", False, "Mine."]
    # What was read meanwhile is not accepted unseen: it comes again.
    page.keyboard.press("ArrowRight")
    at(page, 1)
    site.shell(SAVE.format(area=area, index=1, text="Theirs, too."))
    page.keyboard.press("Enter")
    at(page, 2)
    expect(part(page, "notice")).to_contain_text("It comes again")
    page.keyboard.press("ArrowRight")
    at(page, 1)
    expect(field(page)).to_have_value("Theirs, too.")


def test_a_lost_session_loses_nothing(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    page, area = visit("annotator", "lost"), f"lost-{attempt}"
    at(page, 0)
    page.context.clear_cookies()
    write(page, "Written while signed out.")
    page.keyboard.press("Control+Enter")
    at(page, 1)
    page.keyboard.press("Enter")
    at(page, 2)
    expect(page.locator("#signed-out")).to_be_visible()
    assert [row[1] for row in states(site, area)[:2]] == ["unread", "unread"]
    other = page.context.new_page()
    sign_in(other, site, "annotator")
    other.close()
    sent(page)
    expect(page.locator("#signed-out")).to_be_hidden()
    found = states(site, area)
    assert found[0][:4] == [2, "read", False, "Written while signed out."]
    assert found[1][1] == "read"


@pytest.mark.slow
def test_a_prompt_by_hand_says_when_it_holds_no_more(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    page = visit("annotator", "hand")
    at(page, 0)
    # What a model said is text, as a ghost, as a draft with its diff, and in the prompt.
    page.keyboard.press("v")
    expect(part(page, "ghost")).to_have_text(EVIL)
    page.keyboard.press("a")
    expect(field(page)).to_have_value(EVIL)
    expect(part(page, "prompt")).to_contain_text("<img src=x")
    assert page.title() != "owned"
    expect(page.locator("img[src=x]")).to_have_count(0)
    page.keyboard.press("r")
    expect(field(page)).not_to_have_value(EVIL)
    page.route("**/preview/", lambda route: route.abort())  # it opens at once, and asks nobody
    page.keyboard.press("b")
    prompt = page.get_by_label("The whole prompt, by hand")
    expect(prompt).to_be_focused()
    page.unroute("**/preview/")
    page.keyboard.press("Control+a")
    page.keyboard.type("Wholly mine.")
    page.keyboard.press("Escape")
    expect(part(page, "prompt")).to_have_text("Wholly mine.")
    expect(part(page, "prompt-says")).to_contain_text("Written by hand")
    page.keyboard.press("c")
    page.keyboard.type("Quarry")
    page.keyboard.press("Enter")
    expect(part(page, "prompt-says")).to_contain_text("Written by hand")
    write(page, "A quarry.")
    expect(part(page, "prompt-says")).to_contain_text("holds no more")
    expect(part(page, "prompt")).not_to_have_text("Wholly mine.")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(part(page, "prompt-says")).to_be_empty()
    expect(part(page, "prompt")).to_contain_text("A quarry")


@pytest.mark.slow
def test_a_draft_is_on_the_server_too(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    page = visit("annotator", "drafts")
    at(page, 0)
    with page.expect_response(lambda answer: answer.url.endswith("/draft/") and answer.ok):
        write(page, "Half a")
    elsewhere = visit("annotator", "drafts")
    expect(field(elsewhere)).to_have_value("Half a")
    elsewhere.keyboard.press("e")
    elsewhere.keyboard.type(" caption.")
    elsewhere.keyboard.press("Control+Enter")
    at(elsewhere, 1)
    sent(elsewhere)
    wait_until(lambda: site.shell(DRAFTS.format(area=f"drafts-{attempt}")) == 0, 60, "the draft to be forgotten")
