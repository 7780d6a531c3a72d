"""`manage.py build_area`: what it says, what it refuses, and that nothing is left half-written."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tiles.jobs.tasks import work
from tiles.models import Area, DemFile, Job, SkippedWindow, TilePair

from .conftest import NORTH, WEST, Build, Inputs, colours, files_below, hills, write_raster

SIZE = 32

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("build_area", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_it_builds_and_sums_up(inputs: Inputs, data_folder: Path) -> None:
    said = run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE, "--name", "The land")
    assert "10 tiles built, 0 failed." in said
    assert "cut off by the edge" in said
    assert "bytes a tile: dem " in said
    assert "/areas/land/review/" in said
    area = Area.objects.get()
    assert (area.name, area.tiles.count()) == ("The land", 10)


def test_every_answer_reaches_the_area(inputs: Inputs, data_folder: Path) -> None:
    answers = {
        "licence": "CC0",
        "attribution": "A survey",
        "vertical-datum": "EGM96",
        "height-unit": "m",
        "surface": "dtm",
        "satellite": "Sentinel-2",
        "dem-gsd": 30.0,
        "imagery-gsd": 10.0,
        "dem-from": "2019-01-02",
        "dem-to": "2019-03-04",
        "imagery-from": "2021-05-06",
        "imagery-to": "2021-07-08",
        "void-limit": 3.0,
        "uncovered-limit": 4.0,
    }
    flags = [part for name, value in answers.items() for part in (f"--{name}", value)]
    options = ["--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE, "--bands", "3,2,1", "--nir", 1]
    run("land", *options, *flags, "--synthetic", "--normalisation", "joint", "--percent", 2)
    area = Area.objects.get()
    assert {name: str(getattr(area, name.replace("-", "_"))) for name in answers} == {
        name: str(value) for name, value in answers.items()
    }
    assert area.synthetic
    tile = area.tiles.first()
    assert tile is not None
    assert (tile.satellite, tile.native_gsd) == ("Sentinel-2", 10.0)
    assert tile.parameters["normalisation"] == "joint"
    assert tile.imagery["bands"] == [3, 2, 1]
    assert "nir" in tile.layers


@pytest.mark.django_db(transaction=True)
def test_the_worker_makes_the_same_files(inputs: Inputs, data_folder: Path, settings: Any, tmp_path: Path) -> None:
    run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE)
    here = files_below(data_folder / "areas")
    rows = list(TilePair.objects.order_by("index").values("index", "layers", "measures", "review_state", "version"))
    settings.DEMETER_DATA = tmp_path / "other"
    settings.DEMETER_DATA.mkdir()
    _forget_everything()
    said = run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE, "--background")
    job = Job.objects.get()
    assert f"/jobs/{job.pk}/" in said
    assert TilePair.objects.count() == 0
    work()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert files_below(settings.DEMETER_DATA / "areas") == here
    again = TilePair.objects.order_by("index").values("index", "layers", "measures", "review_state", "version")
    assert list(again) == rows


def _forget_everything() -> None:
    call_command("flush", interactive=False, verbosity=0)


def truncated(inputs: Inputs) -> None:
    path = inputs.dems / "part2.tif"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def without_crs(inputs: Inputs) -> None:
    write_raster(inputs.dems / "part2.tif", hills(70, 100), crs=None)


def not_a_raster(inputs: Inputs) -> None:
    (inputs.dems / "part2.tif").write_text("These are not the heights you are looking for.")


def three_bands(inputs: Inputs) -> None:
    write_raster(inputs.dems / "part2.tif", colours(70, 100))


def imagery_elsewhere(inputs: Inputs) -> None:
    write_raster(inputs.imagery, colours(80, 180), west=WEST + 200_000)


def imagery_truncated(inputs: Inputs) -> None:
    inputs.imagery.write_bytes(inputs.imagery.read_bytes()[:-2000])


def empty_folder(inputs: Inputs) -> None:
    for path in inputs.dems.iterdir():
        path.unlink()


def gone(inputs: Inputs) -> None:
    empty_folder(inputs)
    inputs.dems.rmdir()


def a_vrt(inputs: Inputs) -> None:
    (inputs.dems / "part2.tif").write_text('<VRTDataset rasterXSize="70" rasterYSize="70"></VRTDataset>')


def nothing(inputs: Inputs) -> None:
    pass


WRONG: list[tuple[Callable[[Inputs], None], list[object], str]] = [
    (truncated, [], "part2.tif is damaged or cut short"),
    (without_crs, [], "part2.tif does not say where on Earth it lies"),
    (not_a_raster, [], "part2.tif is not a raster"),
    (three_bands, [], "an elevation model has one"),
    (imagery_elsewhere, [], "do not overlap anywhere"),
    (imagery_truncated, [], "picture.tif is damaged or cut short"),
    (empty_folder, [], "holds no raster"),
    (gone, [], "does not exist on this machine"),
    (a_vrt, [], "not accepted"),
    (nothing, ["--tile-size", 15], "between 16 and 4096"),
    (nothing, ["--tile-size", 5000], "between 16 and 4096"),
    (nothing, ["--tile-size", 200], "No tile of 200 x 200 fits"),
    (nothing, ["--bands", "1,2,9"], "no band 9"),
    (nothing, ["--bands", "1,2"], "three bands"),
    (nothing, ["--nir", 4], "no band 4"),
    (nothing, ["--void-limit", 101], "between 0 and 100"),
    (nothing, ["--uncovered-limit", -1], "between 0 and 100"),
    (nothing, ["--percent", 50], "below 50"),
    (
        nothing,
        ["--dem-from", "2020-01-02", "--dem-to", "2020-01-01"],
        "The dates of the elevation models cannot end before",
    ),
    (nothing, ["--imagery-gsd", 0], "above 0"),
    (nothing, ["--imagery", "/vsicurl/http://127.0.0.1/x.tif"], "raster:<file or folder>"),
    (nothing, ["--imagery", "raster:/vsicurl/http://127.0.0.1/x.tif"], "does not exist on this machine"),
]


@pytest.mark.parametrize(("spoil", "more", "says"), WRONG, ids=[f"{spoil.__name__} {more}" for spoil, more, _ in WRONG])
def test_wrong_input_is_one_sentence_and_leaves_nothing(
    inputs: Inputs, data_folder: Path, spoil: Callable[[Inputs], None], more: list[object], says: str
) -> None:
    spoil(inputs)
    with pytest.raises(CommandError) as error:
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE, *more)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")
    assert error.value.returncode == 1
    assert [model.objects.count() for model in (Area, Job, TilePair, DemFile, SkippedWindow)] == [0] * 5
    assert files_below(data_folder) == {}
    assert list(data_folder.iterdir()) == [], "not even an empty folder"


@pytest.mark.parametrize("slug", ["", "Japan", "a b", "../x", "-a", "new", "ä", "a" * 81])
def test_a_slug_that_is_none(inputs: Inputs, data_folder: Path, slug: str) -> None:
    with pytest.raises(CommandError, match="short name"):
        run("--dem", inputs.dems, "--imagery", inputs.raster, "--", slug)
    assert not Area.objects.exists()


@pytest.mark.parametrize("missing", ["--dem", "--imagery"])
def test_a_new_area_needs_both_sides(inputs: Inputs, data_folder: Path, missing: str) -> None:
    given = {"--dem": inputs.dems, "--imagery": inputs.raster}
    del given[missing]
    with pytest.raises(CommandError, match="Name "):
        run("land", "--tile-size", SIZE, *[part for pair in given.items() for part in pair])
    assert not Area.objects.exists()


def test_too_little_disk(inputs: Inputs, data_folder: Path, settings: Any) -> None:
    settings.DEMETER_MIN_FREE = 2**60
    with pytest.raises(CommandError, match=r"nearly full.*Make room"):
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE)
    assert not Area.objects.exists()


def test_a_data_folder_that_cannot_be_written(inputs: Inputs, data_folder: Path) -> None:
    (data_folder / "areas").write_text("a file where the folder should be")
    with pytest.raises(CommandError, match="areas is a file and not a folder"):
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE)
    assert not Area.objects.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write and read everything")
def test_folders_without_permission(inputs: Inputs, data_folder: Path) -> None:
    asked = ("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE)
    data_folder.chmod(0o500)
    with pytest.raises(CommandError, match="cannot be written"):
        run(*asked)
    data_folder.chmod(0o700)
    inputs.dems.chmod(0)
    with pytest.raises(CommandError, match="cannot be listed"):
        run(*asked)
    inputs.dems.chmod(0o700)
    assert not Area.objects.exists()


def test_a_folder_that_becomes_unwritable_fails_the_job_and_not_the_tiles(inputs: Inputs, data_folder: Path) -> None:
    """A file stands where a layer's folder must be made: found by the worker, said in one sentence, mended, gone on."""
    stone = data_folder / "areas" / "land" / "rgb" / "0"
    stone.parent.mkdir(parents=True)
    stone.write_text("a file")
    with pytest.raises(CommandError) as error:
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE)
    assert "Writing tile_0.tif failed" in str(error.value)
    assert not TilePair.objects.filter(build_state="failed").exists()
    assert not [path for path in data_folder.rglob("*") if ".tmp-" in path.name]
    stone.unlink()
    assert "10 tiles built, 0 failed." in run("land")


