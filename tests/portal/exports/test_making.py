"""Which tiles a release takes, how they are split, what leaks, and what changed since another one."""

from __future__ import annotations

import csv
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client

from captions.models import Caption
from captions.wanted import prompts_refresh, settings_save
from portal.exports.layouts import layout_of
from portal.exports.models import Release
from portal.exports.rehearsal import release_rehearse
from portal.exports.services import release_create, release_retry
from portal.exports.wanted import Split, Terms, Wanted
from tests.support.factories import SIZE, make_area, make_tile
from tests.support.releases import archive_path, work
from tiles.core.errors import BadInput, Conflict
from tiles.models import Area, Job, TilePair, TileSignature
from tiles.review.saved import view_save

pytestmark = pytest.mark.django_db

Approve = Callable[[TilePair], None]
STEP = 0.02


def ring(column: int, row: int, west: float = 15.0, north: float = 40.0) -> list[list[float]]:
    x, y = west + column * STEP, north - row * STEP
    return [[x, y], [x, y - STEP], [x + STEP, y - STEP], [x + STEP, y], [x, y]]


@pytest.fixture
def field(data_folder: Path, approve: Approve) -> tuple[Area, list[TilePair]]:
    """20 x 10 approved tiles side by side, 1.7 by 2.2 km each, rows only; the eastern half is of hills."""
    area = make_area("field", vertical_datum="EGM96", surface="dtm")
    tiles = []
    for index in range(200):
        column, row = divmod(index, 10)
        landform = "hill" if column >= 10 else "plain"
        tile = make_tile(area, index, files=False, footprint=ring(column, row), landform=landform, relief=float(index))
        approve(tile)
        tiles.append(tile)
    return area, tiles


@pytest.fixture
def make(curator: Any) -> Callable[..., Release]:
    def of(name: str, *slugs: str, terms: Terms | None = None, **wanted: Any) -> Release:
        return release_create(
            name=name, area_slugs=slugs or ["field"], wanted=Wanted(**wanted), terms=terms, by=curator, background=False
        )

    return of


def taken(release: Release) -> dict[int, str]:
    return dict(release.entries.values_list("tile__index", "split"))


BLOCKS = Split(way="blocks", block_km=6, buffer_km=1, seed=4)


def test_a_filter_a_list_and_a_view_choose(field: Any, make: Callable[..., Release], reviewer: Any) -> None:
    area, _tiles = field
    assert set(taken(make("a", query="landform=hill&relief_to=110"))) == set(range(100, 111))
    listed = make("b", tiles="field/3\nfield/tile_5.png and more\nfield/900\nelsewhere/1\n\n")
    assert (set(taken(listed)), listed.left_out) == ({3, 5}, {"unapproved": 2})
    assert listed.asked["tiles"]["tiles"] == 4
    assert set(taken(make("c", query="landform=hill", tiles="field/99\nfield/100"))) == {100}
    view_save(area=area, name="high", query="relief_from=195&order=score", by=reviewer, shared=True)
    call_command("export_release", "x", "--area", "field", "--view", "high", "--dry-run", stdout=(said := StringIO()))
    assert "field: 5 tiles" in said.getvalue()
    assert not Release.objects.filter(name="x").exists()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(query="landform=moon"), "The filter's landform is wrong"),
        (Wanted(query="assigned=me"), "Sign in to ask for your own tiles"),
        (Wanted(query="landform=ocean"), "No approved tile of field matches the filter"),
        (Wanted(tiles="nonsense"), "is not a tile"),
        (Wanted(tiles="field/900"), "in the list, but not approved now"),
        (Wanted(split=Split(way="blocks", block_km=1, buffer_km=2)), "the buffer between splits is no wider"),
        (Wanted(split=Split(way="random", shares={"train": 0.5})), "100 % together"),
        (Wanted(split=Split(way="random", seed=-1)), "The seed is"),
        (Wanted(split=Split(way="area")), "field is missing"),
        (Wanted(split=Split(way="files")), "at least one list"),
        (Wanted(split=Split(way="dice")), "There is no way 'dice'"),
    ],
)
def test_wishes_that_make_no_sense(wanted: Wanted, message: str, field: Any) -> None:
    with pytest.raises(BadInput) as refused:
        release_create(name="v1", area_slugs=["field"], wanted=wanted)
    assert message in refused.value.message
    assert not Release.objects.exists()
    assert not Job.objects.exists()


