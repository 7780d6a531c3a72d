"""Rectifying captions in a real browser: by keyboard, through reloads, lost answers, sign-outs and other people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.support.site import Site, Template, password_of

pytestmark = pytest.mark.browser

MAKE = """
from captions.services import caption_write_machine
from tests.support.factories import make_area, make_tile
for attempt in (1, 2):
    area = make_area(f"testland-{attempt}", name="Test Land")
    for index in range(20):
        caption_write_machine(tile_id=make_tile(area, index).pk)
"""
COUNT = """
from captions.models import CaptionRevision
revisions = CaptionRevision.objects.filter(caption__tile__area__slug={area!r}, caption__tile__index={index})
print(json.dumps([[revision.number, revision.text, revision.origin] for revision in revisions.order_by("number")]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    """One site for all; every test has tiles of its own, in an area of its attempt."""
    with Site(tmp_path_factory.mktemp("captions"), site_template) as made:
        made.shell(MAKE)
        made.start_web()
        yield made


@pytest.fixture
def area(attempt: int) -> str:
    return f"testland-{attempt}"


@pytest.fixture
def visit(site: Site, chromium: Browser, area: str) -> Iterator[Callable[..., Page]]:
    """`visit("annotator", 3)`: the caption page of tile 3 in a browser of that person's own."""
    contexts: list[BrowserContext] = []

    def open_page(role: str, index: int, **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        sign_in(page, site, role)
        page.goto(f"{site.url}/areas/{area}/captions/{index}/")
        expect(page.locator(".caption-history")).to_contain_text("Version 1")
        return page

    yield open_page
    for context in contexts:
        context.close()


def sign_in(page: Page, site: Site, role: str) -> None:
    page.goto(f"{site.url}/sign-in/?next=/captions/")
    page.get_by_label("Username").fill(role)
    page.get_by_label("Password").fill(password_of(role))
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner")).to_be_visible()


def write(page: Page, text: str) -> None:
    """By keys alone: into the editor, over what is there."""
    page.keyboard.press("e")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def save(page: Page, version: int) -> None:
    page.keyboard.press("Control+Enter")
    expect(status(page)).to_have_text(f"Saved as version {version}.")


def field(page: Page) -> Any:
    return page.get_by_label("Caption", exact=True)


def status(page: Page) -> Any:
    return page.locator(".caption-status")


def revisions(site: Site, area: str, index: int) -> list[Any]:
    return site.shell(COUNT.format(area=area, index=index))


def violations(page: Page) -> list[str]:
    found = Axe().run(page)["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


def test_rectify_reload_history_and_restore_by_keyboard(site: Site, area: str, visit: Callable[..., Page]) -> None:
    page = visit("annotator", 1)
    first = field(page).input_value()
    assert "by rules" in page.locator(".caption-editor").inner_text()
    write(page, "A valley with terraces.")
    expect(status(page)).to_contain_text("A draft, not saved")
    save(page, 2)
    page.reload()
    expect(field(page)).to_have_value("A valley with terraces.")
    expect(page.locator(".caption-editor")).to_contain_text("Version 2, by annotator")
    history = page.locator(".caption-history > li")
    expect(history).to_have_count(2)
    expect(history.nth(0).locator("ins").first).to_contain_text("valley")
    page.get_by_role("button", name="Restore version 1").focus()
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value(first)
    expect(history).to_have_count(3)
    expect(history.nth(0)).to_contain_text("rules, restored by annotator")
    assert [(number, origin) for number, _, origin in revisions(site, area, 1)] == [
        (1, "rules"),
        (2, "person"),
        (3, "rules"),
    ]


def test_arrows_walk_and_leave_typing_alone(site: Site, visit: Callable[..., Page]) -> None:
    page = visit("annotator", 5)
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/captions/6/")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/captions/5/")
    expect(page.locator(".caption-history")).to_contain_text("Version 1")
    write(page, "ab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("-")
    expect(field(page)).to_have_value("a-b")
    page.keyboard.press("Escape")
    expect(field(page)).not_to_be_focused()
    assert page.url.endswith("/captions/5/")


def test_a_draft_survives_a_reload_and_guards_leaving(site: Site, area: str, visit: Callable[..., Page]) -> None:
    page = visit("annotator", 2)
    write(page, "A half-written")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]
    expect(field(page)).to_have_value("A half-written")
    expect(status(page)).to_contain_text("A draft, not saved")
    page.goto(f"{site.url}/areas/{area}/captions/3/")
    expect(page.locator("#other-drafts")).to_contain_text("tile_2")
    page.goto(f"{site.url}/areas/{area}/captions/2/")
    page.keyboard.press("e")
    page.keyboard.type(" caption.")
    save(page, 2)
    asked.clear()
    page.reload()
    expect(field(page)).to_have_value("A half-written caption.")
    assert asked == []


def test_a_draft_survives_a_sign_out_and_is_saved_after_the_next_sign_in(
    site: Site, area: str, visit: Callable[..., Page]
) -> None:
    page = visit("annotator", 4)
    write(page, "Written while signed out.")
    page.context.clear_cookies()
    page.keyboard.press("Control+Enter")
    expect(status(page)).to_contain_text("Not saved yet. You are signed out.")
    expect(page.locator("#signed-out")).to_be_visible()
    assert len(revisions(site, area, 4)) == 1
    other = page.context.new_page()
    sign_in(other, site, "annotator")
    expect(status(page)).to_have_text("Saved as version 2.")
    expect(page.locator("#signed-out")).to_be_hidden()
    assert revisions(site, area, 4)[-1] == [2, "Written while signed out.", "person"]


def test_a_draft_is_never_saved_as_somebody_elses(site: Site, area: str, visit: Callable[..., Page]) -> None:
    page = visit("annotator", 13)
    write(page, "By the annotator.")
    page.context.clear_cookies()
    other = page.context.new_page()
    sign_in(other, site, "curator")
    page.keyboard.press("Control+Enter")
    expect(status(page)).to_contain_text("Somebody else is signed in")
    other.goto(f"{site.url}/areas/{area}/captions/13/")
    expect(other.locator(".caption-history")).to_contain_text("Version 1")
    expect(field(other)).not_to_have_value("By the annotator.")
    assert len(revisions(site, area, 13)) == 1


def test_a_save_whose_answer_was_lost_is_repeated_and_counts_once(
    site: Site, area: str, visit: Callable[..., Page]
) -> None:
    page = visit("annotator", 6)

    lost: list[str] = []

    def lose_the_answer(route: Route) -> None:
        if lost:
            route.fallback()
            return
        lost.append(route.request.method)
        route.fetch()
        route.abort()

    page.route("**/caption/", lose_the_answer)
    write(page, "Sent once, answered never.")
    page.keyboard.press("Control+Enter")
    expect(status(page)).to_have_text("Saved as version 2.")
    assert lost == ["PUT"]
    assert [number for number, _, _ in revisions(site, area, 6)] == [1, 2]


def test_after_a_lost_answer_a_changed_text_goes_on_from_it(site: Site, area: str, visit: Callable[..., Page]) -> None:
    page = visit("annotator", 7)

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/caption/", lose_the_answer)
    write(page, "First thought.")
    page.keyboard.press("Control+Enter")
    expect(status(page)).to_contain_text("Not saved yet")
    page.keyboard.type(" Second thought.")
    page.unroute("**/caption/")
    save(page, 3)
    assert [text for _, text, _ in revisions(site, area, 7)][1:] == ["First thought.", "First thought. Second thought."]


def test_what_was_sent_when_the_page_closed_is_sent_by_the_next(
    site: Site, area: str, visit: Callable[..., Page]
) -> None:
    page = visit("annotator", 8)
    page.route("**/caption/", lambda route: route.abort())
    write(page, "Sent from a tunnel.")
    page.keyboard.press("Control+Enter")
    expect(status(page)).to_contain_text("Not saved yet")
    page.unroute("**/caption/")
    page.goto(f"{site.url}/areas/{area}/captions/9/")
    expect(page.locator("#other-drafts")).to_be_hidden()
    site.wait_until(lambda: len(revisions(site, area, 8)) == 2, 60, "the text to arrive")


@pytest.mark.parametrize(
    ("index", "way", "text"),
    [
        (10, "m", "A long valley."),
        (11, "t", "A green valley."),
        (12, "e", "A long and green valley."),
    ],
)
def test_two_people_get_both_texts_and_a_choice(
    site: Site, area: str, visit: Callable[..., Page], index: int, way: str, text: str
) -> None:
    ann, bob = visit("annotator", index), visit("reviewer", index)
    write(bob, "A green valley.")
    save(bob, 2)
    write(ann, "A long valley.")
    ann.keyboard.press("Control+Enter")
    merge = ann.get_by_role("region", name="Two versions of this caption")
    expect(merge).to_be_focused()
    expect(merge).to_contain_text("reviewer saved this caption since you opened it.")
    expect(merge).to_contain_text("A green valley.")
    expect(merge.locator("ins")).to_have_text("long")
    expect(merge.locator("del")).to_have_text("green")
    assert violations(ann) == []
    ann.keyboard.press(way)
    if way == "e":
        expect(field(ann)).to_be_focused()
        ann.keyboard.press("Control+a")
        ann.keyboard.type(text)
        save(ann, 3)
    expect(merge).to_have_count(0)
    expect(field(ann)).to_have_value(text)
    expected = 2 if way == "t" else 3
    expect(ann.locator(".caption-history > li")).to_have_count(expected)
    assert revisions(site, area, index)[-1] == [expected, text, "person"]


def test_markup_in_a_caption_is_shown_as_text(site: Site, visit: Callable[..., Page]) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"> hill </textarea><script>document.title='owned'</script>"
    page = visit("annotator", 14)
    write(page, evil)
    save(page, 2)
    expect(page.locator(".caption-history")).to_contain_text("<img src=x")
    page.reload()
    expect(field(page)).to_have_value(evil)
    other = visit("reviewer", 14)
    write(other, "Over it.")
    write(page, evil + "!")
    save(other, 3)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Two versions of this caption")).to_contain_text("<img src=x")
    page.goto(f"{site.url}/captions/")
    expect(page.locator(".caption-list")).to_contain_text("Over it.")
    assert page.locator("img[src=x]").count() == 0
    assert page.title() != "owned"


def test_a_viewer_reads_and_cannot_write(site: Site, visit: Callable[..., Page]) -> None:
    page = visit("viewer", 15)
    expect(page.locator(".caption-editor .caption-words")).not_to_be_empty()
    assert page.locator("textarea").count() == 0
    assert page.get_by_role("button", name=re.compile("Restore|Save")).count() == 0
    assert violations(page) == []


def test_a_refused_text_stays_with_the_reason(site: Site, visit: Callable[..., Page]) -> None:
    page = visit("annotator", 16)
    write(page, "12345")
    page.keyboard.press("Control+Enter")
    expect(status(page)).to_contain_text("Not saved. A caption needs at least one word.")
    expect(field(page)).to_have_value("12345")


def test_the_editor_switches_tiles_and_keeps_each_draft(site: Site, area: str, visit: Callable[..., Page]) -> None:
    """As the review page uses it: other tiles with captions loaded ahead, saves that end after a switch."""
    page = visit("annotator", 17)
    page.evaluate(
        """async (slug) => {
          const { mountCaption } = await import("/static/js/captions/editor.js");
          const answer = await fetch(`/api/v1/areas/${slug}/captions/?index=18,19`);
          const [first, second] = (await answer.json()).items;
          const { person } = JSON.parse(document.getElementById("caption-page").textContent);
          const place = document.createElement("div");
          place.id = "second-editor";
          document.querySelector("main").replaceChildren(place);
          window.told = { saved: [], drafts: [], closed: 0 };
          window.first = first;
          window.second = second;
          window.editor = mountCaption(place, {
            area: slug, index: 18, caption: first, canEdit: true, person,
            onSaved: (caption) => told.saved.push([caption.index, caption.version]),
            onDrafts: (indexes) => { told.drafts = indexes; },
            onClose: () => { told.closed += 1; },
          });
        }""",
        area,
    )
    text = page.locator("#second-editor textarea")
    page.evaluate("editor.focus()")
    page.keyboard.press("Control+a")
    page.keyboard.type("Draft of 18.")
    page.evaluate("editor.show({ index: 19, caption: second })")
    assert text.input_value() == page.evaluate("second.text")
    assert page.evaluate("told.drafts") == [18]
    page.evaluate("editor.show({ index: 18, caption: first })")
    expect(text).to_have_value("Draft of 18.")
    page.evaluate("editor.show({ index: 19 })")
    expect(text).to_have_value(page.evaluate("second.text"))
    page.keyboard.press("Escape")
    assert page.evaluate("told.closed") == 1
    page.evaluate(
        "editor.show({ index: 18, caption: first }); editor.save(); editor.show({ index: 19, caption: second })"
    )
    site.wait_until(lambda: page.evaluate("told.saved.length"), 60, "the save to end")
    assert page.evaluate("told.saved") == [[18, 2]]
    assert page.evaluate("told.drafts") == []
    assert text.input_value() == page.evaluate("second.text")
    assert revisions(site, area, 18)[-1] == [2, "Draft of 18.", "person"]
    page.evaluate("editor.destroy()")
    assert page.locator("#second-editor").inner_text() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_either_page(
    site: Site, area: str, visit: Callable[..., Page], scheme: str, width: int
) -> None:
    page = visit("annotator", 0, color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{site.url}/captions/?area={area}&origin=rules")
    expect(page.locator(".caption-list > li").first).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_example_follows_the_settings_while_they_are_typed(
    site: Site, area: str, visit: Callable[..., Page]
) -> None:
    page = visit("curator", 17)
    page.goto(f"{site.url}/areas/{area}/captions/settings/")
    example = page.locator("#prompt-example")
    expect(example).to_contain_text("tokens")
    page.get_by_label("Own template").fill("Seen: {description}")
    expect(example).to_contain_text("Seen: ")
    page.get_by_label("Own template").fill("Seen: {colour}")
    expect(example).to_contain_text("no component")
    page.get_by_label("Own template").fill("{description}, as drawn")
    expect(example).to_contain_text("as drawn")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".message.success")).to_contain_text("checked anew")
    expect(example).to_contain_text("as drawn")
