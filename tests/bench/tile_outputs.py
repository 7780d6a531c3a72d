"""The five outputs of a tile: CPU of Demeter, of the published method, and of only moving the bytes."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable
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
ROUNDS = 3
MOST_TILES = 6


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
    """Makes the five outputs as a build does, from files that are open: read, compute, encode, write and sync."""

    def __init__(self, given: inputs.Inputs, into: Path) -> None:
        self._given = given
        self._into = into

    def tiles(self, corners: Iterable[tuple[int, int]]) -> None:
        spec = raster.survey(str(self._given.rgb), bands=(1, 2, 3), nir=None)
        with rasterio.Env(**SAFE_ENV), open_raster(self._given.dem) as dem, raster.source(spec) as source:
            whole = Grid.of(dem)
            for col, row in corners:
                self._tile(dem, source, whole.window(col, row, SIZE, SIZE), col, row)

    def path(self, layer: str, col: int, row: int) -> Path:
        return self._into / f"{col}_{row}_{layer}.{'png' if layer in ('png', 'colour') else 'tif'}"

    def _tile(self, dataset: object, source: raster.RasterSource, grid: Grid, col: int, row: int) -> None:
        dem = read_dem(dataset, col, row, SIZE).heights
        imagery = source.fetch(grid)
        files = {
            "dem": encode_geotiff(dem, grid, descriptions=("height in metres",)),
            "rgb": encode_geotiff(np.moveaxis(imagery.rgb, 2, 0), grid, descriptions=("red", "green", "blue")),
            "png": encode_png(stretch_rgb(imagery.rgb, valid=imagery.valid).image),
            "dem255": encode_geotiff(depth_to_uint8(dem), grid),
            "colour": encode_png(colour_depth(dem), few_colours=True),
        }
        for layer, content in files.items():
            write_whole(self.path(layer, col, row), content, "bench")


def move_bytes(given: inputs.Inputs, outputs: list[Path], into: Path) -> None:
    """The floor: read a tile's share of the inputs' bytes, and write and sync the bytes that Demeter wrote."""
    for path in (given.dem, given.rgb):
        with rasterio.open(path) as dataset:
            share = SIZE * SIZE / (dataset.width * dataset.height)
        with path.open("rb") as stream:
            stream.read(int(path.stat().st_size * share))
    for path in outputs:
        write_whole(into / path.name, _held[path], "bench")


_held: dict[Path, bytes] = {}


def same_pixels(ours: Path, theirs: Path) -> bool:
    with rasterio.open(ours) as a, rasterio.open(theirs) as b:
        return bool((a.read() == b.read()).all())


def compare(given: inputs.Inputs, folder: Path) -> list[tuple[str, str]]:
    corners = given.corners[:MOST_TILES]
    folders = {name: folder / given.name / name for name in ("published", "here", "demeter", "floor")}
    for each in folders.values():
        each.mkdir(parents=True)
    demeter = Demeter(given, folders["demeter"])

    def plainly(name: str, processes: bool) -> Callable[[], None]:
        def work() -> None:
            for corner in corners:
                published.tile(given.dem, given.rgb, *corner, SIZE, folders[name], processes=processes)

        return work

    demeter.tiles(corners)
    layers = ("dem", "rgb", "png", "dem255", "colour")
    ours = [demeter.path(layer, *corner) for corner in corners for layer in layers]
    _held.update({path: path.read_bytes() for path in ours})
    works: dict[str, Callable[[], object]] = {
        "published": plainly("published", True),
        "published, one process": plainly("here", False),
        "Demeter": lambda: demeter.tiles(corners),
        "floor": lambda: [
            move_bytes(given, ours[start : start + len(layers)], folders["floor"])
            for start in range(0, len(ours), len(layers))
        ],
    }
    spent: dict[str, list[float]] = {name: [] for name in works}
    for number in range(ROUNDS):
        for name, work in works.items():
            if number == 0 or not name.startswith("published"):
                spent[name].append(cpu_of(work) / len(corners))
    cost = {name: statistics.median(values) for name, values in spent.items()}
    theirs = [
        path
        for corner in corners
        for path in published.tile(given.dem, given.rgb, *corner, SIZE, folders["here"], processes=False).values()
    ]
    same = sum(same_pixels(a, b) for a, b in zip(ours, theirs, strict=True))
    mine = cost["Demeter"]
    rows = [("tiles, each 512 x 512", str(len(corners)))]
    rows += [(f"{name}, CPU a tile", f"{1000 * seconds:.1f} ms") for name, seconds in cost.items()]
    rows += [
        ("published / Demeter (target 15)", f"{cost['published'] / mine:.1f}"),
        ("published, one process / Demeter", f"{cost['published, one process'] / mine:.1f}"),
        ("Demeter / floor (target 2.5)", f"{mine / cost['floor']:.1f}"),
        ("files whose pixels are identical", f"{same} of {len(ours)}"),
    ]
    return rows + [_png_sizes(layer, ours, theirs) for layer in ("png", "colour")] + [_sizes(ours, theirs)]


def _png_sizes(layer: str, ours: list[Path], theirs: list[Path]) -> tuple[str, str]:
    pairs = [(a.stat().st_size, b.stat().st_size) for a, b in zip(ours, theirs, strict=True) if f"_{layer}." in a.name]
    ratios = [a / b for a, b in pairs]
    total = sum(a for a, _ in pairs) / sum(b for _, b in pairs)
    return f"size of {layer} against Pillow's default (target 1.15)", f"{total:.2f}, the worst {max(ratios):.2f}"


def _sizes(ours: list[Path], theirs: list[Path]) -> tuple[str, str]:
    mine, plain = (sum(path.stat().st_size for path in paths) for paths in (ours, theirs))
    return "bytes of all five against the published ones", f"{mine / plain:.2f}"


def all_inputs(folder: Path) -> list[inputs.Inputs]:
    made = inputs.generated(folder)
    real = inputs.zion(folder)
    return [made, inputs.as_floats(made, folder), *([real] if real else [])]


def main() -> None:
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as name:
        show("Where this was measured", [("machine", machine()), ("the published cut is", published.cutter()[0])])
        for given in all_inputs(Path(name)):
            show(f"The five outputs: {given.name}", compare(given, Path(name) / "out"))


if __name__ == "__main__":
    main()