def test_blocks_keep_apart_and_are_the_same_again(field: Any, make: Callable[..., Release]) -> None:
    first, again = make("a", split=BLOCKS), make("b", split=BLOCKS)
    splits = taken(first)
    assert set(splits.values()) == {"train", "val", "test"}
    assert splits == taken(again)
    assert first.report == again.report
    assert first.asked["split"] == {"way": "blocks", "block_km": 6, "buffer_km": 1, "seed": 4, **shares()}
    assert first.report["overlaps"] == first.report["duplicates"] == first.report["kin"] == 0
    assert all(gap["metres"] >= 999 for gap in first.report["gaps"])
    assert first.left_out == {"border": 200 - len(splits)}
    left = first.left_out_tiles.values_list("tile", "reason", "favoured")
    assert {tile for tile, _r, _f in left} == {f"field/{n}" for n in range(200) if n not in splits}
    assert {found["tiles"] for found in first.report["splits"].values()} == set(Counter(splits.values()).values())
    assert first.contents[0]["splits"] == dict(Counter(splits.values()))
    assert taken(make("c", split=Split(way="blocks", block_km=6, buffer_km=1, seed=5))) != splits


def shares() -> dict[str, Any]:
    return {"shares": {"train": 0.8, "val": 0.1, "test": 0.1}}


def test_variants_stay_with_their_parent(field: Any, make: Callable[..., Release], approve: Approve) -> None:
    area, tiles = field
    for number, parent in enumerate(tiles[::20]):
        fog = make_tile(area, 1000 + number, files=False, footprint=None, parent=parent, scene="fog")
        fog.footprint = parent.footprint
        fog.save()
        approve(fog)
    release = make("a", split=BLOCKS)
    splits = taken(release)
    kept = [(number, 20 * number) for number in range(10) if 1000 + number in splits and 20 * number in splits]
    assert kept
    assert all(splits[1000 + number] == splits[parent] for number, parent in kept)
    assert release.report["kin"] == 0
    at_random = make("b", split=Split(way="random", seed=1))
    assert at_random.report["kin"] > 0
    assert at_random.report["overlaps"] > 0


def test_by_area_and_from_lists(field: Any, make: Callable[..., Release], approve: Approve) -> None:
    approve(make_tile(make_area("far"), 0, files=False, footprint=ring(0, 0, west=100)))
    by_area = make("a", "field", "far", split=Split(way="area", of_area={"field": "train", "far": "test"}))
    assert Counter(by_area.entries.values_list("tile__area__slug", "split")) == {
        ("field", "train"): 200,
        ("far", "test"): 1,
    }
    assert by_area.report["gaps"][0]["metres"] > 5_000_000
    listed = make("b", split=Split(way="files", lists={"train": "field/1\nfield/2", "test": "field/7 rgb.png"}))
    assert taken(listed) == {1: "train", 2: "train", 7: "test"}
    assert listed.left_out == {"unlisted": 197}


def test_near_duplicates_go_and_are_listed(
    field: Any, make: Callable[..., Release], approve: Approve, signed_in: Callable[[str], Client]
) -> None:
    other = make_area("other")
    approve(make_tile(other, 0, files=False, footprint=ring(0, 0)))  # the ground of field/0
    far = make_tile(other, 1, files=False, footprint=ring(300, 0))  # looks as field/7 does
    approve(far)
    noise = np.random.default_rng(1)
    picture = noise.integers(0, 255, (16, 16)).astype(np.uint8).tobytes()
    heights = noise.normal(500, 50, (16, 16)).astype("<f4").tobytes()
    quarters = dict(zip(TileSignature.QUARTERS, (1, 2, 3, 4), strict=True))
    for tile in (TilePair.objects.get(area__slug="field", index=7), far):
        TileSignature.objects.create(tile=tile, area=tile.area, picture=picture, heights=heights, **quarters)
    release = make("a", "field", "other", unique=True)
    assert release.left_out == {"duplicate": 2}
    lines = b"".join(signed_in("viewer").get("/releases/a/left-out.csv").streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(StringIO(lines)))
    assert [(row["tile"], row["favoured"]) for row in rows] == [("other/0", "field/0"), ("other/1", "field/7")]
    both = make("b", "field", "other", split=Split(way="area", of_area={"field": "train", "other": "test"}))
    assert both.report["duplicates"] == 2
    assert ["field/7", "other/1"] in both.report["alike"]


