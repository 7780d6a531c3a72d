"""Imagery found in a STAC catalogue and read range by range, against stand-ins on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform

from tests.support.stac import NORTH, UTM, WEST, Reply, StacServer, bands_of, geotiff, picture
from tiles.core.errors import BadInput
from tiles.imagery import (
    Imagery,
    NoImagery,
    SourceClosed,
    SourcePermanent,
    SourceRetryable,
    imagery_difference,
    imagery_survey,
    source_from,
)
from tiles.raster.grid import Grid

# Eight pixels of 10 m inside the scenes, which have 64.
GRID = Grid(UTM, (10, 0, WEST + 100, 0, -10, NORTH - 100), 8, 8)


@pytest.fixture
def catalogue(settings: Any) -> Iterator[StacServer]:
    with StacServer() as server:
        settings.DEMETER_STAC_HOSTS = [server.host]
        settings.DEMETER_STAC_SECONDS = 20
        yield server


@pytest.fixture
def stranger() -> Iterator[StacServer]:
    """Another server, which is not configured."""
    with StacServer() as server:
        yield server


def spec(server: StacServer, **search: Any) -> dict[str, Any]:
    search = {"start": "2023-01-01", "end": "2023-12-31"} | search
    return imagery_survey(f"stac:{server.url}", search=search)


def fetch(server: StacServer, grid: Grid = GRID, **search: Any) -> Imagery:
    with source_from(spec(server, **search)) as source:
        return source.fetch(grid)


def test_the_median_of_three_passes_is_the_one_in_the_middle(catalogue: StacServer) -> None:
    for number, red in enumerate((3000, 1000, 2000)):
        catalogue.scene(f"S{number}", bands_of(red, red + 10, red + 20, red + 30), day=f"2023-06-0{number + 1}")
    found = fetch(catalogue)
    assert found.rgb.shape == (8, 8, 3)
    assert found.rgb.dtype == np.float32
    np.testing.assert_allclose(found.rgb[3, 4], [0.2, 0.201, 0.202], atol=1e-6)
    assert found.nir is not None
    np.testing.assert_allclose(found.nir, 0.203, atol=1e-6)
    assert found.valid.all()
    assert found.clear_observations is not None
    assert (found.clear_observations == 3).all()
    assert (found.scale, found.offset) == (1.0, 0.0)
    assert [scene["id"] for scene in found.provenance["scenes"]] == ["S0", "S1", "S2"]
    assert found.provenance["clear_observations"] == {"min": 3, "mean": 3.0}
    assert found.provenance["endpoint"] == catalogue.url
    assert found.provenance["collection"] == "sentinel-2-l2a"
    assert found.provenance["scenes"][1]["datetime"] == "2023-06-02T10:00:00Z"


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two(catalogue: StacServer) -> None:
    for number, red in enumerate((1000, 2000, 4000, 9000)):
        catalogue.scene(f"S{number}", bands_of(red, red, red, red), day=f"2023-06-0{number + 1}")
    np.testing.assert_allclose(fetch(catalogue).rgb, 0.3, atol=1e-6)


@pytest.mark.parametrize("cloud", [0, 1, 3, 8, 9, 10])
def test_masked_classes_leave_the_median_pixel_by_pixel(catalogue: StacServer, cloud: int) -> None:
    """Classes have 20 m: a class pixel is 2 x 2 of the tile's. Its left half is cloudy in S1."""
    classes = np.full((32, 32), 4)
    classes[:, :7] = cloud  # 140 m: the tile begins at 100 m, so four of its columns
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000), day="2023-06-01")
    catalogue.scene("S1", bands_of(3000, 3000, 3000, 3000, scl=classes), day="2023-06-02")
    found = fetch(catalogue)
    np.testing.assert_allclose(found.rgb[:, :4], 0.1, atol=1e-6)
    np.testing.assert_allclose(found.rgb[:, 4:], 0.2, atol=1e-6)
    assert found.clear_observations is not None
    assert found.clear_observations.tolist() == [[1] * 4 + [2] * 4] * 8
    assert found.provenance["clear_observations"] == {"min": 1, "mean": 1.5}


