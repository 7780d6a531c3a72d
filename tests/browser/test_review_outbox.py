"""No decision is lost and none counts twice: offline, through failures of the server, reloads, sign-outs, other
people and other tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.factories import colours_of
from tests.support.review import TILES, decisions, settled, sign_in, stage, states, step_to, unsent
from tests.support.site import Site

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
DECISIONS = "**/api/v1/areas/*/decisions/"


def decide(page: Page, keys: str, first: int = 0) -> None:
    """One verdict a tile, from `first` on."""
    for index, key in enumerate(keys, start=first):
        step_to(page, index)
        page.keyboard.press(key)
    step_to(page, first + len(keys))


def status(page: Page) -> Any:
    return page.locator("[data-part=status]")


def trouble(page: Page) -> Any:
    return page.get_by_role("alert", name="Needs you")


def all_the_same(page: Page) -> None:
    """Decide on purpose about a tile that stands before somebody else."""
    expect(trouble(page)).to_contain_text("tile_0 is before reviewer just now")
    trouble(page).get_by_role("button", name="Decide all the same").click()
    expect(trouble(page)).to_be_hidden()
    settled(page)


STORAGE = """
(() => {
    const { transaction } = IDBDatabase.prototype;
    const { put } = IDBObjectStore.prototype;
    const storage = (window.storage = { failing: false, held: false });
    storage.hold = async () => {
        const opened = indexedDB.open("demeter");
        await new Promise((resolve) => { opened.onsuccess = resolve; });
        const objects = transaction.call(opened.result, "outbox", "readwrite").objectStore("outbox");
        storage.held = true;
        await new Promise((resolve) => {
            const again = () => {
                resolve();
                if (storage.held) objects.get("nothing").onsuccess = again;
            };
            again();
        });
    };
    IDBObjectStore.prototype.put = function (...given) {
        const request = put.apply(this, given);
        if (storage.failing) this.transaction.abort();
        return request;
    };
})()
"""
"""The outbox's store in whatever state: `hold()` keeps it busy until `held` is false; `failing` undoes each write."""
PRESS = """
async (keys) => {
    const shown = [];
    const channel = new MessageChannel();
    for (const key of keys) {
        const event = { key, code: `Digit${key}`, bubbles: true, cancelable: true };
        document.dispatchEvent(new KeyboardEvent("keydown", event));
        const next = new Promise((resolve) => { channel.port1.onmessage = resolve; });
        channel.port2.postMessage(null);
        await next;
        const { tile, ready } = document.getElementById("stage").dataset;
        const context = document.querySelector("[data-layer=png] canvas.picture").getContext("2d");
        shown.push([tile, ready, [...context.getImageData(9, 5, 1, 1).data.slice(0, 3)]]);
    }
    return shown;
}
"""
"""What stands on the page in the first task after the one of each key: number, whether it is whole, and a colour."""


class TestTheStore:
    """What is decided is drawn at once, and sent when the browser's own storage has it and no sooner."""

    def test_the_next_pair_does_not_wait_for_it(self, review: Open) -> None:
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.evaluate(STORAGE)
        page.evaluate("storage.hold()")
        posts: list[str] = []
        page.on("request", lambda request: request.url.endswith("/decisions/") and posts.append(request.url))
        shown = page.evaluate(PRESS, ["1", "3", "1"])
        assert shown == [[str(index), "true", [int(value) for value in colours_of(index)[5, 9]]] for index in (1, 2, 3)]
        unsent(page, 3)
        expect(page.locator("[data-part=left]")).to_have_text(str(TILES - 3))
        page.keyboard.press("u")
        step_to(page, 2)
        unsent(page, 4)
        expect(status(page)).to_have_text("4 decisions on the way.")
        assert posts == [], "nothing is sent that is not kept"
        page.evaluate("storage.held = false")
        settled(page)
        verbs = [(0, "approve"), (1, "unsure"), (2, "approve"), (2, "undo")]
        assert [entry[:2] for entry in decisions(page)] == verbs

    def test_leaving_before_it_has_a_decision_is_asked_about(self, review: Open) -> None:
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.evaluate(STORAGE)
        page.evaluate("storage.hold()")
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        decide(page, "1")
        page.reload()
        assert asked == ["beforeunload"]
        expect(stage(page)).to_have_attribute("data-ready", "true")
        settled(page)
        expect(page.locator("[data-part=left]")).to_have_text(str(TILES - len(decisions(page))))

    def test_what_it_does_not_take_comes_back(self, review: Open) -> None:
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.evaluate(STORAGE)
        page.evaluate("storage.failing = true")
        decide(page, "1")
        expect(trouble(page)).to_contain_text("tile_0: not recorded")
        expect(trouble(page)).to_contain_text("You approved it. This browser's storage failed")
        expect(page.locator("[data-part=left]")).to_have_text(str(TILES))
        expect(page.locator("[data-part=last] button")).to_have_count(0)
        unsent(page, 0)
        page.evaluate("storage.failing = false")
        decide(page, "3", first=1)
        settled(page)
        assert [entry[:2] for entry in decisions(page)] == [(1, "unsure")]
        trouble(page).get_by_role("button", name="Try again").click()
        expect(trouble(page)).to_be_hidden()
        settled(page)
        assert [entry[:2] for entry in decisions(page)] == [(1, "unsure"), (0, "approve")]


