"""Reviewing in a real browser: by keyboard, by finger, by somebody who may only look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.support.factories import colours_of, heights_of
from tests.support.review import TILES, decisions, expect_pixel, pixels, settled, stage, states, step_to
from tests.support.site import Site

pytestmark = pytest.mark.browser


class TestByKeyboard:
    def test_ten_tiles_with_every_key(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        press = page.keyboard.press
        press("1")
        step_to(page, 1)
        press("2")
        expect(page.get_by_role("dialog", name="Reject: why?")).to_be_visible()
        press("c")
        step_to(page, 2)
        press("3")
        step_to(page, 3)
        press("u")
        step_to(page, 2)
        expect(page.locator("[data-part=state]")).to_have_text("pending")
        press("2")
        press("o")
        expect(page.get_by_label("What is wrong with it?")).to_be_focused()
        page.keyboard.type("birds, 3 of them")
        press("Enter")
        step_to(page, 3)
        press("ArrowRight")
        step_to(page, 4)
        press("ArrowLeft")
        step_to(page, 3)
        press("g")
        page.keyboard.type("12")
        press("Enter")
        step_to(page, 12)
        press("2")
        expect(page.get_by_role("dialog")).to_be_visible()
        press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        press("1")
        step_to(page, 13)
        settled(page)
        assert decisions(page) == [
            (0, "approve", "", ""),
            (1, "reject", "cloud", ""),
            (2, "unsure", "", ""),
            (2, "undo", "", ""),
            (2, "reject", "other", "birds, 3 of them"),
            (12, "approve", "", ""),
        ]

    def test_keys_faster_than_any_storage(self, review: Callable[..., Page]) -> None:
        """Each key takes hold of the tile that the one before led to."""
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.evaluate(
            """(keys) => {
                const codes = {1: "Digit1", 2: "Digit2", 3: "Digit3"};
                for (const key of keys) {
                    const code = codes[key] ?? `Key${key.toUpperCase()}`;
                    document.dispatchEvent(new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true}));
                }
            }""",
            list("13u2s12m"),
        )
        step_to(page, 4)
        settled(page)
        assert [entry[:3] for entry in decisions(page)] == [
            (0, "approve", ""),
            (1, "unsure", ""),
            (1, "undo", ""),
            (1, "reject", "shadow"),
            (2, "approve", ""),
            (3, "reject", "misaligned"),
        ]

    def test_digits_go_by_place_and_letters_by_character(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        send(page, key="&", code="Digit1")  # a French keyboard's first key
        step_to(page, 1)
        send(page, key="1", code="Numpad1")
        step_to(page, 2)
        send(page, key="u", code="KeyF")  # a Dvorak keyboard's u
        step_to(page, 1)
        settled(page)
        assert [entry[:2] for entry in decisions(page)] == [(0, "approve"), (1, "approve"), (1, "undo")]

    def test_keys_rest_while_typing_and_with_modifiers(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        for modifier in ("Control", "Alt", "Meta", "Shift"):
            send(page, key="1", code="Digit1", modifier=modifier)
        page.get_by_label("State").focus()
        send(page, key="1", code="Digit1")
        page.keyboard.press("g")
        page.get_by_label("State").evaluate("(element) => element.blur()")
        page.keyboard.press("g")
        page.keyboard.type("3")
        expect(page.get_by_role("spinbutton", name="Number")).to_have_value("3")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("ArrowRight")
        step_to(page, 1)
        settled(page)
        assert decisions(page) == []

    def test_help_lists_the_keys(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        expect(dialog).to_be_visible()
        for words in ("Approve", "Undo your last decision", "Cloud or haze", "Go to a number"):
            expect(dialog).to_contain_text(words)
        page.keyboard.press("?")
        expect(dialog).to_be_hidden()

    def test_buttons_do_the_same(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        page.get_by_role("button", name="Approve").click()
        step_to(page, 1)
        page.get_by_role("button", name="Reject …").click()
        page.get_by_role("button", name="Seam or striping").click()
        step_to(page, 2)
        page.get_by_role("button", name="Undo").click()
        step_to(page, 1)
        page.get_by_role("button", name="Unsure").focus()
        page.keyboard.press("Enter")
        step_to(page, 2)
        settled(page)
        assert [entry[:3] for entry in decisions(page)] == [
            (0, "approve", ""),
            (1, "reject", "seam"),
            (1, "undo", ""),
            (1, "unsure", ""),
        ]

    def test_undo_in_turn_and_after_a_reload(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        for index, key in enumerate("131"):
            page.keyboard.press(key)
            step_to(page, index + 1)
        settled(page)
        page.reload()
        step_to(page, 3)
        for index in (2, 1, 0):
            page.keyboard.press("u")
            step_to(page, index)
        page.keyboard.press("u")
        expect(page.locator("[data-part=notice]")).to_have_text("There is nothing of yours to undo here.")
        settled(page)
        assert [entry[:2] for entry in decisions(page)][3:] == [(2, "undo"), (1, "undo"), (0, "undo")]
        assert states(page) == ["pending"] * TILES

    def test_the_last_decisions_lead_back(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        for index in range(3):
            page.keyboard.press("1")
            step_to(page, index + 1)
        settled(page)  # the list is drawn anew with each answer
        page.get_by_role("listitem").get_by_role("button", name="1 approved").click()
        step_to(page, 1)
        expect(page.locator("[data-part=state]")).to_have_text("approved")
        page.keyboard.press("3")
        step_to(page, 3)  # on to the next that is still pending, not to 2 again

    def test_what_is_announced(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        live = page.locator("[data-part=live]")
        page.keyboard.press("2")
        page.keyboard.press("v")
        expect(live).to_have_text("tile_0 rejected for void. tile_1, pending.")
        page.keyboard.press("u")
        expect(live).to_have_text("Undone: tile_0 is pending again.")

    def test_the_caption_is_edited_without_leaving(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        page.keyboard.press("e")
        field = page.get_by_role("textbox", name="Caption")
        expect(field).to_be_focused()
        expect(field).to_be_editable()  # once the caption is here
        page.keyboard.press("Control+a")
        page.keyboard.type("A slope with 1 road")
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-caption=text]")).to_have_text("A slope with 1 road")
        page.keyboard.press("Escape")
        expect(field).to_be_hidden()
        page.keyboard.press("1")
        step_to(page, 1)
        expect(page.locator("[data-caption=text]")).not_to_have_text("A slope with 1 road")
        settled(page)
        assert [entry[:2] for entry in decisions(page)] == [(0, "approve")]


class TestAhead:
    def test_the_next_pictures_are_decoded_before_the_key(self, review: Callable[..., Page]) -> None:
        """With no network at all, each key still brings the right pixels: nothing on its way asks the server."""
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        page.context.set_offline(True)
        for index in range(1, 10):
            page.keyboard.press("1")
            step_to(page, index)
            assert pixels(page, "png", (5, 9), (40, 3)) == [
                tuple(colours_of(index)[9, 5]),
                tuple(colours_of(index)[3, 40]),
            ]
        page.context.set_offline(False)
        settled(page)

    def test_nothing_is_judged_unseen(self, review: Callable[..., Page]) -> None:
        """While a picture has not come, a decision is refused and said."""
        page = review("reviewer", hold="**/tiles/0/elevation*")
        expect(page.locator("[data-layer=colour] .note")).to_have_text("Loading …")
        page.keyboard.press("1")
        expect(page.locator("[data-part=notice]")).to_contain_text("Wait: the pictures of this tile are not here yet.")
        assert decisions(page) == []

    def test_a_picture_that_does_not_exist_is_said(
        self, review_site: Site, review_area: str, review: Callable[..., Page]
    ) -> None:
        review_site.shell(f"from tiles.core.paths import layer_path\nlayer_path({review_area!r}, 'png', 0).unlink()")
        page = review("reviewer", ready=False)
        expect(page.locator("[data-layer=png] .note")).to_contain_text("is missing. Build the area again")

    def test_colours_without_asking_again(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        page.context.set_offline(True)
        detail = page.locator("[data-layer=colour] [data-part=detail]")
        expect(detail).to_have_text("Spectral")
        (high,) = pixels(page, "colour", (63, 63))
        assert high == (158, 1, 66)
        page.keyboard.press("l")
        expect(detail).to_have_text("viridis")
        expect_pixel(page, "colour", (63, 63), (253, 231, 36))

    def test_the_magnifier_reads_the_same_pixel_in_both(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        box = page.locator("[data-layer=png] canvas.picture").bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] * 10.5 / 64, box["y"] + box["height"] * 20.5 / 64)
        red, green, blue = colours_of(0)[20, 10]
        expect(page.locator("[data-layer=png] output")).to_have_text(f"10, 20: RGB {red}, {green}, {blue}")
        expect(page.locator("[data-layer=colour] output")).to_have_text(f"10, 20: {heights_of(0)[20, 10]:.1f} m")
        expect(page.locator("[data-layer=colour] .loupe")).to_be_visible()

    def test_nothing_moves_between_tiles(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        page.locator("#caption").wait_for()
        before = places(page)
        for index in range(1, 6):
            page.keyboard.press("1")
            step_to(page, index)
            assert places(page) == before


class TestTheQueue:
    def test_filter_by_state_and_reason(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        expect(stage(page)).to_have_attribute("data-ahead", "10")
        for keys in ("1", "2c", "2s", "2c"):
            for key in keys:
                page.keyboard.press(key)
        step_to(page, 4)
        settled(page)
        page.get_by_label("State").select_option("rejected")
        step_to(page, 1)
        page.get_by_label("Reason").select_option("cloud")
        step_to(page, 1)
        page.locator("body").focus()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("ArrowRight")
        step_to(page, 3)
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name="This is the last tile of the filter")).to_be_visible()
        page.get_by_label("State").select_option("unsure")
        page.get_by_label("Reason").select_option("")
        expect(page.get_by_role("heading", name="No tile matches the filter")).to_be_visible()

    def test_the_end_with_the_days_numbers(self, review: Callable[..., Page], attempt: int) -> None:
        page = review("reviewer", area=f"tiny-{attempt}")
        page.keyboard.press("ArrowRight")
        step_to(page, 1)
        page.keyboard.press("1")
        step_to(page, 2)
        page.keyboard.press("3")
        expect(page.get_by_role("heading", name="This is the end of the queue")).to_be_visible()
        expect(page.locator("[data-part=finished]")).to_contain_text("1 tile before this one is still pending.")
        page.get_by_role("button", name="Go to the first").click()
        step_to(page, 0)
        page.keyboard.press("2")
        page.keyboard.press("b")
        expect(page.get_by_role("heading", name="Every tile of this area has been looked at")).to_be_visible()
        settled(page)
        page.get_by_role("button", name="Look for more").click()
        expect(page.locator("[data-part=finished-text]")).to_have_text(
            "Today you approved 1, rejected 1, left unsure 1."
        )

    def test_an_area_without_tiles(self, review: Callable[..., Page]) -> None:
        page = review("curator", area="empty", ready=False)
        expect(page.get_by_role("heading", name="There is nothing to review here yet")).to_be_visible()
        expect(page.get_by_role("link", name="Go to Empty")).to_be_visible()

    def test_jumping_past_the_filter_and_to_nothing(self, review: Callable[..., Page]) -> None:
        page = review("reviewer", query="?state=approved")
        expect(page.get_by_role("heading", name="No tile matches the filter")).to_be_visible()
        page.keyboard.press("g")
        page.keyboard.type("7")
        page.keyboard.press("Enter")
        step_to(page, 7)
        page.keyboard.press("g")
        page.keyboard.type("999")
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=notice]")).to_contain_text("has no tile 999")
        step_to(page, 7)

    def test_a_link_to_a_tile(self, review: Callable[..., Page]) -> None:
        page = review("reviewer", query="?tile=9")
        step_to(page, 9)
        page.keyboard.press("ArrowLeft")
        step_to(page, 8)

    def test_far_beyond_one_page(self, review: Callable[..., Page]) -> None:
        page = review("reviewer")
        for index in range(1, TILES):
            page.keyboard.press("ArrowRight")
            step_to(page, index)
        for index in range(TILES - 2, TILES - 6, -1):
            page.keyboard.press("ArrowLeft")
            step_to(page, index)


class TestOtherPeople:
    def test_a_viewer_may_look_and_not_decide(self, review: Callable[..., Page]) -> None:
        page = review("viewer")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        page.keyboard.press("1")
        page.keyboard.press("u")
        page.keyboard.press("ArrowRight")
        step_to(page, 1)
        assert states(page) == ["pending"] * TILES


class TestOnAPhone:
    def test_by_thumb(self, review: Callable[..., Page]) -> None:
        page = review("reviewer", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        for layer in ("png", "colour"):
            box = page.locator(f"[data-layer={layer}] canvas.picture").bounding_box()
            assert box
            assert box["y"] + box["height"] < 844 - 72, "both pictures stand above the buttons"
        for name in ("Approve", "Reject …", "Unsure", "Undo"):
            box = page.get_by_role("button", name=name).bounding_box()
            assert box
            assert box["height"] >= 44
            assert 700 < box["y"] < 844
        page.get_by_role("button", name="Approve").tap()
        step_to(page, 1)
        page.get_by_role("button", name="Reject …").tap()
        page.get_by_role("button", name="Misaligned").tap()
        step_to(page, 2)
        page.get_by_text("Filter, notes, last decisions, facts").tap()
        expect(page.locator("[data-fact=landform]")).to_be_visible()
        settled(page)
        assert [entry[:3] for entry in decisions(page)] == [(0, "approve", ""), (1, "reject", "misaligned")]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("viewport", [(1440, 900), pytest.param((390, 844), marks=pytest.mark.slow)])
def test_axe_finds_nothing(review: Callable[..., Page], scheme: str, viewport: tuple[int, int]) -> None:
    page = review("reviewer", color_scheme=scheme, viewport={"width": viewport[0], "height": viewport[1]})
    page.keyboard.press("1")
    step_to(page, 1)
    settled(page)
    violations(page)
    dialog = page.get_by_role("dialog")
    page.keyboard.press("2")
    expect(dialog).to_be_visible()
    violations(page)
    page.keyboard.press("o")
    expect(dialog.get_by_label("What is wrong with it?")).to_be_focused()
    violations(page)
    for key in "?g":
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page.keyboard.press(key)
        expect(dialog).to_be_visible()
        violations(page)


def violations(page: Page) -> None:
    found = Axe().run(page)["violations"]
    assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


def send(page: Page, *, key: str, code: str, modifier: str = "") -> None:
    """A key as a keyboard of another country sends it."""
    event: dict[str, Any] = {"key": key, "code": code, "bubbles": True, "cancelable": True}
    if modifier:
        name = {"Control": "ctrlKey", "Alt": "altKey", "Meta": "metaKey", "Shift": "shiftKey"}[modifier]
        event[name] = True
    page.evaluate(
        "(event) => (document.activeElement ?? document).dispatchEvent(new KeyboardEvent('keydown', event))", event
    )


def places(page: Page) -> Any:
    """Where everything stands that is used between two tiles."""
    return page.evaluate(
        """() => [...document.querySelectorAll(
            "[data-layer] canvas.picture, .verdicts button, .review-tools button, .review-left, #caption, .review-more"
        )].map((element) => {
            const {x, y, width, height} = element.getBoundingClientRect();
            return element.matches(".review-left, #caption, .review-more") ? [x, y] : [x, y, width, height];
        })"""
    )


MEASURED = """
from tiles.models import TilePair
tiles = TilePair.objects.filter(area__slug={area!r})
tiles.update(measures={{"quality": {{}}}})
shift = {{"code": "shift", "severity": 0.9, "value": 4.2}}
cloud = {{"code": "cloud", "severity": 0.5, "value": 0.13}}
tiles.filter(index=7).update(score=0.95, causes=[shift, cloud], shift_px=4.2)
tiles.filter(index=3).update(score=0.5, causes=[cloud])
tiles.filter(index=9).update(shift_px=0.4)
TilePair.objects.filter(area__slug={area!r}, index=1).update(measures={{}})
"""


def test_the_most_doubtful_tiles_come_first_with_their_reasons(
    review: Callable[..., Page], review_site: Site, review_area: str
) -> None:
    """By keyboard alone: a shift that is not known is called unknown, and is no zero."""
    review_site.shell(MEASURED.format(area=review_area))
    page = review("reviewer")
    score, shift = page.locator("dd[data-fact=score]"), page.locator("dd[data-fact=shift]")
    expect(score).to_have_text("0.00")
    expect(shift).to_have_text("unknown")
    page.keyboard.press("ArrowRight")
    step_to(page, 1)
    expect(score).to_have_text("–")
    expect(shift).to_have_text("–")
    order = page.get_by_label("Order")
    order.focus()
    page.keyboard.type("Most d")
    expect(order).to_have_value("score")
    step_to(page, 7)
    expect(score).to_have_text("0.95: shift 4 px, cloud 13 %")
    expect(page.locator(".review-measures .score")).to_have_text("0.95: shift 4 px, cloud 13 %")
    expect(shift).to_have_text("4.2 px")
    page.keyboard.press("Tab")
    page.keyboard.press("2")
    expect(page.get_by_role("dialog", name="Reject: why?")).to_be_visible()
    page.keyboard.press("c")
    step_to(page, 3)
    expect(score).to_have_text("0.50: cloud 13 %")
    expect(shift).to_have_text("unknown")
    page.keyboard.press("1")
    step_to(page, 0)
    settled(page)
    assert [entry[:3] for entry in decisions(page)] == [(7, "reject", "cloud"), (3, "approve", "")]