def test_snow_and_shaded_slopes_are_kept_unless_the_mask_says_otherwise(catalogue: StacServer) -> None:
    classes = np.full((32, 32), 11)
    classes[:, :7] = 2
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000, scl=classes))
    assert fetch(catalogue).valid.all()
    found = fetch(catalogue, mask=[2, 8, 9])
    assert found.valid.tolist() == [[False] * 4 + [True] * 4] * 8
    assert found.provenance["mask"] == [0, 2, 8, 9], "what has no data is never a picture"


def test_the_least_cloudy_pass_that_is_clear_gives_the_pixel(catalogue: StacServer) -> None:
    classes = np.full((32, 32), 4)
    classes[:, :7] = 9
    catalogue.scene("S0", bands_of(3000, 3000, 3000, 3000), day="2023-06-01", cloud=15)
    catalogue.scene("S1", bands_of(2000, 2000, 2000, 2000, scl=classes), day="2023-06-02", cloud=2)
    catalogue.scene("S2", bands_of(9000, 9000, 9000, 9000), day="2023-06-03", cloud=19)
    found = fetch(catalogue, composite="least_cloudy")
    np.testing.assert_allclose(found.rgb[:, :4], 0.3, atol=1e-6)
    np.testing.assert_allclose(found.rgb[:, 4:], 0.2, atol=1e-6)
    assert not catalogue.asked_for("/S2/"), "no more is read than it takes"


def test_no_more_passes_are_read_than_asked_for_once_every_pixel_was_seen(catalogue: StacServer) -> None:
    for number in range(5):
        catalogue.scene(f"S{number}", bands_of(1000, 1000, 1000, 1000), day=f"2023-06-0{number + 1}", cloud=number)
    assert fetch(catalogue, scenes=2).provenance["looks"] == 2
    assert not catalogue.asked_for("/S2/")


OFFSETS = [
    ({"scale": 0.0001, "offset": -0.1}, {}, 0.2),
    ({"scale": 0.0001, "offset": -1000}, {}, 0.2),
    ({"scale": 0.0001, "offset": 0}, {"s2:processing_baseline": "05.09"}, 0.3),
    ({"scale": 0.0002, "offset": 0}, {}, 0.6),
    (None, {"s2:processing_baseline": "04.00"}, 0.2),
    (None, {"s2:processing_baseline": "03.01"}, 0.3),
    ({"scale": 0.0001, "offset": -0.1}, {"earthsearch:boa_offset_applied": True}, 0.3),
    (None, {"s2:processing_baseline": "05.11", "earthsearch:boa_offset_applied": True}, 0.3),
    ({"scale": 0.0001, "offset": -0.1}, {"earthsearch:boa_offset_applied": False}, 0.2),
]


@pytest.mark.parametrize(("said", "properties", "reflectance"), OFFSETS)
def test_scale_and_offset_of_the_processing_baseline(
    catalogue: StacServer, said: Any, properties: dict[str, Any], reflectance: float
) -> None:
    catalogue.scene("S0", bands_of(3000, 3000, 3000, 3000), said=said, properties=properties)
    np.testing.assert_allclose(fetch(catalogue).rgb, reflectance, atol=1e-6)


def test_scale_and_offset_as_stac_1_1_writes_them(catalogue: StacServer) -> None:
    item = catalogue.scene("S0", bands_of(3000, 3000, 3000, 3000))
    for key in ("red", "green"):
        item["assets"][key]["bands"] = [{"name": key, "raster:scale": 0.0001, "raster:offset": -0.1}]
    item["assets"]["blue"] |= {"raster:scale": 0.0001, "raster:offset": -0.2}
    np.testing.assert_allclose(fetch(catalogue).rgb[0, 0], [0.2, 0.2, 0.1], atol=1e-6)