class TestNoConnection:
    def test_offline_for_a_while(self, review: Open) -> None:
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        decide(page, "13")
        settled(page)
        page.context.set_offline(True)
        decide(page, "1311", first=2)
        unsent(page, 4)
        expect(status(page)).to_contain_text("4 unsent, retrying. There is no connection to the server.")
        expect(page.locator("[data-part=left]")).to_have_text(str(TILES - 6))
        page.context.set_offline(False)
        settled(page)
        expect(status(page)).to_have_text("All decisions are sent.")
        verbs = ["approve", "unsure", "approve", "unsure", "approve", "approve"]
        assert [entry[:2] for entry in decisions(page)] == list(enumerate(verbs))
        expect(page.locator("[data-part=left]")).to_have_text(str(TILES - 6))

    @pytest.mark.slow
    def test_undo_of_what_was_never_sent(self, review: Open) -> None:
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.context.set_offline(True)
        decide(page, "11")
        page.keyboard.press("u")
        step_to(page, 1)
        page.keyboard.press("u")
        step_to(page, 0)
        page.keyboard.press("3")
        unsent(page, 5)
        page.context.set_offline(False)
        settled(page)
        verbs = [(0, "approve"), (1, "approve"), (1, "undo"), (0, "undo"), (0, "unsure")]
        assert [entry[:2] for entry in decisions(page)] == verbs
        assert states(page)[:3] == ["unsure", "pending", "pending"]

    @pytest.mark.slow
    def test_past_the_last_tile_that_was_loaded(self, review: Open) -> None:
        """Without a connection the page waits for tiles; it does not decide about one twice, or about none."""
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.context.set_offline(True)
        page.keyboard.press("g")
        page.keyboard.type("23")
        page.keyboard.press("Enter")
        expect(stage(page)).to_have_attribute("data-tile", "23")
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name="The next tiles are not here yet")).to_be_visible()
        page.keyboard.press("1")
        page.context.set_offline(False)
        step_to(page, 24)
        assert decisions(page) == []


class TestAServerInTrouble:
    def test_errors_and_lost_answers(self, review: Open) -> None:
        page = review("reviewer")
        # Pauses grow from failure to failure and begin again with each success.
        faults = iter(["500", "lost", "", "html", "", "503", "lost", "", "500"])

        def answer(route: Route) -> None:
            fault = next(faults, "")
            if fault == "lost":
                route.fetch()  # the server has it, the browser never hears
                route.abort()
            elif fault == "html":
                route.fulfill(status=200, content_type="text/html", body="<p>Sign in to this network</p>")
            elif fault:
                route.fulfill(status=int(fault), content_type="text/html", body="<h1>Error</h1>")
            else:
                route.continue_()

        page.route(DECISIONS, answer)
        decide(page, "1313")
        settled(page)
        assert next(faults, None) is None
        assert [entry[:2] for entry in decisions(page)] == [
            (0, "approve"),
            (1, "unsure"),
            (2, "approve"),
            (3, "unsure"),
        ]

    def test_a_reload_with_unsent_work(self, review: Open) -> None:
        page = review("reviewer")
        page.route(DECISIONS, lambda route: route.fulfill(status=500, json={"code": "error", "message": "Broken."}))
        decide(page, "13")
        unsent(page, 2)
        asked: list[str] = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        page.reload()
        assert asked == ["beforeunload"], "leaving with unsent work is asked about"
        step_to(page, 2)  # and not to the tiles that the server still calls pending
        unsent(page, 2)
        expect(page.locator("[data-part=left]")).to_have_text(str(TILES - 2))
        page.keyboard.press("ArrowLeft")
        step_to(page, 1)
        expect(page.locator("[data-part=state]")).to_have_text("unsure")
        page.unroute(DECISIONS)
        settled(page)
        assert [entry[:2] for entry in decisions(page)] == [(0, "approve"), (1, "unsure")]
        page.reload()
        assert asked == ["beforeunload"], "nothing is asked when all is sent"


