"""Who looks at what, and how well and how fast: ranges, a sample with a second look, agreement, pace; by real keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Page, expect

from tests.support.review import TILES, decisions, settled, states, step_to
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[..., Page]
SCORED = """
from tiles.models import TilePair
cloud = {{"code": "cloud", "severity": 0.9, "value": 0.4}}
tiles = TilePair.objects.filter(area__slug={area!r})
tiles.update(score=0.15)
tiles.filter(index__in=[0, 2, 4]).update(score=0.95, causes=[cloud])
"""
SAMPLE = """
from tiles.models import Area
from tiles.review.policy import needs_second
area = Area.objects.get(slug={area!r})
print(json.dumps([index for index in range({tiles}) if needs_second(area, index)]))
"""


def judge(page: Page, keys: Sequence[str]) -> None:
    """One verdict a tile of the queue from its first on; `2c` rejects for clouds."""
    stage = page.locator("#stage")
    for verdict in keys:
        expect(stage).to_have_attribute("data-ready", "true")
        index = str(stage.get_attribute("data-tile"))
        for key in verdict:
            page.keyboard.press(key)
        expect(stage).not_to_have_attribute("data-tile", index)
    settled(page)


def cells(page: Page, table: str, row: str) -> list[str]:
    """What stands in a row of a table, without its head."""
    found = page.get_by_role("table", name=table).get_by_role("row", name=row).get_by_role("cell")
    return [text.strip() for text in found.all_inner_texts()]


def test_a_range_is_assigned_worked_and_taken_back(review: Open, review_site: Site, review_area: str) -> None:
    people = f"{review_site.url}/areas/{review_area}/people/"
    curator = review("curator", query="?state=")
    curator.goto(people)
    curator.get_by_label("Person").focus()
    curator.keyboard.type("reviewer")
    curator.keyboard.press("Tab")
    for number in ("10", "14"):
        curator.keyboard.type(number)
        curator.keyboard.press("Tab")
    curator.keyboard.press("Enter")
    ranges = curator.get_by_role("table", name="Ranges of tiles, and how far they are")
    row = ranges.get_by_role("row", name="reviewer")
    expect(row).to_contain_text("10")
    assert cells(curator, "Ranges of tiles", "reviewer")[1:5] == ["10", "14", "5", "5"]

    page = review("reviewer")
    step_to(page, 10)
    expect(page.get_by_label("Range")).to_have_value("1")
    judge(page, ["1", "2c", "1"])
    step_to(page, 13)
    curator.reload()
    assert cells(curator, "Ranges of tiles", "reviewer")[3] == "2"
    judge(page, ["1", "1"])
    expect(page.get_by_role("heading", name="This is the last tile of the filter")).to_be_visible()
    expect(page.locator("[data-part=finished-text]")).to_contain_text("Turn Range off for the other tiles.")
    page.get_by_label("Range").select_option("")
    step_to(page, 0)

    curator.reload()
    row.get_by_role("button", name="Take back").press("Enter")
    expect(curator.get_by_text("No tiles are assigned")).to_be_visible()
    assert [entry[0] for entry in decisions(page)] == list(range(10, 15)), "taking back changes no decision"
    page.goto(page.url.split("?")[0])
    step_to(page, 0)
    expect(page.get_by_label("Range")).to_have_count(0)


def test_a_sample_waits_for_a_second_look(review: Open, review_site: Site, review_area: str) -> None:
    """From the settings page to the last second look: just the sampled tiles wait, for another person."""
    curator = review("curator", query="?state=")
    curator.goto(f"{review_site.url}/areas/{review_area}/settings/")
    curator.get_by_label("One reviewer, and a sample of the tiles as with two").press("Space")
    for label, value in (("Sample (percent)", "30"), ("Seed of the sample", "5")):
        field = curator.locator("#policy").get_by_label(label)
        field.focus()
        curator.keyboard.press("Control+a")
        curator.keyboard.type(value)
    curator.get_by_role("button", name="Change the policy").press("Enter")
    expect(curator.get_by_role("list", name="Messages")).to_be_visible()
    sampled = review_site.shell(SAMPLE.format(area=review_area, tiles=TILES))
    assert 0 < len(sampled) < TILES

    page = review("reviewer")
    judge(page, ["1"] * TILES)
    expect(page.get_by_role("heading", name="This is the end of the queue")).to_be_visible()
    expected = ["second" if index in sampled else "approved" for index in range(TILES)]
    assert states(page) == expected

    curator.goto(f"{review_site.url}/areas/{review_area}/review/")
    shown = []
    for _ in sampled:
        expect(curator.locator("#stage")).to_have_attribute("data-ready", "true")
        shown.append(int(str(curator.locator("#stage").get_attribute("data-tile"))))
        judge(curator, ["1"])
    assert shown == sampled
    expect(curator.get_by_role("heading", name="Every tile of this area has been looked at")).to_be_visible()
    assert states(curator) == ["approved"] * TILES


def test_how_decisions_agree_with_the_score(review: Open, review_site: Site, review_area: str) -> None:
    review_site.shell(SCORED.format(area=review_area))
    page = review("reviewer")
    judge(page, ["2c", "1", "2c", "1", "1", "1"])
    other = review("curator", query="?state=&tile=0")
    step_to(other, 0)
    other.keyboard.press("1")
    step_to(other, 1)
    judge(other, ["1"])
    page.goto(f"{review_site.url}/areas/{review_area}/people/")
    page.get_by_role("link", name="Quality").press("Enter")
    expect(page.get_by_role("heading", name="Decisions and the score")).to_be_visible()
    # Tile 0 was approved by the second person: of three tiles of score 0.95 one stands rejected.
    assert cells(page, "By score, with 95 % intervals", "0.9 to 1.0")[:2] == ["3", "1"]
    assert cells(page, "By score, with 95 % intervals", "0.1 to 0.2")[:2] == ["3", "0"]
    assert cells(page, "By cause of the score", "Cloud")[:2] == ["3", "1"]
    assert "cloud or haze 1" in cells(page, "By cause of the score", "Cloud")[3]
    table = page.get_by_role("table", name="Two people on the same pixels of one tile")
    expect(table.get_by_role("row", name="Approve")).to_contain_text("67 %")


def test_the_pace_of_everybody_and_of_oneself(review: Open, review_site: Site, review_area: str) -> None:
    page = review("reviewer")
    judge(page, ["1", "2c", "1", "1"])
    page.keyboard.press("u")
    step_to(page, 3)
    settled(page)
    curator = review("curator")
    judge(curator, ["3"])
    for each, name in ((page, "Your pace"), (curator, "Everybody's pace")):
        each.goto(f"{review_site.url}/areas/{review_area}/agreement/")
        each.get_by_role("link", name="Pace").press("Enter")
        expect(each.get_by_role("heading", name=name)).to_be_visible()
    mine = cells(page, "Decisions by person", "reviewer")
    assert mine[0] == "4"
    assert mine[6] == "25 %"
    assert mine[7] == "cloud or haze 1"
    expect(page.get_by_role("row", name="curator")).to_have_count(0)
    assert cells(curator, "Decisions by person", "curator")[0] == "1"
    assert cells(curator, "Decisions by person", "reviewer")[0] == "4"