def test_scenes_of_one_pass_are_one_look(catalogue: StacServer) -> None:
    """Two squares of one pass meet in the middle of the tile; where both have a pixel it is counted once."""
    catalogue.scene("WEST", bands_of(1000, 1000, 1000, 1000), west=WEST - 500)  # until 140 m
    catalogue.scene("EAST", bands_of(2000, 2000, 2000, 2000), west=WEST + 120)
    found = fetch(catalogue)
    assert found.valid.all()
    assert found.clear_observations is not None
    assert (found.clear_observations == 1).all()
    np.testing.assert_allclose(found.rgb[0, :, 0], [0.1] * 2 + [0.2] * 6, atol=1e-6)


def test_scenes_in_another_coordinate_system_land_where_they_belong(catalogue: StacServer) -> None:
    """The scene's values are its own coordinates, in the neighbouring zone."""
    zone = "EPSG:32632"
    (east,), (north,) = transform(UTM, zone, [WEST], [NORTH])
    size = 100
    left, top = round(east) - 300, round(north) + 300
    columns, rows = np.meshgrid(np.arange(size), np.arange(size))
    bands = {
        "red": (1000 + 10 * columns).astype(np.uint16),
        "green": (1000 + 10 * rows).astype(np.uint16),
        "blue": picture(1000, size),
        "nir": picture(1000, size),
        "scl": np.full((size // 2, size // 2), 4, np.uint8),
    }
    catalogue.scene("S0", bands, crs=zone, west=left, north=top)
    found = fetch(catalogue)
    centres = np.arange(8) * 10 + 105
    xs, ys = transform(UTM, zone, list(WEST + centres), list(NORTH - centres))
    expected = [[(x - left) / 10 - 0.5, (top - y) / 10 - 0.5] for x, y in zip(xs, ys, strict=True)]
    diagonal = np.stack([found.rgb[place, place, :2] for place in range(8)])
    np.testing.assert_allclose((diagonal * 10_000 - 1000) / 10, expected, atol=0.15)


def test_pages_are_followed_and_limits_are_kept_whatever_the_server_does(catalogue: StacServer) -> None:
    for number in range(5):
        catalogue.scene(f"S{number}", bands_of(1000, 1000, 1000, 1000), day=f"2023-06-0{number + 1}")
    catalogue.scene("CLOUDY", bands_of(9000, 9000, 9000, 9000), cloud=50)
    catalogue.scene("LATE", bands_of(9000, 9000, 9000, 9000), day="2024-01-01")
    found = fetch(catalogue)
    assert len(found.provenance["scenes"]) == 5
    searches = catalogue.asked_for("/search")
    assert len(searches) == 3
    assert searches[0].body["query"] == {"eo:cloud_cover": {"lte": 20.0}}
    catalogue.conforms = [one for one in catalogue.conforms if "query" not in one]
    assert "CLOUDY" not in [scene["id"] for scene in fetch(catalogue).provenance["scenes"]]


@pytest.mark.parametrize(("west", "box"), [(179.9, (179.9, -179.9)), (179.8, (179.8, 180.0)), (12.0, (12.0, 12.2))])
def test_a_tile_at_the_antimeridian_is_searched_on_both_sides(
    catalogue: StacServer, west: float, box: tuple[float, float]
) -> None:
    with pytest.raises(NoImagery):
        fetch(catalogue, Grid("EPSG:4326", (0.025, 0, west, 0, -0.025, 10.0), 8, 8))
    (search,) = catalogue.asked_for("/search")
    assert search.body["bbox"] == pytest.approx([box[0], 9.8, box[1], 10.0])


def test_no_scene_is_said_in_a_sentence(catalogue: StacServer) -> None:
    with pytest.raises(
        NoImagery, match="no scene of sentinel-2-l2a here from 2023-01-01 to 2023-12-31 with at most 20"
    ):
        fetch(catalogue)


def test_nothing_but_clouds_is_said_in_a_sentence(catalogue: StacServer) -> None:
    catalogue.scene("S0", bands_of(9000, 9000, 9000, 9000, scl=9))
    with pytest.raises(NoImagery, match="none is free of clouds"):
        fetch(catalogue)
    assert not catalogue.asked_for("red"), "a look without a clear pixel costs its classes only"


def test_only_the_ranges_that_are_needed_are_fetched(catalogue: StacServer) -> None:
    rough = np.random.default_rng(3).integers(1, 10_000, (1024, 1024)).astype(np.uint16)
    catalogue.scene("S0", bands_of(1, 1, 1, 1, size=1024) | {"red": rough})
    found = fetch(catalogue)
    np.testing.assert_allclose(found.rgb[:, :, 0], rough[10:18, 10:18] / 10_000, atol=1e-6)
    asked = catalogue.asked_for("red.tif")
    assert all(one.range for one in asked)
    assert sum(one.sent for one in asked) < len(catalogue.files["/files/S0/red.tif"]) / 8


def test_a_host_that_is_not_configured_is_never_contacted(catalogue: StacServer, stranger: StacServer) -> None:
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000), files=stranger)
    with pytest.raises(SourceClosed, match="is not among the hosts that may be contacted") as caught:
        fetch(catalogue)
    assert stranger.host in str(caught.value)
    catalogue.scene("S1", bands_of(1000, 1000, 1000, 1000))
    with pytest.raises(SourcePermanent, match="may be a mistake of the catalogue"):
        fetch(catalogue)
    with pytest.raises(BadInput, match="DEMETER_STAC_HOSTS"):
        spec(stranger)
    assert stranger.asked == []


