"""A release of two areas in any layout, with and without splits."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portal.exports.models import Release, ReleaseEntry
from tests.support.factories import GSD, SIZE, grid_of, make_area, make_tile
from tests.support.releases import archive_path
from tiles.core.files import write_whole
from tiles.core.paths import layer_path
from tiles.models import Area, TilePair
from tiles.raster.encode import encode_geotiff

SPLITS = {0: "train", 1: "val", 2: "test", 3: "train"}
"""Of the tiles, by number."""


@pytest.fixture
def two_areas(
    coast: tuple[Area, list[TilePair]], approve: Callable[[TilePair], None], caption: Callable[..., None]
) -> None:
    """`coast` as everywhere, and `con`, which Windows cannot have as a folder: 0 with a near infrared layer and a text
    that a spreadsheet would run, 1 in fog."""
    area = make_area(
        "con",
        licence="CC0",
        attribution="Copernicus",
        satellite="Sentinel-2",
        imagery_from=date(2021, 1, 1),
        imagery_to=date(2023, 12, 31),
    )
    clear = make_tile(area, 0, native_gsd=10.0, satellite="Sentinel-2", category="=1+1")
    nir = encode_geotiff(np.arange(SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE), grid_of(0))
    write_whole(layer_path("con", "nir", 0), nir, "test")
    clear.layers["nir"] = {"v": 1, "sha256": hashlib.sha256(nir).hexdigest(), "bytes": len(nir)}
    clear.save()
    approve(clear)
    caption(clear, "=SUM(A1)\nA field.")
    fog = make_tile(area, 1, scene="fog", native_gsd=GSD)
    approve(fog)
    caption(fog, "A valley.")


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry has the split of its number in SPLITS."""
    of_number = property(lambda entry: SPLITS[entry.tile.index], lambda _entry, _value: None)
    monkeypatch.setattr(ReleaseEntry, "split", of_number, raising=False)


@pytest.fixture
def unpacked(two_areas: None, released: Callable[..., Release], tmp_path: Path) -> Callable[..., Path]:
    """`unpacked("csv")` makes a release of that layout and gives its unpacked folder."""

    def make(layout: str, **options: int) -> Path:
        release = released("two-v1", "coast", "con", layout=layout, options=options)
        assert (release.state, release.error) == (Release.State.READY, "")
        with zipfile.ZipFile(archive_path(release.name)) as archive:
            assert archive.testzip() is None
            archive.extractall(tmp_path / layout)
        return tmp_path / layout / release.name

    return make


@pytest.fixture
def load() -> Callable[[Path, str], list[str]]:
    """Runs the lines of a README in its folder with more lines inside their innermost loop; gives what they print."""

    def run(folder: Path, more: str) -> list[str]:
        code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
        deepest = code.splitlines()[-1]
        indent = deepest[: len(deepest) - len(deepest.lstrip())]
        code += f"{indent}{more}\n"
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