def test_nothing_but_sea_says_so(tmp_path: Path, data_folder: Path) -> None:
    dem = write_raster(tmp_path / "sea.tif", np.zeros((64, 64), np.int16))
    picture = write_raster(tmp_path / "picture.tif", colours(64, 64))
    with pytest.raises(CommandError, match="nothing to build"):
        run("land", "--dem", dem, "--imagery", f"raster:{picture}", "--tile-size", SIZE)
    write_raster(tmp_path / "land.tif", hills(64, 64), north=NORTH - 64 * 30)
    write_raster(tmp_path / "picture.tif", colours(128, 64))
    assert "4 tiles built" in run("land", "--dem", tmp_path / "land.tif")


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_keeps_what_is_done(
    inputs: Inputs, data_folder: Path, monkeypatch: pytest.MonkeyPatch, build: Build
) -> None:
    from tiles.core.signals import tiles_built

    def interrupt(**_signal: object) -> None:
        tiles_built.disconnect(interrupt)
        raise KeyboardInterrupt

    monkeypatch.setattr("tiles.build.kind.TILES_A_WRITE", 3)
    tiles_built.connect(interrupt)
    with pytest.raises(CommandError) as error:
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE)
    assert error.value.returncode == 130
    assert str(error.value) == "Stopped. 3 tiles of this run are kept; the same command goes on."
    assert TilePair.objects.filter(build_state="built").count() == 3
    job = Job.objects.get()
    assert job.state == Job.State.CANCELLED
    assert not job.chunks.filter(state__in=("waiting", "leased")).exists()
    assert not [path for path in data_folder.rglob("*") if ".tmp-" in path.name]
    assert "10 tiles built" in run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE)