@pytest.mark.parametrize("path", ["/", "/search", "/files/S0/red.tif"])
def test_a_redirect_to_another_host_is_not_followed(catalogue: StacServer, stranger: StacServer, path: str) -> None:
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))
    made = spec(catalogue)
    stranger.files |= catalogue.files
    catalogue.faults.append(lambda asked: Reply(307, location=stranger.url + path) if asked == path else None)
    with source_from(made) as source, pytest.raises(SourceClosed, match="not among the hosts"):
        source.fetch(GRID)
    assert stranger.asked == []


def test_a_redirect_within_the_configured_hosts_is_followed(
    catalogue: StacServer, stranger: StacServer, settings: Any
) -> None:
    settings.DEMETER_STAC_HOSTS = [catalogue.host, stranger.host]
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))
    stranger.files |= catalogue.files
    catalogue.faults.append(lambda path: Reply(302, location=stranger.url + path) if "red" in path else None)
    assert fetch(catalogue).valid.all()
    assert stranger.asked_for("red.tif")


@pytest.mark.parametrize(
    "next_address", ["{stranger}/search", "/etc/passwd", "file:///etc/passwd", "ftp://127.0.0.1/search"]
)
def test_a_next_page_elsewhere_is_not_asked_for(catalogue: StacServer, stranger: StacServer, next_address: str) -> None:
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))
    link = {"rel": "next", "href": next_address.format(stranger=stranger.url)}
    page = {"type": "FeatureCollection", "features": catalogue.items, "links": [link]}
    made = spec(catalogue)
    catalogue.search = lambda _body: page  # type: ignore[method-assign]
    with source_from(made) as source, pytest.raises((SourcePermanent, SourceClosed), match=r"\."):
        source.fetch(GRID)
    assert stranger.asked == []


@pytest.mark.parametrize("href", ["/etc/hostname", "file:///etc/hostname", "s3://bucket/red.tif", "/vsicurl/http://x/"])
def test_an_asset_that_is_not_on_the_web_is_not_read(catalogue: StacServer, href: str) -> None:
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))["assets"]["red"]["href"] = href
    with pytest.raises(SourcePermanent, match="http and https"):
        fetch(catalogue)


