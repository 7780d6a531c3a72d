"""Two people in one area, each in a browser of their own, with real keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.review import decisions, settled, stage, states, step_to
from tests.support.site import Site, wait_until

pytestmark = pytest.mark.browser

POLICY = """
from tiles.models import Area
Area.objects.filter(slug={area!r}).update(policy="two")
"""


def holders(page: Page) -> set[str]:
    """Who has tiles of this page's area before them, and whoever asks."""
    address = page.evaluate("JSON.parse(document.getElementById('review-page').textContent).urls.claims")
    answer = page.request.get(f"{page.url.split('/areas/')[0]}{address}")
    return {"curator", *(item["by"] for item in answer.json()["items"])}


def test_no_tile_is_decided_by_both_and_who_leaves_gives_theirs_back(
    review: Callable[..., Page], review_site: Site
) -> None:
    mine, theirs = review("reviewer"), review("curator")
    step_to(theirs, 24)  # the first page of the queue is before the other
    for step in range(5):
        mine.keyboard.press("1")
        theirs.keyboard.press("1")
        step_to(mine, step + 1)
        step_to(theirs, step + 25)
    settled(mine)
    theirs.keyboard.press("1")
    expect(theirs.get_by_role("heading", name="This is the end of the queue")).to_be_visible()
    expect(theirs.locator("[data-part=finished-text]")).to_contain_text("reviewer has 19 tiles on the screen or next")
    decided = decisions(mine)
    mine.goto(f"{review_site.url}/help/")
    wait_until(lambda: holders(theirs) == {"curator"}, 60, "what was left to come free")
    theirs.get_by_role("button", name="Go to the first").click()
    for index in range(5, 19):
        step_to(theirs, index)
        theirs.keyboard.press("1")
    step_to(theirs, 19)
    settled(theirs)
    assert [entry[:2] for entry in decided] == [(index, "approve") for index in range(5)]
    assert [entry[0] for entry in decisions(theirs)] == [*range(24, 30), *range(5, 19)]
    assert states(theirs) == [*["approved"] * 19, *["pending"] * 5, *["approved"] * 6]


def test_two_must_agree(review: Callable[..., Page], review_site: Site, review_area: str) -> None:
    review_site.shell(POLICY.format(area=review_area))
    mine = review("reviewer")
    expect(mine.get_by_label("State")).to_have_value("queue")
    mine.keyboard.press("1")
    step_to(mine, 1)
    expect(mine.locator("[data-part=left]")).to_have_text("30")
    mine.keyboard.press("2")
    mine.keyboard.press("c")
    step_to(mine, 2)
    settled(mine)
    mine.keyboard.press("ArrowLeft")
    step_to(mine, 1)
    expect(mine.locator("[data-part=state]")).to_have_text("waiting for a second look")
    theirs = review("curator")
    step_to(theirs, 0)
    expect(theirs.locator("[data-part=state]")).to_have_text("waiting for a second look")
    theirs.keyboard.press("1")
    step_to(theirs, 1)
    theirs.keyboard.press("1")
    step_to(theirs, 24)
    settled(theirs)
    expect(theirs.locator("[data-part=left]")).to_have_text("29")
    assert states(theirs)[:3] == ["approved", "disputed", "pending"]
    theirs.keyboard.press("u")
    step_to(theirs, 1)
    expect(theirs.locator("[data-part=state]")).to_have_text("waiting for a second look")
    theirs.keyboard.press("2")
    theirs.keyboard.press("s")
    expect(stage(theirs)).to_have_attribute("data-tile", "24")
    settled(theirs)
    assert states(theirs)[:2] == ["approved", "rejected"]


def test_what_is_undone_is_claimed_at_once(review: Callable[..., Page]) -> None:
    """And by no later renewal: the next one who asks gets other tiles."""
    mine = review("reviewer")
    mine.keyboard.press("1")
    step_to(mine, 1)
    settled(mine)
    with mine.expect_response(lambda answer: answer.request.method == "PUT") as renewed:
        mine.keyboard.press("u")
        step_to(mine, 0)
        settled(mine)
    assert renewed.value.json()["lost"] == []
    theirs = review("curator")
    step_to(theirs, 24)


def test_what_is_jumped_to_is_claimed_at_once(review: Callable[..., Page]) -> None:
    mine, theirs = review("reviewer"), review("curator", query="?state=&tile=29")
    step_to(theirs, 29)
    expect(theirs.locator("[data-part=claim]")).to_be_empty()
    with mine.expect_response(lambda answer: answer.request.method == "PUT"):
        jump(mine, 27)
    jump(theirs, 27)
    expect(theirs.locator("[data-part=claim]")).to_contain_text("reviewer is looking at it, until ")
    step_to(review("curator"), 0)  # what was before the one who jumped has come free


def jump(page: Page, index: int) -> None:
    page.keyboard.press("g")
    page.keyboard.type(str(index))
    page.keyboard.press("Enter")
    step_to(page, index)


def test_a_renewal_keeps_what_is_decided_and_not_sent(review: Callable[..., Page]) -> None:
    """Else somebody else would be handed it, and decide about it before the server hears of the first decision."""
    page = review("reviewer")
    page.route("**/decisions/", lambda route: route.fulfill(status=503, json={"code": "error", "message": "Busy."}))
    for step in range(3):
        page.keyboard.press("1")
        step_to(page, step + 1)
    with page.expect_request(lambda request: request.method == "PUT") as renewed:
        page.evaluate("dispatchEvent(new Event('online'))")
    asked = renewed.value.post_data_json
    assert asked
    assert asked["tiles"] == list(range(24))


def test_a_renewal_does_not_give_back_what_is_being_handed_out(review: Callable[..., Page]) -> None:
    page = review("reviewer")
    late: list[Route] = []
    page.route("**/queue/?*", lambda route: late.append(route))
    for step in range(7):
        page.keyboard.press("1")
        step_to(page, step + 1)
    with page.expect_request("**/queue/?*"):
        page.keyboard.press("1")
    step_to(page, 8)
    settled(page)
    with page.expect_request(lambda request: request.method == "PUT") as renewed:
        page.evaluate("dispatchEvent(new Event('online'))")
        late[0].continue_()
    asked = renewed.value.post_data_json
    assert asked
    assert asked["tiles"] == list(range(8, 30))