class TestSignedOut:
    def test_go_on_and_sign_in_in_another_tab(self, review_site: Site, review: Open) -> None:
        page = review("reviewer")
        decide(page, "1")
        settled(page)
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.context.clear_cookies()
        decide(page, "31", first=1)
        unsent(page, 2)
        expect(status(page)).to_contain_text("2 unsent, retrying. You are signed out; go on, your work is kept.")
        banner = page.locator("#signed-out")
        expect(banner).to_be_visible()
        with page.context.expect_page() as opened:
            banner.get_by_role("link").click()
        opened.value.wait_for_load_state()
        sign_in(opened.value, review_site, "reviewer")
        settled(page)
        expect(banner).to_be_hidden()
        assert [entry[:2] for entry in decisions(page)] == [(0, "approve"), (1, "unsure"), (2, "approve")]

    @pytest.mark.slow
    def test_somebody_else_signs_in_meanwhile(self, review_site: Site, review_area: str, review: Open) -> None:
        """What one person left unsent is never sent as another's, and goes out when that person is back."""
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.context.clear_cookies()
        decide(page, "1")
        other = page.context.new_page()
        sign_in(other, review_site, "curator")
        expect(status(page)).to_contain_text("Somebody else is signed in on this browser now.")
        page.on("dialog", lambda dialog: dialog.accept())
        page.close(run_before_unload=False)
        other.goto(f"{review_site.url}/areas/{review_area}/review/")
        step_to(other, 24)  # the first ones are still before the person who was cut off
        unsent(other, 0)
        assert decisions(other) == []
        other.context.clear_cookies()
        sign_in(other, review_site, "reviewer")
        other.goto(f"{review_site.url}/areas/{review_area}/review/")
        step_to(other, 1)
        settled(other)
        assert [entry[:2] for entry in decisions(other)] == [(0, "approve")]


class TestOtherPeople:
    @pytest.fixture
    def met(self, review: Open) -> Page:
        """Somebody rejected tile 0 while this page still showed it as pending, and approved it; two waits behind."""
        mine, theirs = review("reviewer"), review("curator", query="?tile=0&state=")
        step_to(theirs, 0)
        expect(theirs.locator("[data-part=claim]")).to_contain_text("reviewer is looking at it, until ")
        theirs.keyboard.press("2")
        theirs.keyboard.press("c")
        all_the_same(theirs)
        decide(mine, "13")
        expect(trouble(mine)).to_be_visible()
        expect(trouble(mine)).to_contain_text("tile_0 was decided by curator meanwhile")
        expect(trouble(mine)).to_contain_text("You approved it. Now it is rejected: Cloud or haze (curator, ")
        settled(mine)
        assert [entry[:2] for entry in decisions(mine)] == [(1, "unsure")], "the rest is not held up"
        return mine

    def test_keep_theirs(self, met: Page) -> None:
        trouble(met).get_by_role("button", name="Keep theirs").click()
        expect(trouble(met)).to_be_hidden()
        settled(met)
        assert states(met)[:2] == ["rejected", "unsure"]
        assert [entry[:2] for entry in decisions(met)] == [(1, "unsure")]

    def test_overwrite_with_mine(self, met: Page) -> None:
        trouble(met).get_by_role("button", name="Overwrite with mine").click()
        expect(trouble(met)).to_be_hidden()
        settled(met)
        assert states(met)[:2] == ["approved", "unsure"]
        assert [entry[:2] for entry in decisions(met)] == [(1, "unsure"), (0, "approve")]

    @pytest.mark.slow
    def test_look_and_decide_again(self, met: Page) -> None:
        trouble(met).get_by_role("button", name="Look at it").click()
        step_to(met, 0)
        expect(met.locator("[data-part=state]")).to_have_text("rejected: Cloud or haze")
        met.keyboard.press("3")
        expect(trouble(met)).to_be_hidden()
        settled(met)
        assert states(met)[:2] == ["unsure", "unsure"]

    @pytest.mark.slow
    def test_it_survives_a_reload(self, met: Page) -> None:
        met.reload()
        expect(trouble(met)).to_contain_text("tile_0 was decided by curator meanwhile")
        trouble(met).get_by_role("button", name="Keep theirs").click()
        expect(trouble(met)).to_be_hidden()
        met.reload()
        step_to(met, 2)
        expect(trouble(met)).to_be_hidden()

    @pytest.mark.slow
    def test_later_decisions_wait_for_the_choice(self, review: Open) -> None:
        mine, theirs = review("reviewer"), review("curator", query="?tile=0&state=")
        expect(stage(mine)).to_have_attribute("data-ahead", "10")
        mine.context.set_offline(True)
        decide(mine, "1")
        mine.keyboard.press("ArrowLeft")
        step_to(mine, 0)
        mine.keyboard.press("3")
        step_to(mine, 1)
        decide(theirs, "1")
        all_the_same(theirs)
        mine.context.set_offline(False)
        expect(trouble(mine)).to_contain_text("1 later decision of yours about it waits.")
        trouble(mine).get_by_role("button", name="Overwrite with mine").click()
        expect(trouble(mine)).to_be_hidden()
        settled(mine)
        assert [entry[:2] for entry in decisions(mine)] == [(0, "approve"), (0, "unsure")]
        assert states(mine)[0] == "unsure"

    @pytest.mark.slow
    def test_an_undo_that_comes_too_late(self, review: Open) -> None:
        mine, theirs = review("reviewer"), review("curator")
        decide(mine, "1")
        settled(mine)
        theirs.goto(theirs.url.split("?")[0] + "?state=approved")
        step_to(theirs, 0)
        theirs.keyboard.press("3")
        expect(stage(theirs)).to_have_attribute("data-tile", "")
        settled(theirs)
        mine.keyboard.press("u")
        expect(trouble(mine)).to_contain_text("tile_0 was decided by curator meanwhile")
        expect(trouble(mine).get_by_role("button", name="Overwrite with mine")).to_have_count(0)
        trouble(mine).get_by_role("button", name="Keep theirs").click()
        expect(trouble(mine)).to_be_hidden()
        settled(mine)
        assert states(mine)[0] == "unsure"

    @pytest.mark.slow
    def test_a_tile_that_was_rebuilt(self, review_site: Site, review_area: str, review: Open) -> None:
        page = review("reviewer")
        review_site.shell(REBUILD.format(area=review_area))
        decide(page, "1")
        expect(trouble(page)).to_contain_text("tile_0 was rebuilt since you saw it")
        trouble(page).get_by_role("button", name="Look at it").click()
        step_to(page, 0)
        expect(trouble(page)).to_be_visible()
        page.keyboard.press("1")
        expect(trouble(page)).to_be_hidden()
        settled(page)
        assert states(page)[0] == "approved"

    def test_a_refusal_is_kept_until_somebody_looked(self, review_site: Site, review_area: str, review: Open) -> None:
        page = review("reviewer")
        review_site.shell(REASONS.format(area=review_area, reasons=["cloud"]))
        page.keyboard.press("2")
        page.keyboard.press("s")
        decide(page, "1", first=1)
        expect(trouble(page)).to_contain_text("tile_0: not recorded")
        expect(trouble(page)).to_contain_text("knows no reason 'shadow'. Reasons: cloud.")
        settled(page)
        page.reload()
        expect(trouble(page)).to_contain_text("tile_0: not recorded")
        review_site.shell(REASONS.format(area=review_area, reasons=["cloud", "shadow"]))
        trouble(page).get_by_role("button", name="Try again").click()
        expect(trouble(page)).to_be_hidden()
        settled(page)
        assert [entry[:3] for entry in decisions(page)] == [(1, "approve", ""), (0, "reject", "shadow")]