def damaged(catalogue: StacServer, how: Callable[[bytes], bytes]) -> None:
    rough = np.random.default_rng(3).integers(1, 10_000, (512, 512)).astype(np.uint16)
    catalogue.scene("S0", bands_of(1, 1, 1, 1, size=512) | {"red": rough})
    catalogue.files["/files/S0/red.tif"] = how(catalogue.files["/files/S0/red.tif"])


def test_a_file_that_was_cut_short_fails_the_tile(catalogue: StacServer) -> None:
    damaged(catalogue, lambda content: content[:40_000])
    with pytest.raises(SourcePermanent, match="red of scene S0 is damaged or cut short"):
        fetch(catalogue)


@pytest.mark.parametrize("content", [b"", b"<html>no</html>", b"<VRTDataset rasterXSize='1' rasterYSize='1'/>"])
def test_a_file_that_is_no_geotiff_fails_the_tile(catalogue: StacServer, content: bytes) -> None:
    damaged(catalogue, lambda _content: content)
    with pytest.raises(SourcePermanent, match="red of scene S0"):
        fetch(catalogue)


def test_a_file_without_a_place_fails_the_tile(catalogue: StacServer) -> None:
    damaged(catalogue, lambda _content: geotiff(picture(1000), crs="", west=0, north=0, pixel=1))
    with pytest.raises(SourcePermanent, match="does not say where on Earth"):
        fetch(catalogue)


def test_a_file_that_names_another_one_fails_the_tile(catalogue: StacServer, tmp_path: Path) -> None:
    def with_overviews_elsewhere(content: bytes) -> bytes:
        path = tmp_path / "red.tif"
        path.write_bytes(content)
        with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as dataset:
            dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=f"/vsicurl/{catalogue.url}/elsewhere.tif")
        return path.read_bytes()

    damaged(catalogue, with_overviews_elsewhere)
    with pytest.raises(SourcePermanent, match="refers to another file"):
        fetch(catalogue)
    assert not catalogue.asked_for("elsewhere")


def test_a_server_without_ranges_is_not_listened_to(catalogue: StacServer) -> None:
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))
    catalogue.ranges = False
    with pytest.raises(SourcePermanent, match="does not serve ranges"):
        fetch(catalogue)


def failing(path_part: str, times: int, reply: Reply) -> Callable[[str], Reply | None]:
    left = [times]

    def fault(path: str) -> Reply | None:
        if path_part in path and left[0]:
            left[0] -= 1
            return reply
        return None

    return fault


@pytest.mark.parametrize(
    "reply",
    [Reply(500), Reply(503, headers={"Retry-After": "0"}), Reply(429), Reply(206, b"short", cut=True)],
    ids=["500", "503", "429", "cut"],
)
@pytest.mark.parametrize("path", ["/search", "green.tif"])
def test_what_may_pass_is_tried_again(catalogue: StacServer, path: str, reply: Reply) -> None:
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))
    catalogue.faults.append(failing(path, 2, reply))
    beats: list[None] = []
    with source_from(spec(catalogue)) as source:
        found = source.fetch(GRID, lambda: beats.append(None))
    np.testing.assert_allclose(found.rgb, 0.1, atol=1e-6)
    assert len(beats) > 10
    assert len(catalogue.asked_for(path)) >= 3


def test_a_file_that_stays_away_is_given_up_within_the_time_of_a_tile(catalogue: StacServer, settings: Any) -> None:
    settings.DEMETER_STAC_SECONDS = 0.3
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))
    catalogue.faults.append(failing("red.tif", -1, Reply(503)))
    with pytest.raises(SourceRetryable, match="red of scene S0 cannot be had now: the server answers 503"):
        fetch(catalogue)


