"""Imagery of Earth Engine: the real client against a stand-in that speaks its protocol, and every fault there is."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from tests.support import earthengine as server
from tests.support.earthengine import PROJECT, StandIn, status
from tiles.core.errors import BadInput
from tiles.imagery import (
    Imagery,
    LooksAhead,
    NoImagery,
    SourceClosed,
    SourcePermanent,
    SourceRetryable,
    imagery_difference,
    imagery_survey,
)
from tiles.imagery.ee_patience import Patience
from tiles.imagery.ee_source import EarthEngineSource
from tiles.raster.grid import Grid

GRID = Grid("EPSG:32633", (30.0, 0, 500_000.0, 0, -30.0, 4_000_000.0), 64, 64)
PATIENT = Patience(silence=30.0, request=60.0, tile=120.0, tries=3, first_wait=0.01, most_wait=0.05)
QUICK = replace(PATIENT, silence=1.0, request=2.0)
"""For a server that says nothing: on a busy machine one that answers may take as long."""


def fetch(
    on: Grid = GRID, patience: Patience = PATIENT, beat: Callable[[], None] = lambda: None, **asked: Any
) -> Imagery:
    spec = imagery_survey("earthengine", search=asked)
    with EarthEngineSource(spec, patience=patience, beat=beat) as source:
        return source.fetch(on)


def expected(on: Grid, band: int) -> np.ndarray:
    a, b, c, d, e, f = on.affine
    asked = {
        "dimensions": {"width": on.width, "height": on.height},
        "affineTransform": {"scaleX": a, "shearX": b, "translateX": c, "shearY": d, "scaleY": e, "translateY": f},
    }
    return server.values(asked, ["red", "green", "blue", "nir", "valid", "clear"])[band]


def functions(asked: dict[str, Any]) -> list[str]:
    """The names of the functions that an expression calls."""
    return re.findall(r'"functionName": "([^"]+)"', json.dumps(asked["expression"]))


def found(node: Any, key: str) -> list[dict[str, Any]]:
    """Every mapping of an expression that has a key."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    here = [node] if isinstance(node, dict) and key in node else []
    return [*here, *(match for part in inner for match in found(part, key))]


def test_a_tile_is_asked_for_on_its_own_grid(earthengine: StandIn) -> None:
    imagery = fetch()
    assert imagery.rgb.shape == (64, 64, 3)
    assert imagery.rgb.dtype == np.float32
    np.testing.assert_array_equal(imagery.rgb[:, :, 2], expected(GRID, 2))
    np.testing.assert_array_equal(imagery.nir, expected(GRID, 3))
    assert imagery.valid.all()
    assert (imagery.clear_observations == 7).all()
    (asked,) = earthengine.requests
    assert asked["grid"] == {
        "crsCode": "EPSG:32633",
        "dimensions": {"width": 64, "height": 64},
        "affineTransform": {
            **{"scaleX": 30, "shearX": 0, "translateX": 500000},
            **{"shearY": 0, "scaleY": -30, "translateY": 4000000},
        },
    }
    assert asked["fileFormat"] == "GEO_TIFF"
    assert asked["bandIds"] == ["red", "green", "blue", "nir", "valid", "clear"]


def test_the_default_masks_by_cloud_score_and_resamples_before_it_reduces(earthengine: StandIn) -> None:
    imagery = fetch()
    text = json.dumps(earthengine.requests[0]["expression"])
    called = functions(earthengine.requests[0])
    assert {"Image.resample", "Image.gte", "Image.unmask"} <= set(called)
    assert "GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED" in text
    assert "cs_cdf" in text
    assert "QA60" not in text
    told = imagery.provenance
    assert (told["preset"], told["collection"]) == ("cloud-score", "COPERNICUS/S2_HARMONIZED")
    assert (told["start"], told["end"]) == ("2021-01-01", "2023-12-31")
    assert told["endpoint"] == earthengine.url
    assert re.fullmatch("[0-9a-f]{64}", told["expression_sha256"])
    assert told["clear_observations"] == {"min": 7, "median": 7.0}


def test_the_published_preset_masks_by_qa60_and_says_what_that_costs(earthengine: StandIn) -> None:
    imagery = fetch(preset="published")
    text = json.dumps(earthengine.requests[0]["expression"])
    assert "QA60" in text
    assert "CLOUD_SCORE" not in text
    assert "Image.resample" not in functions(earthengine.requests[0])
    assert "2024-01-01" in text  # the last day counts
    assert imagery.nir is None
    assert imagery.clear_observations is None
    assert (imagery.provenance["days_used"], imagery.provenance["days"]) == (389, 1095)


