"""Layouts in the hands of what reads them: datasets, webdataset, mlcroissant, PyTorch.

These packages are large, and one has no wheel: requirements-readers.txt names them. Without one its tests are skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from portal.exports.croissant import croissant_path
from tests.support.factories import SIZE, colours_of, heights_of
from tests.support.releases import archive_path

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Unpacked = Callable[..., Path]
Load = Callable[[Path, str], list[str]]
WHY = "needs `pip install -r requirements-readers.txt`"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))


READ = """
import json, sys
import numpy as np
from datasets import load_dataset
found = {}
for split, tiles in load_dataset(sys.argv[1]).items():
    found[split] = [
        [tile["key"], tile["image"].mode, tile["depth"].mode, int(np.asarray(tile["image"]).sum()),
         int(np.asarray(tile["depth"]).max()), tile["caption"] or "", tile["dem_min"]]
        for tile in tiles
    ]
json.dump(found, sys.stdout)
"""


@pytest.mark.parametrize("layout", ["huggingface", "huggingface-parquet"])
def test_load_dataset(layout: str, unpacked: Unpacked, splits: None, load: Load) -> None:
    pytest.importorskip("datasets", reason=WHY)
    folder = unpacked(layout)
    done = subprocess.run([sys.executable, "-c", READ, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {split: [row[0] for row in rows] for split, rows in found.items()} == {
        "train": ["coast_tile_0", "coast_tile_3", "con_tile_0"],
        "validation": ["coast_tile_1", "con_tile_1"],
        "test": ["coast_tile_2"],
    }
    _key, *facts = found["train"][1]
    assert facts == ["RGB", "L", int(colours_of(3).sum()), 255, "", pytest.approx(float(heights_of(3).min()))]
    assert found["train"][2][5] == "=SUM(A1)\nA field."
    assert len(load(folder, "print(split, rgb.shape, depth.shape, metres.shape, repr(text))")) == 6


def test_webdataset(unpacked: Unpacked, splits: None, load: Load) -> None:
    wds = pytest.importorskip("webdataset", reason=WHY)
    folder = unpacked("webdataset")
    shards = [
        str(folder / shard["url"]) for shard in json.loads((folder / "train-shards.json").read_text())["shardlist"]
    ]
    samples = list(wds.WebDataset(shards, shardshuffle=False).decode("rgb8"))
    assert [sample["__key__"] for sample in samples] == ["coast_tile_0", "coast_tile_3", "con_tile_0"]
    assert np.array_equal(samples[1]["png"], colours_of(3))
    assert samples[1]["json"]["index"] == 3
    assert [sample["txt"] for sample in samples][1:] == ["", "=SUM(A1)\nA field."]
    assert len(load(folder, "print(rgb.shape, metres.shape, facts['key'], repr(text))")) == 6


def test_mlcroissant(unpacked: Unpacked, splits: None, tmp_path: Path) -> None:
    mlc = pytest.importorskip("mlcroissant", reason=WHY)
    unpacked("rs3dbench")
    beside = tmp_path / "beside"
    beside.mkdir()
    shutil.copy(croissant_path("two-v1"), beside)
    shutil.copy(archive_path("two-v1"), beside)
    dataset = mlc.Dataset(str(beside / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    records = list(dataset.records(record_set="tiles"))
    assert len(records) == 6
    assert (records[0]["tiles/area"], records[0]["tiles/tile"]) == (b"coast", b"tile_0")
    assert records[0]["tiles/dem_min"] == pytest.approx(float(heights_of(0).min()))


@pytest.mark.parametrize("layout", ["rs3dbench", "d3rsmde", "marigold"])
def test_the_lines_for_pytorch_run(layout: str, unpacked: Unpacked, splits: None) -> None:
    pytest.importorskip("torch", reason=WHY)
    folder = unpacked(layout)
    code = (folder / "README.md").read_text().split("## With PyTorch")[1].split("```python\n")[1].split("```")[0]
    code += "    print(*rgb.shape, *depth.shape, rgb.dtype, float(depth.max()))\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = f"3 {SIZE} {SIZE} {{0}} 1 {SIZE} {SIZE} torch.float32 1.0"
    assert done.stdout.splitlines() == [f"{number} {shown.format(number)}" for number in (2, 1)]


def pairs_of_regions(folder: Path) -> dict[str, list[tuple[Path, Path]]]:
    """Region folders: the lists name tiles."""
    found: dict[str, list[tuple[Path, Path]]] = {}
    for split in ("train", "val", "test"):
        for listed in sorted(folder.glob(f"*/{split}.txt")):
            for name in listed.read_text().split():
                region = listed.parent
                pair = region / f"png-stretched-unique/{name}.png", region / f"DEM_255-unique/{name}.tif"
                found.setdefault(split, []).append(pair)
    return found


def pairs_of_numbers(folder: Path) -> dict[str, list[tuple[Path, Path]]]:
    """Depth training folders: the lists name bare numbers, and testing has a folder of its own."""
    found: dict[str, list[tuple[Path, Path]]] = {}
    for split in ("train", "val", "test"):
        for listed in sorted(folder.glob(f"ImageToDEM-*/{split}.txt")):
            side = listed.parent / f"singleRGBNormalization{'Test' if split == 'test' else ''}"
            for number in listed.read_text().split():
                pair = side / f"png-stretched-unique/tile_{number}.png", side / f"DEM_255-unique/tile_{number}.tif"
                found.setdefault(split, []).append(pair)
    return found


def pairs_of_lists(folder: Path) -> dict[str, list[tuple[Path, Path]]]:
    """File lists: picture and heights on one line."""
    found: dict[str, list[tuple[Path, Path]]] = {}
    for split in ("train", "val", "test"):
        for listed in sorted(folder.glob(f"ImageToDEM-*/{split}.txt")):
            for line in listed.read_text().splitlines():
                picture, depth = line.split()
                found.setdefault(split, []).append((listed.parent / picture, listed.parent / depth))
    return found


@pytest.mark.parametrize(
    ("layout", "pairs"),
    [("rs3dbench", pairs_of_regions), ("d3rsmde", pairs_of_numbers), ("marigold", pairs_of_lists)],
)
def test_pytorch_loader(layout: str, pairs: Callable[[Path], Any], unpacked: Unpacked, splits: None) -> None:
    torch = pytest.importorskip("torch", reason=WHY)

    class Depth(torch.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __init__(self, listed: list[tuple[Path, Path]]) -> None:
            self.listed = listed

        def __len__(self) -> int:
            return len(self.listed)

        def __getitem__(self, number: int) -> tuple[Any, Any]:
            picture, heights = self.listed[number]
            rgb, depth = np.array(Image.open(picture)), np.array(Image.open(heights))
            assert (depth.min(), depth.max()) == (0, 255)
            return torch.from_numpy(rgb).permute(2, 0, 1).float() / 255, torch.from_numpy(depth)[None].float() / 255

    found = pairs(unpacked(layout))
    assert {split: len(listed) for split, listed in found.items()} == {"train": 3, "val": 2, "test": 1}
    batches = list(torch.utils.data.DataLoader(Depth(found["train"]), batch_size=2))
    assert [tuple(rgb.shape) for rgb, _depth in batches] == [(2, 3, SIZE, SIZE), (1, 3, SIZE, SIZE)]
    assert all(float(depth.max()) == 1 for _rgb, depth in batches)
