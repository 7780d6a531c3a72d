"""The page of what is wanted of captions: who may, what it saves, and what follows."""

from __future__ import annotations

from typing import Any

import pytest

from captions import views_settings
from captions.models import Caption, CaptionSettings, Finding
from captions.services import caption_write_machine
from tests.support.factories import make_area, make_tile
from tiles.models import Area, TilePair

pytestmark = pytest.mark.django_db

ADDRESS = "/areas/testland/captions/settings/"
FIELDS = {"preset": "mmm-rs-short", "template": "", "dataset": "", "low_limit": "10", "language": "en", "banned": ""}


@pytest.fixture
def area() -> Area:
    return make_area(satellite="Sentinel-2", imagery_gsd=10)


@pytest.fixture
def tile(area: Area) -> TilePair:
    made = make_tile(area, 7, files=False, native_gsd=10, satellite="Sentinel-2")
    caption_write_machine(tile_id=made.pk)
    return made


def test_saving_composes_and_checks_the_captions(signed_in: Any, area: Area, tile: TilePair) -> None:
    word = Caption.objects.get(tile=tile).text.split()[0].lower()
    fields = FIELDS | {"template": "{description}\r\n{satellite}", "banned": f"{word}\n\n", "second_reader": "on"}
    answer = signed_in("curator").post(ADDRESS, fields, follow=True)
    assert answer.redirect_chain == [(ADDRESS, 302)]
    assert "1 captions follow" in answer.content.decode()
    wanted = CaptionSettings.objects.get(area=area)
    assert (wanted.template, wanted.banned, wanted.second_reader) == ("{description}\n{satellite}", [word], True)
    caption = Caption.objects.get(tile=tile)
    assert caption.prompt.endswith("\nSentinel-2")
    assert "banned" in set(Finding.objects.filter(caption=caption).values_list("code", flat=True))


def test_for_many_captions_it_names_the_command(signed_in: Any, tile: TilePair, monkeypatch: Any) -> None:
    monkeypatch.setattr(views_settings, "MOST_AT_ONCE", 0)
    before = Caption.objects.get(tile=tile).prompt
    answer = signed_in("curator").post(ADDRESS, FIELDS | {"dataset": "GID", "preset": "mmm-rs-training"}, follow=True)
    assert "manage.py check_captions testland" in answer.content.decode()
    assert Caption.objects.get(tile=tile).prompt == before


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("template", "{description} {colour}", "no component"),
        ("template", "{satellite}", "all prompts are alike"),
        ("low_limit", "0", "greater than or equal to 1"),
        ("low_limit", "nan", "Enter a number"),
        ("language", "xx", "Select a valid choice"),
        ("preset", "", "required"),
        ("banned", "x" * 101, "too long"),
    ],
)
def test_what_cannot_be_is_said_and_not_saved(
    signed_in: Any, tile: TilePair, field: str, value: str, sentence: str
) -> None:
    answer = signed_in("curator").post(ADDRESS, FIELDS | {field: value})
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not CaptionSettings.objects.exists()


def test_the_example_follows_the_form(signed_in: Any, tile: TilePair) -> None:
    client = signed_in("curator")
    assert "Low precision resolution" in client.get(ADDRESS).context["prompt"]
    answer = client.get(f"{ADDRESS}example/", FIELDS | {"template": "{satellite}: {description}"})
    assert answer.context["prompt"].startswith("Sentinel-2: ")
    assert not CaptionSettings.objects.exists()
    assert "no component" in client.get(f"{ADDRESS}example/", FIELDS | {"template": "{colour}"}).content.decode()


def test_an_area_without_captions_says_what_to_do(signed_in: Any, area: Area) -> None:
    page = signed_in("curator").get(ADDRESS).content.decode()
    assert "No tile of this area has a caption yet" in page


@pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}example/"])
def test_only_who_builds_areas_may(signed_in: Any, area: Area, address: str) -> None:
    assert signed_in("reviewer").get(address).status_code == 403
    assert signed_in("curator").get(address.replace("testland", "nowhere")).status_code == 404