LATER = {"Retry-After": "3600"}
"""Of an answer that is not waited for: it would take longer than a tile may."""


@pytest.mark.parametrize("path", ["/", "/search", ".tif"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_stays_away_closes_the_source(catalogue: StacServer, path: str, status: int) -> None:
    for name in ("S0", "S1"):
        catalogue.scene(name, bands_of(1000, 1000, 1000, 1000))
    made = spec(catalogue)
    reply = Reply(status, headers=LATER)
    catalogue.faults.append(_only("/", reply) if path == "/" else failing(path, -1, reply))
    with (
        source_from(made) as source,
        pytest.raises(SourceClosed, match=f"the server answers {status}.* {catalogue.host} is down"),
    ):
        source.fetch(GRID)


def test_a_server_that_is_gone_closes_the_source(catalogue: StacServer, settings: Any) -> None:
    made = spec(catalogue)
    settings.DEMETER_STAC_SECONDS = 0.3
    catalogue.stop()
    with source_from(made) as source, pytest.raises(SourceClosed, match=f"the connection fails.* {catalogue.host} is"):
        source.fetch(GRID)


def test_a_search_that_is_too_much_is_the_trouble_of_its_tile(catalogue: StacServer) -> None:
    """Another one is answered."""
    made = spec(catalogue)
    catalogue.faults.append(failing("/search", 1, Reply(504, headers=LATER)))
    with source_from(made) as source, pytest.raises(SourceRetryable, match="The catalogue cannot be had now"):
        source.fetch(GRID)


@pytest.mark.parametrize(("status", "says"), [(404, "does not have it"), (418, "418")])
def test_what_will_not_pass_is_asked_for_once(catalogue: StacServer, status: int, says: str) -> None:
    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))
    catalogue.faults.append(failing("red.tif", -1, Reply(status)))
    with pytest.raises(SourcePermanent, match=says):
        fetch(catalogue)
    assert len(catalogue.asked_for("red.tif")) == 1


@pytest.mark.parametrize(
    ("status", "says"), [(401, r"wants an account \(401\)"), (403, r"refuses this machine \(403\)")]
)
@pytest.mark.parametrize("path", ["/search", "red.tif"])
def test_a_server_that_lets_nobody_in_closes_the_source(
    catalogue: StacServer, path: str, status: int, says: str
) -> None:
    for name in ("S0", "S1"):
        catalogue.scene(name, bands_of(1000, 1000, 1000, 1000))
    catalogue.faults.append(failing(path, -1, Reply(status)))
    with pytest.raises(SourceClosed, match=f"{catalogue.host} {says}"):
        fetch(catalogue)
    assert len({asked.path for asked in catalogue.asked_for(path)}) == len(catalogue.asked_for(path))


def test_one_file_that_is_refused_is_the_trouble_of_its_tile(catalogue: StacServer) -> None:
    for name in ("S0", "S1"):
        catalogue.scene(name, bands_of(1000, 1000, 1000, 1000))
    catalogue.faults.append(failing("S0/red.tif", -1, Reply(403)))
    with pytest.raises(SourcePermanent, match=r"red of scene S0 cannot be had: .* Files of other scenes are served"):
        fetch(catalogue)


def test_a_lease_that_is_lost_while_a_file_is_read_stops_at_once(catalogue: StacServer) -> None:
    class Lost(BaseException):
        pass

    def beat() -> None:
        if catalogue.asked_for("green.tif"):
            raise Lost

    catalogue.scene("S0", bands_of(1000, 1000, 1000, 1000))
    with source_from(spec(catalogue)) as source, pytest.raises(Lost):
        source.fetch(GRID, beat)
    assert not catalogue.asked_for("blue.tif")


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"{}", b'{"type": "Catalog"}', b"\xff\xfe"])
@pytest.mark.parametrize("path", ["/", "/collections/sentinel-2-l2a"])
def test_an_api_that_is_none_is_refused_before_anything_starts(catalogue: StacServer, path: str, body: bytes) -> None:
    catalogue.faults.append(failing(path, -1, Reply(200, body)) if path != "/" else _only("/", Reply(200, body)))
    with pytest.raises(BadInput, match="does not answer as a STAC API"):
        spec(catalogue)


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1]", b'{"features": [1]}', b'{"features": [{"id": "x"}]}'])
def test_an_answer_to_a_search_that_is_none_fails_the_tile(catalogue: StacServer, body: bytes) -> None:
    made = spec(catalogue)
    catalogue.faults.append(_only("/search", Reply(200, body)))
    with source_from(made) as source, pytest.raises(SourcePermanent):
        source.fetch(GRID)


