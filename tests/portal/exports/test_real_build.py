"""A release of tiles that the product itself built, from real rasters with ragged edges."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from portal.exports.models import Release
from tests.support.releases import archive_path
from tiles.build.services import AreaFacts, BuildOptions, area_build_start
from tiles.jobs.runner import run_here
from tiles.models import TilePair
from tiles.models.choices import BuildState


@pytest.mark.django_db(transaction=True)
def test_drone_survey(
    sample_data: Path,
    data_folder: Path,
    approve: Callable[[TilePair], None],
    released: Callable[..., Release],
    tmp_path: Path,
) -> None:
    survey = sample_data / "drone_taiwan"
    job = area_build_start(
        slug="taiwan",
        dems=[survey / "dsm_0p8m.tif"],
        imagery=f"raster:{survey / 'ortho_rgb_0p4m.tif'}",
        options=BuildOptions(tile_size=64, void_limit=20, uncovered_limit=20),
        facts=AreaFacts(surface="dsm", licence="AGPL-3.0", attribution="OpenDroneMap"),
        background=False,
    )
    run_here(job.pk, lambda _job: None)
    built = list(TilePair.objects.filter(build_state=BuildState.BUILT))
    assert len(built) > 10
    for tile in built:
        approve(tile)
    release = released("taiwan-v1", "taiwan")
    assert (release.state, release.error) == (Release.State.READY, "")
    with zipfile.ZipFile(archive_path("taiwan-v1")) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "taiwan-v1"
    records = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert len(records) == release.tile_count
    assert release.tile_count + sum(release.left_out.values()) == len(built)
    for record in records:
        assert_pair(folder, record, survey / "dsm_0p8m.tif")
    assert any(record["void_share"] > 0 for record in records)


def assert_pair(folder: Path, record: dict[str, Any], source: Path) -> None:
    """The heights are the source's own window, DEM_255 turns back into them, and voids are marked in all of it."""
    path = {file["role"]: folder / file["path"] for file in record["files"]}
    window = record["dem"]["window"]
    with rasterio.open(source) as survey:
        assert record["dem"]["source"] == source.name
        rows = (window["row"], window["row"] + window["height"])
        cols = (window["col"], window["col"] + window["width"])
        true = survey.read(1, window=(rows, cols))
    known = np.asarray(Image.open(path["void"])) == 0 if "void" in path else np.ones(true.shape, bool)
    assert np.array_equal(known, np.isfinite(true))
    assert record["void_share"] == pytest.approx(1 - known.mean())
    with rasterio.open(path["dem"]) as dem:
        assert np.array_equal(dem.read(1)[known], true[known])
        assert np.array_equal(dem.dataset_mask() > 0, known)
    depth = np.asarray(Image.open(path["dem255"]))
    assert (depth[known].min(), depth[known].max(), depth[~known].sum()) == (0, 255, 0)
    metres = record["dem_min"] + depth / 255 * (record["dem_max"] - record["dem_min"])
    assert np.abs(metres + record["grey_level"] / 2 - true)[known & (depth < 255)].max() <= record["grey_level"] * 0.501
    assert np.asarray(Image.open(path["png"])).shape == (*true.shape, 3)