class TestTwoTabs:
    def test_of_one_person_send_each_decision_once(self, review: Open) -> None:
        one = review("reviewer")
        two = review("reviewer", context=one.context)
        expect(stage(one)).to_have_attribute("data-ahead", "10")
        expect(stage(two)).to_have_attribute("data-ahead", "10")
        one.context.set_offline(True)
        decide(one, "11")
        two.keyboard.press("g")
        two.keyboard.type("5")
        two.keyboard.press("Enter")
        decide(two, "33", first=5)
        unsent(one, 4)
        unsent(two, 4)
        # Answers, not requests: a last try may still begin without a connection.
        posts: list[str] = []
        one.context.on(
            "response", lambda answer: answer.request.method == "POST" and posts.append(answer.request.post_data)
        )
        one.context.set_offline(False)
        settled(one)
        settled(two)
        assert sorted(entry[:2] for entry in decisions(one)) == [
            (0, "approve"),
            (1, "approve"),
            (5, "unsure"),
            (6, "unsure"),
        ]
        assert len(posts) == len(set(posts)) == 4

    @pytest.mark.slow
    def test_a_tab_that_dies_leaves_its_work_to_the_other(self, review: Open) -> None:
        one = review("reviewer")
        one.route(DECISIONS, lambda _route: None)  # sent, never answered, and holding the lock
        with one.expect_request(DECISIONS):
            decide(one, "13")
        two = review("reviewer", context=one.context)
        unsent(two, 2)
        one.close(run_before_unload=False)
        settled(two)
        assert [entry[:2] for entry in decisions(two)] == [(0, "approve"), (1, "unsure")]


REBUILD = """
from tiles.models import TilePair
tile = TilePair.objects.get(area__slug={area!r}, index=0)
tile.layers["png"]["v"] = 2
tile.version += 1
tile.save()
"""
REASONS = """
from tiles.models import Area
Area.objects.filter(slug={area!r}).update(reasons={reasons!r})
"""
