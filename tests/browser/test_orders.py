"""Orders of the queue, chosen on the review page by keys: the tiles come in that order, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.review import TILES, settled, step_to
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLACES = """
from tiles.models import TilePair
from tiles.raster.curve import space_key
tiles = list(TilePair.objects.filter(area__slug={area!r}).order_by("index"))
for tile in tiles:
    tile.lon, tile.lat = 10 + tile.index * 7 % 30 / 10, 40 + tile.index * 11 % 30 / 10
    tile.space = space_key(tile.lon, tile.lat)
TilePair.objects.bulk_update(tiles, ["lon", "lat", "space"])
print(json.dumps([tile.index for tile in sorted(tiles, key=lambda tile: tile.space)]))
"""
TWINS = """
from tiles.models import Area, TilePair
from tiles.review.twins import area_twins_write
for index, other in {{5: 2, 9: 5, 7: 4}}.items():
    TilePair.objects.filter(area__slug={area!r}, index=index).update(duplicate_of=other)
area_twins_write(area=Area.objects.get(slug={area!r}))
"""


def choose(page: Page, keys: str, value: str) -> None:
    """Choose an order by its first letters."""
    order = page.get_by_label("Order")
    order.focus()
    page.keyboard.type(keys)
    expect(order).to_have_value(value)


def come(page: Page, count: int) -> list[int]:
    """The numbers of the next tiles, each decided as soon as it is there."""
    found = []
    page.get_by_label("Order").evaluate("(element) => element.blur()")
    for _ in range(count):
        expect(page.locator("#stage")).to_have_attribute("data-ready", "true")
        index = str(page.locator("#stage").get_attribute("data-tile"))
        found.append(int(index))
        page.keyboard.press("1")
        expect(page.locator("#stage")).not_to_have_attribute("data-tile", index)
    settled(page)
    return found


def seeded(page: Page, seed: str) -> None:
    field = page.get_by_role("spinbutton", name="Seed")
    with page.expect_response(lambda answer: f"seed={seed}" in answer.url):
        field.fill(seed)
        page.keyboard.press("Tab")


def test_neighbours_in_space(review: Callable[..., Page], review_site: Site, review_area: str) -> None:
    along = review_site.shell(PLACES.format(area=review_area))
    page = review("reviewer")
    choose(page, "Neigh", "space")
    step_to(page, along[0])
    assert come(page, 8) == along[:8]
    assert along[:8] != sorted(along[:8])


def test_near_duplicates_together(review: Callable[..., Page], review_site: Site, review_area: str) -> None:
    review_site.shell(TWINS.format(area=review_area))
    page = review("reviewer")
    page.keyboard.press("1")
    step_to(page, 1)
    choose(page, "Near", "twins")
    step_to(page, 2)
    assert come(page, 7) == [2, 5, 9, 4, 7, 1, 3]


def test_random_by_a_seed(review: Callable[..., Page]) -> None:
    """The same seed is the same order for the next person; another seed is another one."""
    page = review("reviewer")
    choose(page, "Ran", "random")
    seeded(page, "7")
    seven = come(page, 6)
    page.reload()
    rest = come(page, TILES - 6)
    assert sorted(seven + rest) == list(range(TILES)), "each once"
    assert seven + rest != sorted(seven + rest)
    for _ in range(TILES):
        page.keyboard.press("u")
    expect(page.locator("[data-part=left]")).to_have_text(str(TILES))
    settled(page)
    page.goto("about:blank")
    other = review("curator", query="?state=&order=random&seed=7")
    looked = []
    for _ in range(6):
        looked.append(int(str(other.locator("#stage").get_attribute("data-tile"))))
        other.keyboard.press("ArrowRight")
        expect(other.locator("#stage")).not_to_have_attribute("data-tile", str(looked[-1]))
    assert looked == seven
    seeded(other, "8")
    assert come(other, 6) != seven
