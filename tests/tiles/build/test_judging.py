"""What a build says of tiles among the others of their area, shift, duplicates and score; and always the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from tiles.build.judging import area_survey, blocks_of, tiles_judge
from tiles.build.services import BuildOptions, area_build_start
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.jobs.sweep import sweep
from tiles.models import Area, JobChunk, TilePair, TileSignature
from tiles.raster.terrain import hillshade

from .conftest import NORTH, PIXEL, WEST, Build, Inputs, colours, write_raster

SIZE = 128
DOWN, ACROSS = 2, 4
JUDGED = ("index", "score", "causes", "shift_px", "duplicate_of", "version", "measures")
AT_SHIFT, AT_MISMATCH, AT_LEVEL, AT_CLOUD, AT_SPIKE, AT_FIRST, AT_TWIN = 1, 2, 3, 4, 5, 0, 7


def rough(height: int, width: int, seed: int) -> np.ndarray:
    """(height, width) float64 metres of rough ground."""
    random = np.random.default_rng(seed)
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    radius = np.maximum(np.hypot(rows, columns), 1 / height)
    heights = np.fft.irfft2(np.fft.rfft2(random.normal(size=(height, width))) / radius**2.2, s=(height, width))
    return 300 + (heights - heights.min()) / np.ptp(heights) * 1500


def lit(heights: np.ndarray, seed: int) -> np.ndarray:
    """(4, H, W) uint16 reflectance x 10000 of ground lit from the south-east, with colours that have other causes."""
    light = 0.3 + 0.7 * hillshade(heights, PIXEL, PIXEL, azimuth=140)
    cover = 1 + 0.25 * (rough(*heights.shape, seed) - 1050) / 450
    noise = np.random.default_rng(seed).normal(0, 30, (4, *heights.shape))
    values = np.array([600, 900, 550, 3000])[:, None, None]
    return np.clip(values * light * cover + noise, 1, 60000).astype(np.uint16)


def box(index: int) -> tuple[slice, slice]:
    """The window of a tile: numbers go down each column."""
    row, col = index % DOWN * SIZE, index // DOWN * SIZE
    return slice(row, row + SIZE), slice(col, col + SIZE)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Eight tiles, most of them with one flaw each."""
    folder = tmp_path_factory.mktemp("scene")
    heights = rough(DOWN * SIZE, ACROSS * SIZE, 1)
    picture = lit(heights, 2)
    picture[:, *box(AT_SHIFT)] = np.roll(picture, (4, -3), (1, 2))[:, *box(AT_SHIFT)]
    picture[:, *box(AT_MISMATCH)] = lit(rough(SIZE, SIZE, 9), 10)
    heights[box(AT_LEVEL)][: SIZE * 2 // 3] = 400
    tops = np.random.default_rng(8).normal(5000, 300, (4, SIZE, SIZE))
    rows = np.arange(SIZE)[:, None] < SIZE // 4
    picture[:, *box(AT_CLOUD)] = np.where(rows, tops, picture[:, *box(AT_CLOUD)])
    heights[box(AT_SPIKE)][40, 60] += 900
    heights[box(AT_TWIN)] = heights[box(AT_FIRST)]
    picture[:, *box(AT_TWIN)] = picture[:, *box(AT_FIRST)]
    write_raster(folder / "dem" / "land.tif", np.rint(heights).astype(np.int16))
    with rasterio.open(
        folder / "picture.tif",
        "w",
        driver="GTiff",
        count=4,
        height=picture.shape[1],
        width=picture.shape[2],
        dtype="uint16",
        crs="EPSG:32633",
        transform=Affine(PIXEL, 0, WEST, 0, -PIXEL, NORTH),
    ) as target:
        target.write(picture)
        target.scales = (1e-4,) * 4
    return Inputs(folder, folder / "dem", folder / "picture.tif")


@pytest.fixture
def land(build: Build, scene: Inputs) -> Area:
    return build(dems=[scene.dems], imagery=scene.raster, nir=4, tile_size=SIZE)


def codes(tile: TilePair) -> list[str]:
    return [cause["code"] for cause in tile.causes]


def judged(area: Area) -> list[dict[str, Any]]:
    return list(area.tiles.order_by("index").values(*JUDGED))


def test_every_flaw_is_found_and_named(land: Area) -> None:
    tiles = {tile.index: tile for tile in land.tiles.all()}
    shifted = tiles[AT_SHIFT]
    assert shifted.shift_px == pytest.approx(5, abs=1.5), "it lies across the light, where it is measured short"
    assert codes(shifted)[0] == "shift"
    assert tiles[AT_MISMATCH].shift_px is None, "unknown, and not none"
    assert tiles[AT_LEVEL].shift_px is None
    for index in (AT_FIRST, AT_CLOUD + 2, AT_SPIKE):
        assert tiles[index].shift_px is not None
        assert tiles[index].shift_px < 2
        assert "shift" not in codes(tiles[index])
    assert tiles[AT_CLOUD].cloud_share == pytest.approx(0.25, abs=0.01)
    assert codes(tiles[AT_CLOUD])[0] == "cloud"
    assert codes(tiles[AT_SPIKE]) == ["spikes"]
    assert (tiles[AT_TWIN].duplicate_of, codes(tiles[AT_TWIN])) == (AT_FIRST, ["duplicate"])
    assert [tile.index for tile in tiles.values() if tile.duplicate_of is not None] == [AT_TWIN]
    assert tiles[AT_FIRST].score == 0
    assert min(tiles[index].score for index in (AT_SHIFT, AT_CLOUD, AT_TWIN)) > 0.5
    assert "Light comes from about 140 degrees" in " ".join(event.message for event in land.jobs.get().events.all())


def test_made_and_judged_again_it_comes_to_the_same(land: Area, build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that too many tiles share tells nothing, though: the look-up stays bounded."""
    before = judged(land)
    build(remake=True)
    assert judged(land) == before
    blocks = blocks_of(land, area_survey(land, lambda: None))
    for block in blocks:
        assert tiles_judge(land, block, lambda: None) == {}
    monkeypatch.setattr("tiles.build.judging.COMMON", 1)
    ((_names, (changed,)),) = [found for block in blocks for found in tiles_judge(land, block, lambda: None).items()]
    assert (changed.index, changed.duplicate_of) == (AT_TWIN, None)


@pytest.mark.slow
def test_small_blocks_and_a_death_come_to_the_same(
    land: Area, scene: Inputs, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of two tiles; each step is begun once by a worker that dies without a word."""
    monkeypatch.setattr("tiles.build.judging.TILES_A_BLOCK", 2)
    job = area_build_start(
        slug="other",
        dems=[scene.dems],
        imagery=scene.raster,
        options=BuildOptions(nir=4, tile_size=SIZE),
        background=False,
    )
    for _step in ("plan", "tiles"):
        lease = chunk_lease(job.pk)
        assert lease is not None
        chunk_run(lease)
    for step in ("survey", "judge"):
        dying = chunk_lease(job.pk)
        assert dying is not None
        assert dying.payload["do"] == step
        JobChunk.objects.filter(pk=dying.chunk_id).update(expires_at="2020-01-01T00:00Z")
        if step == "survey":
            sweep()
            again = chunk_lease(job.pk)
            assert again is not None
            chunk_run(again)
    assert run_here(job.pk, lambda _job: None).state == "done"
    assert JobChunk.objects.filter(job=job, payload__do="judge").count() == 4
    assert judged(Area.objects.get(slug="other")) == judged(land)


def test_tiles_that_share_most_of_their_ground_are_twins(build: Build, scene: Inputs, tmp_path: Path) -> None:
    """Two files over the same place with different heights: no hash says it, the footprints do."""
    for name, seed, west in (("a", 1, WEST), ("b", 2, WEST + 40 * PIXEL), ("c", 3, WEST + (SIZE - 1) * PIXEL)):
        write_raster(tmp_path / "dem" / f"{name}.tif", rough(SIZE, SIZE, seed).astype(np.int16), west=west)
    area = build("over", dems=[tmp_path / "dem"], imagery=scene.raster, nir=4, tile_size=SIZE)
    found = {tile.dem_file.name: tile.duplicate_of for tile in area.tiles.select_related("dem_file")}
    assert found == {"a.tif": None, "b.tif": 0, "c.tif": None}, "an edge in common is no duplicate"


def test_small_tiles_and_flat_pictures_have_no_signature_to_compare(build: Build, inputs: Inputs) -> None:
    """Noise is texture, but a picture without any is exempt."""
    flat = colours(80, 180)
    flat[...] = np.array([500, 900, 700])[:, None, None]
    flat[:, 0, 0] += 50
    write_raster(inputs.imagery, flat, west=WEST - 150, north=NORTH + 150)
    area = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=32, normalisation="joint")
    assert area.tiles.filter(build_state="built").count() == 10
    assert not TileSignature.objects.filter(area=area, hash_a__isnull=False).exists()
    assert not area.tiles.filter(duplicate_of__isnull=False).exists()