def _only(path: str, reply: Reply) -> Callable[[str], Reply | None]:
    return lambda asked: reply if asked == path else None


def test_an_api_that_cannot_be_searched(catalogue: StacServer) -> None:
    catalogue.conforms = [one for one in catalogue.conforms if "item-search" not in one]
    with pytest.raises(SourcePermanent, match="does not answer as a STAC API that can be searched"):
        fetch(catalogue)
    catalogue.conforms = []
    with pytest.raises(BadInput, match="has no collection"):
        spec(catalogue)


def test_a_collection_that_is_not_there(catalogue: StacServer) -> None:
    with pytest.raises(BadInput, match="has no collection sentinel-9"):
        spec(catalogue, collection="sentinel-9")


@pytest.mark.parametrize(
    ("search", "says"),
    [
        ({"start": None}, "--start is missing"),
        ({"end": "31.7.2021"}, "is not a day"),
        ({"end": "2022-12-31"}, "cannot end before they begin"),
        ({"cloud_limit": 101.0}, "between 0 and 100"),
        ({"composite": "mode"}, "median, least_cloudy"),
        ({"scenes": 0}, "1 to 24"),
        ({"mask": [12]}, "0 to 11"),
        ({"assets": {"swir": "B11"}}, "There is no asset for swir"),
        ({"assets": {"red": ""}}, "cannot be left out"),
    ],
)
def test_options_that_make_no_sense(catalogue: StacServer, search: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        spec(catalogue, **search)


def test_names_of_assets(catalogue: StacServer) -> None:
    named = {"red": "B04", "green": "B03", "blue": "B02", "nir": "B08", "scl": "SCL"}
    usual = {named[role]: values for role, values in bands_of(1000, 2000, 3000, 4000).items()}
    catalogue.scene("S0", usual)
    found = fetch(catalogue)
    np.testing.assert_allclose(found.rgb[0, 0], [0.1, 0.2, 0.3], atol=1e-6)
    swapped = fetch(catalogue, assets={"red": "B08", "nir": ""})
    np.testing.assert_allclose(swapped.rgb[0, 0], [0.4, 0.2, 0.3], atol=1e-6)
    assert swapped.nir is None
    with pytest.raises(SourcePermanent, match="Scene S0 has no asset B4"):
        fetch(catalogue, assets={"red": "B4"})


def test_a_source_that_would_give_other_pixels_says_why(catalogue: StacServer) -> None:
    old = spec(catalogue)
    assert imagery_difference(old, spec(catalogue)) == ""
    assert imagery_difference(old, imagery_survey("", before=old)) == "", "what is not said stays as it was"
    changed = imagery_survey("", before=old, search={"cloud_limit": 5.0})
    assert imagery_difference(old, changed) == "the cloud limit was 20.0 and not 5.0"
    assert "mask" in imagery_difference(old, spec(catalogue, mask=[9, 11]))
    with pytest.raises(BadInput, match="not searched: leave out cloud limit"):
        imagery_survey("raster:/nowhere", search={"cloud_limit": 5.0})
    with pytest.raises(BadInput, match="Bands by number"):
        imagery_survey("", before=old, bands=(1, 2, 3))