def test_every_part_can_be_chosen(earthengine: StandIn) -> None:
    fetch(
        collection="LANDSAT/LC09/C02/T1_L2",
        bands=("SR_B4", "SR_B3", "SR_B2"),
        nir="SR_B5",
        start="2022-05-01",
        end="2022-09-30",
        months=(5, 9),
        cloud_limit=30.0,
        mask="qa-pixel",
        reducer="least_cloudy",
        resampling="bicubic",
        scale_factor=0.0000275,
        offset=-0.2,
    )
    text = json.dumps(earthengine.requests[0]["expression"])
    for part in ("LANDSAT/LC09/C02/T1_L2", "SR_B5", "2022-10-01", "CLOUD_COVER", "QA_PIXEL", "bicubic", "2.75e-05"):
        assert part in text
    called = functions(earthengine.requests[0])
    assert {"Collection.limit", "ImageCollection.mosaic"} & set(called)
    assert "Filter.calendarRange" in called
    fetch(collection="USGS/SRTMGL1_003", bands=("elevation",) * 3, nir=None, mask="none", reducer="image")
    assert "Image.load" in functions(earthengine.requests[1])


LANDSAT = {
    "LANDSAT/LC08/C02/T1_L2": ("Landsat 8", ("SR_B4", "SR_B3", "SR_B2"), "SR_B5", 0.0000275, -0.2),
    "LANDSAT/LC09/C02/T1_L2": ("Landsat 9", ("SR_B4", "SR_B3", "SR_B2"), "SR_B5", 0.0000275, -0.2),
    "LANDSAT/LC08/C02/T1_TOA": ("Landsat 8", ("B4", "B3", "B2"), "B5", 1.0, 0.0),
}


@pytest.mark.parametrize("collection", LANDSAT)
def test_a_known_collection_brings_its_bands_scale_offset_and_mask(earthengine: StandIn, collection: str) -> None:
    satellite, bands, nir, scale, offset = LANDSAT[collection]
    spec = imagery_survey("earthengine", search={"collection": collection})
    assert (spec["satellite"], spec["gsd"], tuple(spec["bands"]), spec["nir"]) == (satellite, 30.0, bands, nir)
    request = spec["request"]
    assert (request["scale_factor"], request["offset"]) == (scale, offset)
    assert (request["mask"], request["cloud_property"]) == ("qa-pixel", "CLOUD_COVER")
    other = imagery_survey("earthengine", search={"collection": collection, "scale_factor": 2.0, "nir": "X"})
    assert (other["request"]["scale_factor"], other["nir"], other["request"]["offset"]) == (2.0, "X", offset)
    fetch(collection=collection)
    text = json.dumps(earthengine.requests[0]["expression"])
    for part in (*bands, nir, "QA_PIXEL", "Image.multiply", "Image.add", json.dumps(scale), json.dumps(offset)):
        assert part in text
    assert "CLOUD_SCORE" not in text