def test_terms_are_required_and_may_be_given(field: Any, make: Callable[..., Release]) -> None:
    area, _tiles = field
    Area.objects.filter(pk=area.pk).update(licence="unknown", attribution="")
    with pytest.raises(BadInput) as refused:
        make("a")
    assert refused.value.code == "terms_missing"
    assert "field has no licence and no attribution" in refused.value.message
    given = Terms(
        version="2.1.0-rc.1",
        doi="https://doi.org/10.5281/zenodo.1234",
        authors=["Ada  Lovelace", " "],
        licences={"field": "ODbL"},
        attributions={"field": "The mappers"},
    )
    release = make("a", terms=given)
    assert (release.version, release.doi, release.authors) == ("2.1.0-rc.1", "10.5281/zenodo.1234", ["Ada Lovelace"])
    assert (release.contents[0]["licence"], release.contents[0]["attribution"]) == ("ODbL", "The mappers")
    for wrong in ({"version": "v2"}, {"version": "1.02.0"}, {"doi": "zenodo"}, {"authors": ["a\u202eb"]}):
        with pytest.raises(BadInput):
            make("b", terms=Terms(licences=given.licences, attributions=given.attributions, **wrong))


def test_a_dry_run_counts_and_warns(field: Any, approve: Approve, make: Callable[..., Release]) -> None:
    area, _tiles = field
    approve(make_tile(area, 900, files=False, heights=np.full((SIZE, SIZE), 3, np.float32)))
    other = make_area("other", licence="unknown", vertical_datum="EGM2008", surface="dsm")
    approve(make_tile(other, 0, footprint=ring(0, 0)))
    wanted = Wanted(split=Split(way="area", of_area={"field": "train", "other": "test"}))
    found = release_rehearse(areas=[area, other], layout=layout_of("rs3dbench"), wanted=wanted)
    codes = {problem.code: problem for problem in found.problems}
    expected = {"terms_missing", "flat", "no_caption", "mixed_datums", "mixed_surfaces", "leakage"}
    assert set(codes) == expected | {"empty_split"}
    assert codes["terms_missing"].stops
    assert "EGM2008 in other; EGM96 in field" in codes["mixed_datums"].words
    assert found.tiles == sum(found.splits.values()) == 201
    assert found.seconds
    assert not Release.objects.exists()
    release = make("a", "field", split=Split(way="random", seed=2))
    at_random = Wanted(split=Split(way="random", seed=2))
    same = release_rehearse(areas=[area], layout=layout_of("rs3dbench"), wanted=at_random)
    assert (same.tiles, same.size, same.report) == (release.tile_count, release.planned_size, release.report)


def test_differences(
    field: Any, make: Callable[..., Release], caption: Callable[..., None], signed_in: Callable[[str], Client]
) -> None:
    _area, tiles = field
    caption(tiles[5], "A plain with a river.")
    lists = {"train": "\n".join(f"field/{n}" for n in range(10))}
    make("before", split=Split(way="files", lists=lists))
    caption(tiles[5], "A plain with two rivers.", base=1)
    caption(tiles[6], "Wholly new.")
    later = "\n".join(f"field/{n}" for n in range(3, 12) if n != 7)
    make("after", split=Split(way="files", lists={"train": later, "test": "field/7"}))
    client = signed_in("viewer")

    def of(kind: str, query: str = "") -> list[dict[str, Any]]:
        answer = client.get(f"/api/v1/releases/before/diff/after/?kind={kind}{query}").json()
        return list(answer["items"])

    assert [row["index"] for row in of("added")] == [10, 11]
    assert [row["index"] for row in of("removed")] == [0, 1, 2]
    changed = {row["index"]: row for row in of("changed")}
    assert set(changed) == {5, 6, 7}
    assert changed[5]["caption"] == {"before": "A plain with a river.", "after": "A plain with two rivers."}
    assert changed[6]["caption"] == {"before": "", "after": "Wholly new."}
    assert changed[7]["split"] == {"before": "train", "after": "test"}
    assert not any(row["pixels"] for row in changed.values())
    page = client.get("/releases/before/diff/after/?kind=changed").content.decode()
    assert "A plain with <del>a river</del><ins>two rivers</ins>." in page
    assert client.get("/api/v1/releases/before/diff/after/?kind=other").status_code == 400
    moved = client.get("/releases/after/compare/?other=before")
    assert moved["Location"] == "/releases/before/diff/after/"
    assert client.get("/releases/before/diff/nothing/").status_code == 404


