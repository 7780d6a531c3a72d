"""Imagery that is searched for, asked for on the build page: Earth Engine with its presets, and STAC catalogues."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.earthengine import StandIn
from tests.support.stac import StacServer
from tiles.imagery.ee_request import PRESETS, Request
from tiles.imagery.questions import EARTHENGINE
from tiles.jobs.runner import run_here
from tiles.models import Area, Job

from .conftest import Inputs
from .test_page import ANSWERS

pytestmark = pytest.mark.django_db
LANDSAT = "LANDSAT/LC08/C02/T1_L2"
DAYS = {"start": "2023-01-01", "end": "2023-12-31"}


@pytest.fixture
def sources(inputs: Inputs, settings: Any) -> Path:
    settings.DEMETER_SOURCES = [inputs.folder]
    return inputs.folder


@pytest.fixture
def catalogue(settings: Any) -> Iterator[StacServer]:
    with StacServer() as server:
        settings.DEMETER_STAC_HOSTS = [server.host]
        settings.DEMETER_STAC_SECONDS = 20
        yield server


def filled(preset: str = "cloud-score") -> dict[str, Any]:
    """The fields about Earth Engine as the page fills them for a preset."""
    request = PRESETS[preset]
    shown = {f"ee-{question.name}": question.shown(getattr(request, question.name)) for question in EARTHENGINE}
    if request.clear_count:
        shown["ee-clear_count"] = "on"
    else:
        shown.pop("ee-clear_count")
    return {**shown, "ee-preset": preset, "ee-filled": f"{preset} {request.collection}"}


def asked(client: Client, **answers: Any) -> str:
    """Send the build page, and return what it says; the address of the job when one was started."""
    answer = client.post(reverse("area-build"), {**ANSWERS, "dems": ["0/dem"], **answers}, follow=True)
    return answer.redirect_chain[0][0] if answer.redirect_chain else unescape(answer.content.decode())


def request_kept() -> Request:
    return Request.from_dict(Area.objects.get().recipe["imagery"]["request"])


def test_an_area_of_earth_engine_is_built_from_the_page(
    sources: Path, data_folder: Path, earthengine: StandIn, signed_in: Callable[[str], Client]
) -> None:
    client = signed_in("curator")
    assert asked(client, source="earthengine", **filled()) == reverse("job", args=[Job.objects.get().pk])
    assert request_kept() == PRESETS["cloud-score"]
    assert run_here(Job.objects.get().pk, lambda _job: None).done == 10
    page = unescape(client.get(reverse("area", args=["the-land"])).content.decode())
    for words in ("What was asked for", "COPERNICUS/S2_HARMONIZED", "Cloud Score+ (Sentinel-2)", "2021-01-01"):
        assert words in page


def test_another_preset_without_a_script_keeps_only_what_was_changed(
    sources: Path, data_folder: Path, earthengine: StandIn, signed_in: Callable[[str], Client]
) -> None:
    answers = {**filled(), "ee-preset": "published", "ee-cloud_limit": "35", "ee-months": "11-2"}
    asked(signed_in("curator"), source="earthengine", **answers)
    published = PRESETS["published"].to_dict()
    assert request_kept().to_dict() == {**published, "cloud_limit": 35.0, "months": [11, 2]}
    page = unescape(signed_in("viewer").get(reverse("area", args=["the-land"])).content.decode())
    assert "about 389 of 1,095" in page


def test_what_is_emptied_is_done_without(
    sources: Path, data_folder: Path, earthengine: StandIn, signed_in: Callable[[str], Client]
) -> None:
    asked(signed_in("curator"), source="earthengine", **{**filled(), "ee-nir": "", "ee-cloud_limit": ""})
    assert (request_kept().nir, request_kept().cloud_limit) == (None, None)


def test_a_collection_brings_its_own_parts(earthengine: StandIn, signed_in: Callable[[str], Client]) -> None:
    answers = {**filled(), "ee-collection": LANDSAT, "ee-end": "2022-06-30"}
    page = signed_in("curator").get(reverse("build-earthengine"), answers).content.decode()
    for value in ("SR_B4,SR_B3,SR_B2", "SR_B5", "2.75e-05", "-0.2", "2022-06-30", f"cloud-score {LANDSAT}"):
        assert f'value="{value}"' in page
    assert '<option value="qa-pixel" selected>' in page


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ee-collection": ""}, "This field is required"),
        ({"ee-collection": "nothing at all!"}, "is no id of Earth Engine"),
        ({"ee-bands": "B4,B3"}, "Name three bands"),
        ({"ee-months": "summer"}, "Give the first and the last month, as in 5-9."),
        ({"ee-threshold": "much"}, "Give a number"),
        ({"ee-start": "2024-01-01"}, "cannot end before it begins"),
        ({"ee-mask": "magic"}, "Choose one of"),
    ],
)
def test_errors_stand_in_the_question(
    sources: Path,
    data_folder: Path,
    earthengine: StandIn,
    signed_in: Callable[[str], Client],
    change: dict[str, Any],
    says: str,
) -> None:
    page = asked(signed_in("curator"), source="earthengine", **{**filled(), **change})
    assert "Nothing was started" in page
    assert says in page[page.index("2. Which imagery?") : page.index("3. Which grid?")]
    assert not Area.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ee-collection": "nothing at all!"}, "ee-collection"),
        ({"ee-collection": "LANDSAT/LC09/C02/T1_L2", "ee-mask": "qa60", "ee-end": "2021-03"}, "ee-end"),
        ({"ee-bands": "B4,B3"}, "ee-bands"),
        ({"ee-nir": "B 8"}, "ee-nir"),
        ({"ee-months": "0-13"}, "ee-months"),
        ({"ee-cloud_limit": "120"}, "ee-cloud_limit"),
        ({"ee-threshold": "60"}, "ee-threshold"),
        ({"ee-scale_factor": "-1"}, "ee-scale_factor"),
        ({"ee-reducer": "mean"}, "ee-reducer"),
        ({"ee-mask": "qa60", "ee-start": "2022-06-01", "ee-end": "2022-08-31"}, "ee-mask"),
    ],
)
def test_an_error_stands_at_its_field(
    sources: Path,
    data_folder: Path,
    earthengine: StandIn,
    signed_in: Callable[[str], Client],
    change: dict[str, Any],
    field: str,
) -> None:
    page = asked(signed_in("curator"), source="earthengine", **{**filled(), **change})
    assert re.findall(r'errorlist" id="id_(.+?)_error"', page) == [field]
    assert f'id="id_{field}"' in page
    assert not Area.objects.exists()


def test_an_error_stands_at_its_field_when_a_preset_brings_its_parts(
    earthengine: StandIn, signed_in: Callable[[str], Client]
) -> None:
    page = signed_in("curator").get(reverse("build-earthengine"), {**filled(), "ee-collection": "x y"})
    assert re.findall(r'errorlist" id="id_(.+?)_error"', page.content.decode()) == ["ee-collection"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stac-url": "http://example.org/v1"}, "stac-url"),
        ({"stac-collection": "landsat-5"}, "stac-collection"),
        ({"stac-cloud_limit": "120"}, "stac-cloud_limit"),
        ({"stac-scenes": "99"}, "stac-scenes"),
        ({"stac-mask": "0,77"}, "stac-mask"),
        ({"stac-assets": "ultraviolet=B99"}, "stac-assets"),
        ({"stac-composite": "mean"}, "stac-composite"),
        ({"stac-end": "2022-01-01"}, "stac-end"),
    ],
)
def test_an_error_of_a_catalogue_stands_at_its_field(
    sources: Path,
    data_folder: Path,
    catalogue: StacServer,
    signed_in: Callable[[str], Client],
    change: dict[str, Any],
    field: str,
) -> None:
    answers = {"url": catalogue.url, "collection": "sentinel-2-l2a", **DAYS, "cloud_limit": "15", "scenes": "4"}
    answers |= {"composite": "median", "mask": "0,8,9", "assets": ""}
    stac = {f"stac-{name}": value for name, value in answers.items()}
    page = asked(signed_in("curator"), source="stac", **{**stac, **change})
    assert re.findall(r'errorlist" id="id_(.+?)_error"', page) == [field]
    assert not Area.objects.exists()


def test_a_source_that_is_not_configured_says_what_to_set(
    sources: Path, settings: Any, signed_in: Callable[[str], Client]
) -> None:
    settings.EARTHENGINE_CREDENTIALS, settings.DEMETER_STAC_HOSTS = "", []
    client = signed_in("curator")
    page = client.get(reverse("area-build")).content.decode()
    assert "Set EARTHENGINE_CREDENTIALS" in page
    assert "Set DEMETER_STAC_HOSTS" in page
    assert 'name="ee-collection"' not in page
    assert "Set EARTHENGINE_CREDENTIALS" in asked(client, source="earthengine", **filled())
    settings.EARTHENGINE_CREDENTIALS = "anonymous"
    settings.EARTHENGINE_PROJECT = ""
    assert "Set EARTHENGINE_PROJECT" in client.get(reverse("area-build")).content.decode()


def test_a_catalogue_is_searched_as_the_page_says(
    sources: Path, data_folder: Path, catalogue: StacServer, signed_in: Callable[[str], Client]
) -> None:
    client = signed_in("curator")
    answers = {"url": catalogue.url, "collection": "sentinel-2-l2a", **DAYS, "cloud_limit": "15", "scenes": "4"}
    answers |= {"composite": "least_cloudy", "mask": "0,8,9", "assets": ""}
    stac = {f"stac-{name}": value for name, value in answers.items()}
    elsewhere = asked(client, source="stac", **{**stac, "stac-url": "http://example.org/v1"})
    assert "example.org is not among the hosts" in elsewhere
    assert "This field is required" in asked(client, source="stac", **{**stac, "stac-start": ""})
    assert asked(client, source="stac", **stac) == reverse("job", args=[Job.objects.get().pk])
    spec = Area.objects.get().recipe["imagery"]
    kept = [spec[name] for name in ("url", "start", "end", "cloud_limit", "composite", "scenes", "mask")]
    assert kept == [catalogue.url, "2023-01-01", "2023-12-31", 15.0, "least_cloudy", 4, [0, 8, 9]]
    page = unescape(client.get(reverse("area", args=["the-land"])).content.decode())
    assert f"STAC catalogue {catalogue.url}" in page
