"""The unstretched imagery, packed or as it is: the same pixels, another size, and an area keeps the one it has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tiles.build.estimate import build_estimate
from tiles.build.preview import build_preview
from tiles.build.services import BuildOptions, area_build_start
from tiles.build.tile import Recipe
from tiles.core.errors import BadInput
from tiles.core.paths import area_folder
from tiles.imagery import imagery_survey
from tiles.models import Area

from .conftest import Build, Inputs, colours, files_below, write_raster
from .test_page import ANSWERS
from .test_restretch import restretched

SIZE = 32


@pytest.fixture
def asked(inputs: Inputs) -> dict[str, Any]:
    """A build with near infrared, of floats that pack well."""
    write_raster(inputs.imagery, colours(80, 180, 4) // 400 / np.float32(100), west=499_850, north=4_000_150)
    return {"dems": [inputs.dems], "imagery": inputs.raster, "tile_size": SIZE, "nir": 4}


def layers(area: Area) -> dict[str, bytes]:
    return files_below(area_folder(area.slug))


def compression(content: bytes) -> str | None:
    with rasterio.MemoryFile(content) as memory, memory.open() as dataset:
        return dataset.compression and dataset.compression.value


def pixels(content: bytes) -> np.ndarray:
    with rasterio.MemoryFile(content) as memory, memory.open() as dataset:
        return dataset.read()


def test_packing_changes_no_pixel_and_nothing_but_the_unstretched_imagery(build: Build, asked: dict[str, Any]) -> None:
    plain, packed, again = (
        layers(build(slug, pack_rgb=pack, **asked))
        for slug, pack in (("plain", None), ("packed", True), ("again", False))
    )
    assert plain == again, "not packed is what nobody asks for, and comes out the same every time"
    differ = {path for path in plain if plain[path] != packed[path]}
    assert differ == {path for path in plain if path.startswith(("rgb", "nir"))}
    for path in differ:
        assert (compression(plain[path]), compression(packed[path])) == (None, "DEFLATE")
        assert len(packed[path]) < len(plain[path])
        np.testing.assert_array_equal(pixels(plain[path]), pixels(packed[path]))


def test_a_packed_area_is_stretched_anew_as_another_is(build: Build, asked: dict[str, Any]) -> None:
    pictures = []
    for slug, pack in (("plain", False), ("packed", True)):
        area = build(slug, pack_rgb=pack, **asked)
        restretched(slug, percent=5)
        pictures.append({path: content for path, content in layers(area).items() if path.startswith("png")})
    assert pictures[0] == pictures[1]


def test_an_area_keeps_what_it_was_built_with(build: Build, asked: dict[str, Any]) -> None:
    area = build(pack_rgb=True, **asked)
    with pytest.raises(BadInput, match="is packed, and stays so") as refused:
        area_build_start(slug="land", options=BuildOptions(pack_rgb=False))
    assert refused.value.extra["field"] == "pack_rgb"
    before = layers(area)
    assert layers(build(remake=True)) == before
    # As one was built before there was a choice:
    del area.recipe["pack_rgb"]
    area.save()
    assert layers(build(remake=True)) == before


def test_the_estimate_follows(inputs: Inputs, asked: dict[str, Any], data_folder: Path) -> None:
    preview = build_preview(dems=asked["dems"], tile_size=SIZE, void_limit=0)
    imagery = imagery_survey(asked["imagery"], bands=(1, 2, 3), nir=4)
    plain, packed = (
        build_estimate(preview, recipe=Recipe(pack_rgb=pack), imagery=imagery, nir=True) for pack in (False, True)
    )
    assert plain.made == packed.made == 3
    assert packed.size < plain.size


def test_it_is_asked_on_the_page_and_by_the_command(
    inputs: Inputs, settings: Any, data_folder: Path, signed_in: Callable[[str], Client]
) -> None:
    settings.DEMETER_SOURCES = [inputs.folder]
    for slug, answer in (("ticked", {"pack_rgb": "on"}), ("left", {})):
        given = {**ANSWERS, "name": slug, "slug": slug, "dems": ["0/dem"], "imagery": ["0/picture.tif"], **answer}
        signed_in("curator").post(reverse("area-build"), given)
        assert Area.objects.get(slug=slug).recipe["pack_rgb"] is (slug == "ticked")
    words = ["--dem", str(inputs.dems), "--imagery", inputs.raster, "--tile-size", str(SIZE), "--background"]
    call_command("build_area", "shell", *words, "--pack-rgb")
    assert Area.objects.get(slug="shell").recipe["pack_rgb"] is True