def test_prompts_are_frozen_and_compared(
    coast: tuple[Area, list[TilePair]],
    released: Callable[..., Release],
    caption: Callable[..., None],
    curator: Any,
    signed_in: Callable[[str], Client],
) -> None:
    area, tiles = coast
    text = "A hill above the sea, number 1."
    composed = Caption.objects.get(tile=tiles[1]).prompt
    release = released("before", "coast")
    settings_save(area=area, by=curator, values={"preset": "mmm-rs-training"})
    prompts_refresh(area=area)
    caption(tiles[2], "Something else altogether.", base=1)
    now = Caption.objects.get(tile=tiles[1]).prompt
    assert now != composed
    assert [record["prompt"] for record in records_of(work_again(release))][1:] == [
        composed,
        "A hill above the sea, number 2.",
        None,
    ]
    assert records_of(released("after", "coast"))[1]["prompt"] == now
    client = signed_in("viewer")
    answer = client.get("/api/v1/releases/before/diff/after/?kind=changed").json()
    changed = {row["index"]: row for row in answer["items"]}
    assert set(changed) == {0, 1, 2}
    assert changed[1]["caption"] == {"before": text, "after": text}
    assert changed[1]["prompt"] == {"before": composed, "after": now}
    assert "<ins>" in client.get("/releases/before/diff/after/?kind=changed").content.decode()


def work_again(release: Release) -> Release:
    """Write it a second time, with what it froze the first."""
    Release.objects.filter(pk=release.pk).update(state=Release.State.FAILED)
    archive_path(release.name).unlink()
    again = work(release_retry(release_id=release.pk, by=None, background=False))
    assert (again.state, again.error) == (Release.State.READY, "")
    return again


def records_of(release: Release) -> list[dict[str, Any]]:
    with zipfile.ZipFile(archive_path(release.name)) as archive:
        return [json.loads(line) for line in archive.read(f"{release.name}/manifest.jsonl").splitlines()]


def test_differences_are_paged(
    field: Any,
    make: Callable[..., Release],
    signed_in: Callable[[str], Client],
    django_assert_max_num_queries: Any,
) -> None:
    make("some", tiles="field/0")
    make("all")
    client = signed_in("viewer")
    seen, cursor = [], ""
    while True:
        answer = client.get(f"/api/v1/releases/some/diff/all/?kind=added&after={cursor}").json()
        seen += [row["index"] for row in answer["items"]]
        cursor = answer["after"]
        if not cursor:
            break
    assert seen == list(range(1, 200))
    with django_assert_max_num_queries(14):  # sessions, people, two releases, a page, three counts
        client.get("/releases/some/diff/all/?kind=added")


def test_over_the_pages_and_the_json(field: Any, signed_in: Callable[[str], Client]) -> None:
    client = signed_in("curator")
    form = {"area": "field", "way": "blocks", "block_km": "6", "buffer_km": "1", "seed": "4", "filter": "relief_to=150"}
    preview = client.post("/releases/new/preview/", form).content.decode()
    assert "within the buffer between splits" in preview
    assert "wrong" in client.post("/releases/new/preview/", {**form, "filter": "landform=moon"}).content.decode()
    made = client.post("/releases/new/", {**form, "name": "v1", "layout": "rs3dbench", "client_id": str(uuid4())})
    assert made.status_code == 302, made.content.decode()
    page = client.get("/releases/v1/").content.decode()
    assert "spatial blocks of 6 km, 1 km between splits, seed 4" in page
    assert page.count("<polygon") == Release.objects.get().tile_count
    body = {
        "areas": ["field"],
        "filter": "relief_to=150",
        "split": {"way": "blocks", "block_km": 6, "buffer_km": 1, "seed": 4},
    }
    dry = client.post("/api/v1/releases/dry-run/", body, "application/json").json()
    assert dry["tiles"] == Release.objects.get().tile_count
    answer = client.post("/api/v1/releases/", {"name": "v2", "version": "1.1.0", **body}, "application/json")
    assert (answer.status_code, answer.json()["version"]) == (201, "1.1.0")
    assert answer.json()["report"] == Release.objects.get(name="v1").report


def test_pressed_twice_makes_one(field: Any, curator: Any) -> None:
    client_id = uuid4()
    first, again = (
        release_create(name="v1", area_slugs=["field"], by=curator, client_id=client_id, background=False)
        for _ in range(2)
    )
    assert first == again
    with pytest.raises(Conflict):
        release_create(name="v1", area_slugs=["field"], by=curator, client_id=uuid4(), background=False)


def test_the_command_takes_it_all(field: Any, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("".join(f"field/{number}\n" for number in range(60)))
    said = StringIO()
    call_command(
        *("export_release", "v1", "--area", "field", "--tiles", str(tmp_path / "list.txt"), "--unique"),
        *("--split", "random", "--shares", "50,25,25", "--seed", "3", "--dry-run"),
        *("--licence", "field=ODbL", "--attribution", "field=The mappers"),
        stdout=said,
    )
    assert "field: 60 tiles, 15 test, 30 train, 15 val" in said.getvalue()
    assert "train and val are 0 m apart" in said.getvalue()
    assert "Nothing was written." in said.getvalue()
    assert not Release.objects.exists()
