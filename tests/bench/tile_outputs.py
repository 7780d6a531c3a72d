"""The five outputs of a tile: CPU of Demeter, of the published method, and of only moving the bytes."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio

from tests.bench import inputs, published
from tests.bench.report import cpu_of, machine, show
from tiles.core.files import write_whole
from tiles.core.memory import keep_freed_memory
from tiles.imagery import raster
from tiles.raster.colour import colour_depth
from tiles.raster.dem import read_dem
from tiles.raster.depth import depth_to_uint8
from tiles.raster.encode import encode_geotiff, encode_png
from tiles.raster.grid import Grid
from tiles.raster.reading import SAFE_ENV, open_raster
from tiles.raster.stretch import stretch_rgb

SIZE = inputs.SIZE
ROUNDS = 5
MOST_TILES = 16
LAYERS = ("dem", "rgb", "png", "dem255", "colour")


def scene(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A textured (512, 512, 3) uint16 image and (512, 512) int16 heights."""
    random = np.random.default_rng(seed)
    smooth = sum(
        np.kron(random.normal(size=(SIZE // step, SIZE // step)), np.ones((step, step))) * step
        for step in (64, 16, 4, 1)
    )
    heights = (smooth - smooth.min()) * 8
    rgb = np.stack(
        [heights * factor + random.normal(scale=40, size=heights.shape) for factor in (0.5, 0.8, 1.0)], axis=-1
    )
    return (rgb - rgb.min()).astype(np.uint16), heights.astype(np.int16)


class Demeter:
    """Makes the five outputs as a build does: open the inputs once, then read, compute, encode, write and sync.

    pack_rgb: deflate the unstretched imagery too, which an area may be told to do.
    """

    def __init__(self, given: inputs.Inputs, into: Path, *, pack_rgb: bool) -> None:
        self._given = given
        self._into = into
        self._pack_rgb = pack_rgb
        self._spec = raster.survey(str(given.rgb), bands=(1, 2, 3), nir=None)
        into.mkdir(parents=True)

    def tiles(self, corners: Iterable[tuple[int, int]]) -> None:
        with rasterio.Env(**SAFE_ENV), open_raster(self._given.dem) as dem, raster.source(self._spec) as source:
            whole = Grid.of(dem)
            for col, row in corners:
                self._tile(dem, source, whole.window(col, row, SIZE, SIZE), col, row)

    def paths(self, corners: Iterable[tuple[int, int]]) -> list[Path]:
        return [self.path(layer, *corner) for corner in corners for layer in LAYERS]

    def path(self, layer: str, col: int, row: int) -> Path:
        return self._into / f"{col}_{row}_{layer}.{'png' if layer in ('png', 'colour') else 'tif'}"

    def _tile(self, dataset: object, source: raster.RasterSource, grid: Grid, col: int, row: int) -> None:
        dem = read_dem(dataset, col, row, SIZE).heights
        imagery = source.fetch(grid)
        bands, names = np.moveaxis(imagery.rgb, 2, 0), ("red", "green", "blue")
        files = {
            "dem": encode_geotiff(dem, grid, descriptions=("height in metres",)),
            "rgb": encode_geotiff(bands, grid, descriptions=names, packed=self._pack_rgb),
            "png": encode_png(stretch_rgb(imagery.rgb, valid=imagery.valid).image),
            "dem255": encode_geotiff(depth_to_uint8(dem), grid),
            "colour": encode_png(colour_depth(dem), few_colours=True),
        }
        for layer, content in files.items():
            write_whole(self.path(layer, col, row), content, "bench")


class Floor:
    """Reads a tile's share of the inputs' bytes, and writes and syncs the bytes that Demeter wrote, as it does.

    Nothing is decoded, computed or encoded. What is written is in memory before the clock starts.
    """

    def __init__(self, given: inputs.Inputs, outputs: Iterable[Path], into: Path) -> None:
        self._contents = {into / path.name: path.read_bytes() for path in outputs}
        self._tiles = len(self._contents) // len(LAYERS)
        self._shares = {path: self._share(path) for path in (given.dem, given.rgb)}

    @staticmethod
    def _share(path: Path) -> int:
        with rasterio.open(path) as dataset:
            return int(path.stat().st_size * SIZE * SIZE / (dataset.width * dataset.height))

    def move(self) -> None:
        for number in range(self._tiles):
            for path, share in self._shares.items():
                with path.open("rb", buffering=0) as stream:
                    stream.seek(number * share)
                    stream.read(share)
        for path, content in self._contents.items():
            write_whole(path, content, "bench")


def same_pixels(ours: Path, theirs: Path) -> bool:
    with rasterio.open(ours) as a, rasterio.open(theirs) as b:
        return bool((a.read() == b.read()).all())


def compare(given: inputs.Inputs, folder: Path) -> list[tuple[str, str]]:
    """The rows of one table: each work takes its turn in every round, and the median counts."""
    # Row by row, as a build goes through a file whose strips run across several tiles.
    corners = sorted(given.corners, key=lambda corner: corner[::-1])[:MOST_TILES]
    plain, packed = (Demeter(given, folder / name, pack_rgb=name == "packed") for name in ("plain", "packed"))
    floors = []
    for maker in (plain, packed):
        maker.tiles(corners)
        floors.append(Floor(given, maker.paths(corners), folder / "floor"))

    def published_tiles(processes: bool) -> list[Path]:
        (folder / "published").mkdir(exist_ok=True)
        tiles = [
            published.tile(given.dem, given.rgb, *corner, SIZE, folder / "published", processes=processes)
            for corner in corners
        ]
        return [tile[layer] for tile in tiles for layer in LAYERS]

    works: dict[str, Callable[[], object]] = {
        "published": lambda: published_tiles(processes=True),
        "published, one process": lambda: published_tiles(processes=False),
        "Demeter": lambda: plain.tiles(corners),
        "floor": floors[0].move,
        "Demeter, rgb packed": lambda: packed.tiles(corners),
        "floor, rgb packed": floors[1].move,
    }
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _round in range(ROUNDS):
        for name, work in works.items():
            spent[name].append(cpu_of(work) / len(corners))
    cost = {name: statistics.median(values) for name, values in spent.items()}
    theirs = published_tiles(processes=False)
    rows = [("tiles, each 512 x 512", str(len(corners)))]
    rows += [(f"{name}, CPU a tile", f"{1000 * seconds:.1f} ms") for name, seconds in cost.items()]
    for maker, kind in ((plain, ""), (packed, ", rgb packed")):
        rows += _ratios(cost, kind) + _files(maker.paths(corners), theirs, kind)
    return rows + [_png_sizes(layer, plain.paths(corners), theirs) for layer in ("png", "colour")]


def _ratios(cost: Mapping[str, float], kind: str) -> list[tuple[str, str]]:
    mine = cost[f"Demeter{kind}"]
    return [
        (f"published / Demeter{kind} (target 15)", f"{cost['published'] / mine:.1f}"),
        (f"published, one process / Demeter{kind}", f"{cost['published, one process'] / mine:.1f}"),
        (f"Demeter / floor{kind} (target 2.5)", f"{mine / cost[f'floor{kind}']:.1f}"),
    ]


def _files(ours: Sequence[Path], theirs: Sequence[Path], kind: str) -> list[tuple[str, str]]:
    same = sum(same_pixels(a, b) for a, b in zip(ours, theirs, strict=True))
    mine, plain = (sum(path.stat().st_size for path in paths) for paths in (ours, theirs))
    return [
        (f"files whose pixels are identical{kind}", f"{same} of {len(ours)}"),
        (f"bytes of all five against the published ones{kind}", f"{mine / plain:.2f}"),
    ]


def _png_sizes(layer: str, ours: Sequence[Path], theirs: Sequence[Path]) -> tuple[str, str]:
    pairs = [(a.stat().st_size, b.stat().st_size) for a, b in zip(ours, theirs, strict=True) if f"_{layer}." in a.name]
    ratios = [a / b for a, b in pairs]
    total = sum(a for a, _ in pairs) / sum(b for _, b in pairs)
    return f"size of {layer} against Pillow's default (target 1.15)", f"{total:.2f}, the worst {max(ratios):.2f}"


def all_inputs(folder: Path) -> list[inputs.Inputs]:
    made = inputs.generated(folder)
    real = inputs.zion(folder)
    return [made, inputs.as_floats(made, folder), *([real] if real else [])]


def main() -> None:
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as name:
        show("Where this was measured", [("machine", machine()), ("the published cut is", published.cutter()[0])])
        for given in all_inputs(Path(name)):
            show(f"The five outputs: {given.name}", compare(given, Path(name) / "out" / given.name))


if __name__ == "__main__":
    main()