def test_a_season_may_run_over_the_new_year(earthengine: StandIn) -> None:
    fetch(months=(11, 2))
    text = json.dumps(earthengine.requests[0]["expression"])
    assert "Filter.calendarRange" in text
    numbers = [value["constantValue"] for value in found(earthengine.requests[0]["expression"], "constantValue")]
    assert {11, 2, "month"} <= {number for number in numbers if isinstance(number, (int, str))}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"preset": "best"}, "no preset"),
        ({"bands": ("B4", "B3")}, "three bands"),
        ({"bands": (1, 2, 3)}, "name bands"),
        ({"start": "2022-01-01", "end": "2021-01-01"}, "before it begins"),
        ({"start": "soon"}, "2021-07-31"),
        ({"months": (0, 3)}, "season"),
        ({"cloud_limit": 120}, "percentage"),
        ({"threshold": 60}, "threshold"),
        ({"mask": "eyes"}, "cloud-score"),
        ({"collection": "x y"}, "no id"),
        ({"collection": "LANDSAT/LC09/C02/T1_L2", "mask": "cloud-score"}, "Sentinel-2 only"),
        ({"preset": "published", "start": "2022-06-01", "end": "2022-08-31"}, "QA60 is empty"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    earthengine: StandIn, asked: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        imagery_survey("earthengine", search=asked)
    assert earthengine.discoveries == 0


def test_other_parameters_are_another_imagery(earthengine: StandIn) -> None:
    first = imagery_survey("earthengine")
    assert imagery_difference(first, imagery_survey("earthengine", before=first)) == ""
    other = imagery_survey("earthengine", search={"cloud_limit": 20.0}, before=first)
    assert imagery_difference(first, other) == "its cloud limit was 60.0 and not 20.0"


def test_pixels_without_a_clear_look_are_known_by_the_valid_band(earthengine: StandIn) -> None:
    def half(handler: server.Handler, asked: dict[str, Any]) -> None:
        pixels = server.values(asked["grid"], asked["bandIds"])
        pixels[:, :, :32] = 0
        handler.send_content(server.geotiff(asked["grid"], pixels), "image/tiff")

    def black(handler: server.Handler, asked: dict[str, Any]) -> None:
        pixels = server.values(asked["grid"], asked["bandIds"])
        pixels[:4] = 0
        handler.send_content(server.geotiff(asked["grid"], pixels), "image/tiff")

    earthengine.faults = [half, black]
    imagery = fetch()
    assert not imagery.valid[:, :32].any()
    assert imagery.valid[:, 32:].all()
    assert fetch().valid.all()  # black is a colour


def test_no_clear_pixel_at_all_is_no_imagery(earthengine: StandIn) -> None:
    def nothing(handler: server.Handler, asked: dict[str, Any]) -> None:
        pixels = server.values(asked["grid"], asked["bandIds"]) * 0
        handler.send_content(server.geotiff(asked["grid"], pixels), "image/tiff")

    no_scene = status(
        400, "INVALID_ARGUMENT", "Image.select: Band pattern 'B4' did not match any bands. Available bands: []"
    )
    earthengine.faults = [nothing, no_scene]
    for _again in range(2):
        with pytest.raises(NoImagery):
            fetch()


QUOTA = {
    "429": status(429, "RESOURCE_EXHAUSTED", "Too Many Requests: Request was rejected"),
    "429 with a wait": status(429, "RESOURCE_EXHAUSTED", "Too many concurrent aggregations.", Retry_After="1"),
    "403 rate": status(403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
}
PASSING = {
    "500": status(500, "INTERNAL", "An internal error has occurred"),
    "503": status(503, "UNAVAILABLE", "The service is currently unavailable."),
    "cut with its length": server.cut_with_length,
    "cut without its length": server.cut_without_length,
    "a page": server.html,
    "nothing": server.empty,
    "stalled": server.stalled,
    "slow drip": server.dripping,
}

SILENT = ("stalled", "slow drip")


@pytest.mark.parametrize("name", [*PASSING, *QUOTA])
def test_a_fault_that_passes_is_tried_again(earthengine: StandIn, name: str) -> None:
    earthengine.faults = [(PASSING | QUOTA)[name]]
    beats: list[float] = []
    patience = QUICK if name in SILENT else PATIENT
    found = fetch(patience=patience, beat=lambda: beats.append(0))
    np.testing.assert_array_equal(found.rgb[:, :, 0], expected(GRID, 0))
    assert len(earthengine.requests) == 2
    assert beats


def only_of_tiles(fault: server.Fault) -> server.Fault:
    """Meets whoever asks for more than a few pixels."""

    def met(handler: server.Handler, asked: dict[str, Any]) -> None:
        if asked["grid"]["dimensions"]["width"] >= GRID.width:
            fault(handler, asked)
        else:
            handler.send_content(server.answered(asked), "image/tiff")

    return met


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_stays_with_a_tile_may_work_another_day(earthengine: StandIn, name: str) -> None:
    earthengine.always = only_of_tiles(PASSING[name])
    patience = replace(QUICK if name in SILENT else PATIENT, tries=2)
    with pytest.raises(SourceRetryable, match=r"\."):
        fetch(patience=patience)
    assert len(earthengine.requests) == 3, "a constant was computed"


@pytest.mark.parametrize("name", ["503", "cut with its length", "a page", "stalled"])
def test_a_fault_that_stays_with_everything_closes_the_source(earthengine: StandIn, name: str) -> None:
    earthengine.always = PASSING[name]
    with pytest.raises(SourceClosed, match=r"\. So it stayed .* not even a constant"):
        fetch(patience=replace(QUICK, tries=1))


def test_a_network_that_fails_on_the_way_closes_the_source(earthengine: StandIn) -> None:
    grids = [GRID.window(64 * number, 0, 64, 64) for number in range(3)]
    with EarthEngineSource(imagery_survey("earthengine"), patience=PATIENT) as source:
        assert source.fetch(grids[0]).valid.all()
        earthengine.stop()
        with pytest.raises(SourceClosed, match="Check the network"):
            source.fetch(grids[1])


@pytest.mark.parametrize("name", ["429", "403 rate"])
def test_a_quota_that_is_gone_is_waited_for_and_is_no_fault_of_the_tile(earthengine: StandIn, name: str) -> None:
    earthengine.always = QUOTA[name]
    with pytest.raises(SourceClosed, match="until there is quota again"):
        fetch(patience=replace(QUICK, tile=2.0, tries=1, most_wait=0.01))
    assert len(earthengine.requests) > 1, "tries are not counted"


REFUSED = {
    "403 permission": (status(403, "forbidden", "Caller does not have permission"), "may not do this"),
    "403 API off": (status(403, "accessNotConfigured", "API has not been used in project 1 before"), "API is off"),
    "403 not registered": (status(403, "forbidden", "Project is not registered to use Earth Engine."), "Register it"),
    "401": (status(401, "authError", "Invalid credentials"), "EARTHENGINE_CREDENTIALS"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_account_that_is_refused_asks_for_no_other_tile(earthengine: StandIn, name: str) -> None:
    earthengine.always, says = REFUSED[name]
    grids = [GRID.window(64 * number, 0, 64, 64) for number in range(3)]
    with EarthEngineSource(imagery_survey("earthengine"), patience=QUICK) as source:
        source.expect(grids)
        for grid in grids:
            with pytest.raises(SourceClosed, match=says):
                source.fetch(grid)
    assert len(earthengine.requests) == 1
    signed_in = earthengine.discoveries
    earthengine.always = None
    assert fetch().valid.all()
    assert earthengine.discoveries > signed_in, "what was mended is read anew"


LASTING = {
    "400": (status(400, "INVALID_ARGUMENT", "Unknown band"), "Unknown band"),
    "404": (status(404, "NOT_FOUND", "Asset not found"), "Asset not found"),
    "another grid": (server.wrong_grid, "another grid"),
    "another system": (server.wrong_crs, "another grid"),
    "another size": (server.wrong_size, "another grid"),
    "another dtype": (server.wrong_dtype, "uint16"),
    "other bands": (server.wrong_bands, "3 bands"),
}


@pytest.mark.parametrize("name", LASTING)
def test_a_fault_that_lasts_is_not_tried_again(earthengine: StandIn, name: str) -> None:
    earthengine.always, says = LASTING[name]
    with pytest.raises(SourcePermanent, match=says):
        fetch()
    assert len(earthengine.requests) == 1


def test_a_picture_that_is_no_geotiff_is_no_answer(earthengine: StandIn) -> None:
    earthengine.always = only_of_tiles(server.png)
    with pytest.raises(SourceRetryable, match="no GeoTIFF"):
        fetch()


def test_a_slow_tile_has_an_end_though_no_request_times_out(earthengine: StandIn) -> None:
    earthengine.always = only_of_tiles(server.dripping)
    with pytest.raises(SourceRetryable, match="too long"):
        fetch(patience=replace(PATIENT, tile=0.5, request=1.0))


def test_out_of_memory_the_tile_comes_in_quarters_and_is_the_same(earthengine: StandIn) -> None:
    odd = Grid(GRID.crs, GRID.affine, 257, 131)
    whole = fetch(odd)
    earthengine.requests.clear()
    earthengine.most_pixels = 100 * 60
    joined = fetch(odd)
    np.testing.assert_array_equal(joined.rgb, whole.rgb)
    np.testing.assert_array_equal(joined.nir, whole.nir)
    sizes = [request["grid"]["dimensions"] for request in earthengine.requests]
    assert len(sizes) == 1 + 4 + 16
    assert joined.provenance["requests"] == 21
    assert len({json.dumps(request["expression"]) for request in earthengine.requests}) == 1


def test_what_is_too_much_even_in_pieces_is_given_up(earthengine: StandIn) -> None:
    earthengine.most_pixels = 10
    with pytest.raises(SourcePermanent, match="memory limit"):
        fetch(Grid(GRID.crs, GRID.affine, 128, 128))
    assert min(request["grid"]["dimensions"]["width"] for request in earthengine.requests) >= 32


def test_a_tile_beyond_one_answer_is_cut_before_it_is_asked_for(earthengine: StandIn) -> None:
    fetch(Grid(GRID.crs, GRID.affine, 1500, 1300), patience=PATIENT)
    assert len(earthengine.requests) == 4


def test_a_grid_without_a_code_goes_as_text(earthengine: StandIn) -> None:
    from rasterio.crs import CRS

    wkt = CRS.from_proj4("+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84 +units=m").to_wkt(version="WKT2_2019")
    fetch(Grid(wkt, (30.0, 0, 0, 0, -30.0, 0), 32, 32))
    assert earthengine.requests[0]["grid"]["crsWkt"] == wkt


class Four:
    """Four at a time."""

    def __init__(self) -> None:
        self.flying = self.most = 0

    def begin(self) -> bool:
        if self.flying >= 4:
            return False
        self.flying += 1
        self.most = max(self.most, self.flying)
        return True

    def end(self) -> None:
        self.flying -= 1

    def refill(self, wanted: int) -> None: ...

    def rest(self) -> None: ...


def test_what_will_be_asked_is_fetched_ahead_and_at_once(earthengine: StandIn) -> None:
    grids = [GRID.window(64 * number, 0, 64, 64) for number in range(6)]

    earthengine.latency = 0.1
    limiter = Four()
    with EarthEngineSource(imagery_survey("earthengine"), limiter=limiter, patience=QUICK) as source:
        assert isinstance(source, LooksAhead)
        source.expect(grids)
        for grid in (grids[0], *grids[2:]):
            np.testing.assert_array_equal(source.fetch(grid).rgb[:, :, 0], expected(grid, 0))
    assert limiter.most == 4
    assert 1 < earthengine.peak <= 4  # how many meet at the server is the machine's affair
    assert len(earthengine.requests) == 6


def test_what_failed_ahead_is_asked_for_again_when_its_turn_comes(earthengine: StandIn) -> None:
    """An outage may be over by then."""
    grids = [GRID.window(64 * number, 0, 64, 64) for number in range(3)]
    is_out, has_failed = [True], threading.Event()

    def outage(handler: server.Handler, asked: dict[str, Any]) -> None:
        if is_out[0] and asked["grid"]["affineTransform"]["translateX"] != grids[0].affine[2]:
            status(503, "UNAVAILABLE", "Down.")(handler, asked)
            return
        has_failed.wait(60)
        handler.send_content(server.answered(asked), "image/tiff")

    def beat() -> None:
        if sum(tile.failure is not None for tile, _expression in source._asked.values()) == 2:
            has_failed.set()

    earthengine.always = outage
    spec = imagery_survey("earthengine")
    with EarthEngineSource(spec, limiter=Four(), beat=beat, patience=replace(PATIENT, tries=1)) as source:
        source.expect(grids)
        source.fetch(grids[0])
        is_out[0] = False
        for grid in grids[1:]:
            np.testing.assert_array_equal(source.fetch(grid).rgb[:, :, 0], expected(grid, 0))
    assert len(earthengine.requests) == 5


def test_the_client_is_initialised_once(earthengine: StandIn) -> None:
    for _again in range(3):
        fetch()
    assert earthengine.discoveries == 2  # the client reads it twice, for its two ways to answer


def test_a_service_account_signs_in(earthengine: StandIn, settings: Any, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        "client_email": "builder@demeter-test.iam.gserviceaccount.com",
        "token_uri": f"{earthengine.url}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    settings.EARTHENGINE_CREDENTIALS = str(file)
    earthengine.token = "let-me-in"
    assert fetch().valid.all()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(earthengine.assertions[0], certs=public, audience="https://oauth2.googleapis.com/token")
    assert claims["iss"] == account["client_email"]
    assert "earthengine" in claims["scope"]


@pytest.mark.parametrize(
    ("credentials", "project", "says"),
    [
        ("", PROJECT, "no credentials"),
        ("anonymous", "", "EARTHENGINE_PROJECT"),
    ],
)
def test_without_an_account_no_build_begins(
    earthengine: StandIn, settings: Any, credentials: str, project: str, says: str
) -> None:
    settings.EARTHENGINE_CREDENTIALS, settings.EARTHENGINE_PROJECT = credentials, project
    with pytest.raises(BadInput, match=says):
        imagery_survey("earthengine")


def test_an_account_that_is_none_is_named(earthengine: StandIn, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    for file, says in (("absent.json", "cannot be read"), ("key.json", "not the key file")):
        settings.EARTHENGINE_CREDENTIALS = str(tmp_path / file)
        with pytest.raises(SourceClosed, match=says):
            fetch()
