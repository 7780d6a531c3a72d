"""Building from a page: the same service, inputs from beneath DEMETER_SOURCES only, errors beside the question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tiles.build.choosing import source_folder, source_path, source_tree
from tiles.build.drop import area_rgb_drop
from tiles.core.errors import BadInput
from tiles.jobs.runner import run_here
from tiles.models import Area, Job

from .conftest import Build, Inputs, hills, write_raster

SIZE = 32
ANSWERS = {
    "name": "The land",
    "slug": "",
    "bands": "1,2,3",
    "tile_size": SIZE,
    "void_limit": 0,
    "uncovered_limit": 0,
    "normalisation": "per_channel",
    "percent": 1,
    "surface": "dtm",
    "height_unit": "m",
    "vertical_datum": "EGM96",
    "licence": "CC0",
}


@pytest.fixture
def sources(inputs: Inputs, settings: Any, tmp_path: Path) -> Path:
    """`inputs` is the only source; beside it lies what must stay out of reach."""
    settings.DEMETER_SOURCES = [inputs.folder]
    write_raster(tmp_path / "secret" / "secret.tif", hills(40, 40))
    write_raster(inputs.folder / ".hidden" / "dem.tif", hills(40, 40))
    (inputs.folder / "way_out").symlink_to(tmp_path / "secret")
    (inputs.folder / "link.tif").symlink_to(tmp_path / "secret" / "secret.tif")
    (inputs.folder / "dem" / "notes.txt").write_text("no raster")
    (inputs.folder / "again").symlink_to(inputs.dems)
    return inputs.folder


def test_what_can_be_chosen(sources: Path) -> None:
    (root,) = source_tree(())
    assert [(node.entry.name, node.entry.is_folder) for node in root.nodes] == [
        ("again", True),
        ("dem", True),
        ("picture.tif", False),
    ]
    inside = source_folder("0/dem")
    assert [node.entry.key for node in inside.nodes] == ["0/dem/part2.tif", "0/dem/part10.tif"]
    assert source_path("0/dem/part2.tif") == sources / "dem" / "part2.tif"
    assert source_path("0/again").is_dir(), "a link that stays beneath the source is fine"


@pytest.mark.parametrize(
    "key",
    [
        *("", "0/..", "0/dem/../../secret", "0/way_out", "0/way_out/secret.tif", "0/link.tif", "0/.hidden/dem.tif"),
        *("1/", "-1/", "x/", "0//etc/passwd", "0/absent", "0/dem\0", "²/", "9" * 5000),
    ],
)
def test_what_can_not(sources: Path, signed_in: Callable[[str], Client], key: str) -> None:
    with pytest.raises(BadInput):
        source_path(key)
    answer = signed_in("curator").post(reverse("area-build"), {**ANSWERS, "dems": [key], "imagery": "0/picture.tif"})
    assert answer.status_code == 200
    assert "may be chosen" in answer.content.decode()
    assert str(sources) not in answer.content.decode(), "no path of this machine"
    assert not Area.objects.exists()


def test_a_chosen_folder_is_shown_open(sources: Path) -> None:
    (root,) = source_tree(["0/dem/part2.tif"])
    opened = {node.entry.name: node.opened for node in root.nodes}
    assert opened == {"again": False, "dem": True, "picture.tif": False}


def test_a_folder_is_listed_on_demand(sources: Path, signed_in: Callable[[str], Client]) -> None:
    client = signed_in("curator")
    page = client.get(reverse("build-sources"), {"at": "0/dem", "field": "imagery"}).content.decode()
    assert "part10.tif" in page
    assert "2 rasters" in page
    assert 'type="radio"' in page
    assert "notes.txt" not in page
    assert client.get(reverse("build-sources"), {"at": "0/way_out"}).status_code == 404
    assert client.get(reverse("build-sources"), {"at": "0/picture.tif"}).status_code == 404


def test_without_sources_the_page_says_what_to_do(settings: Any, signed_in: Callable[[str], Client]) -> None:
    settings.DEMETER_SOURCES = []
    page = signed_in("curator").get(reverse("area-build")).content.decode()
    assert "DEMETER_SOURCES" in page
    assert "build_area" in page


@pytest.mark.parametrize("role", ["viewer", "annotator", "reviewer"])
def test_only_curators_build(sources: Path, signed_in: Callable[[str], Client], role: str) -> None:
    client = signed_in(role)
    for method in (client.get, client.post):
        assert method(reverse("area-build")).status_code == 403
        assert method(reverse("area-rebuild", args=["land"])).status_code == 403
    assert client.get(reverse("build-sources"), {"at": "0/dem"}).status_code == 403


def test_a_curator_builds_an_area(sources: Path, data_folder: Path, signed_in: Callable[[str], Client]) -> None:
    answer = signed_in("curator").post(
        reverse("area-build"), {**ANSWERS, "dems": ["0/dem"], "imagery": "0/picture.tif"}
    )
    job = Job.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("job", args=[job.pk])
    area = Area.objects.get()
    assert (area.slug, area.name, area.vertical_datum, area.created_by.username) == (
        "the-land",
        "The land",
        "EGM96",
        "curator",
    )
    assert job.started_by == area.created_by
    assert run_here(job.pk, lambda _job: None).state == Job.State.DONE
    assert area.tiles.filter(build_state="built").count() == 10


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "This field is required"),
        ({"slug": "new"}, "cannot be an area"),
        ({"slug": "Land"}, "cannot be an area"),
        ({"bands": "a,b"}, "three band numbers"),
        ({"bands": "1,2,7"}, "no band 7"),
        ({"tile_size": 8}, "greater than or equal to 16"),
        ({"tile_size": 128}, "No tile of 128 x 128 fits"),
        ({"void_limit": 200}, "less than or equal to 100"),
        ({"dems": []}, "at least one"),
        ({"imagery": []}, "Choose the folder or file"),
        ({"imagery": "0/dem"}, "1 band"),
        ({"dems": ["0/picture.tif"]}, "an elevation model has one"),
        ({"dem_from": "2021-02-03", "dem_to": "2020-02-03"}, "cannot end before"),
        ({"name": "日本"}, "No short name can be made of this name"),
        ({"slug": "../x"}, "Use lower-case letters"),
        ({"bands": "1,2"}, "Name three bands"),
        ({"nir": 10**30}, "so there is no band"),
        ({"grid-limit": 10**30}, "No area has so many tiles"),
        ({"grid-resize": 10**30}, "pixels wide"),
        ({"source": "mars"}, "not one of the available choices"),
    ],
)
def test_errors_stand_beside_their_question(
    sources: Path, data_folder: Path, signed_in: Callable[[str], Client], change: dict[str, Any], says: str
) -> None:
    answers = {**ANSWERS, "dems": ["0/dem"], "imagery": "0/picture.tif", **change}
    answer = signed_in("curator").post(reverse("area-build"), answers)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing was started" in page
    assert says in page[page.index("errorlist") :]
    assert not Area.objects.exists()
    assert not Job.objects.exists()
    if change.get("dems", True):
        assert "checked" in page, "what was chosen stays chosen"


def test_the_same_short_name_twice_is_refused(sources: Path, signed_in: Callable[[str], Client]) -> None:
    Area.objects.create(slug="the-land", name="Another")
    answers = {**ANSWERS, "dems": ["0/dem"], "imagery": "0/picture.tif"}
    page = signed_in("curator").post(reverse("area-build"), answers).content.decode()
    assert "There is an area the-land already" in page
    assert Area.objects.get().name == "Another"


def test_building_on(sources: Path, build: Build, inputs: Inputs, signed_in: Callable[[str], Client]) -> None:
    area = build(dems=[inputs.dems / "part2.tif"], imagery=inputs.raster, tile_size=SIZE)
    client, address = signed_in("curator"), reverse("area-rebuild", args=["land"])
    limits = {"void_limit": 2, "uncovered_limit": 3, "normalisation": "per_channel", "percent": 1}
    page = client.get(address).content.decode()
    assert "part10.tif" not in page, "folders are closed"
    assert "Last build" in page

    refused = client.post(address, {**limits, "percent": 5}).content.decode()
    assert "another stretch" in refused

    answer = client.post(address, {**limits, "dems": ["0/dem/part10.tif"]})
    job = Job.objects.order_by("-id").first()
    assert job is not None
    assert answer["Location"] == reverse("job", args=[job.pk])
    assert "is being built" in client.get(address).content.decode()
    run_here(job.pk, lambda _job: None)
    area.refresh_from_db()
    assert (area.void_limit, area.uncovered_limit) == (2, 3)
    assert area.tiles.filter(build_state="built").count() == 10

    client.post(address, {**limits, "percent": 5, "remake": "on"})
    job = Job.objects.order_by("-id").first()
    assert job is not None
    assert (job.kind, run_here(job.pk, lambda _job: None).done) == ("build", 10)
    assert set(area.tiles.values_list("parameters__percent", flat=True)) == {5}


def test_another_stretch_by_itself_uses_the_stored_imagery(
    sources: Path, build: Build, inputs: Inputs, signed_in: Callable[[str], Client], person: Callable[..., Any]
) -> None:
    area = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)
    client, address = signed_in("curator"), reverse("area-rebuild", args=["land"])
    asked = {"void_limit": 0, "uncovered_limit": 0, "normalisation": "per_channel", "percent": 5}
    assert "uses the imagery that is stored" in client.get(address).content.decode()
    inputs.imagery.unlink()
    answer = client.post(address, asked, follow=True)
    job = Job.objects.latest("id")
    assert answer.redirect_chain == [(reverse("job", args=[job.pk]), 302)]
    assert "the source is not read" in answer.content.decode()
    assert (job.kind, job.started_by) == ("restretch", person("curator"))
    assert "are being stretched anew" in client.get(address).content.decode()
    assert run_here(job.pk, lambda _job: None).done == 10
    assert set(area.tiles.values_list("parameters__percent", flat=True)) == {5}
    run_here(area_rgb_drop(area_id=area.pk, by=person("curator"), background=False).pk, lambda _job: None)
    assert "was dropped" in client.get(address).content.decode()
    assert "another stretch" in client.post(address, {**asked, "percent": 1}).content.decode()
