"""One tile: from a window of heights and a source of imagery to the bytes of its layers. No database, no files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tiles.imagery.base import Imagery, NoImagery, Source, SourceClosed, SourceError
from tiles.models.choices import Failure
from tiles.raster.arrays import BoolArray, FloatArray, NumberArray, UInt8Array, share_of
from tiles.raster.dem import Dem, read_dem
from tiles.raster.depth import depth_to_uint8
from tiles.raster.encode import encode_geotiff, encode_jpeg_preview, encode_png
from tiles.raster.errors import BlankImage, FlatTile, RasterError
from tiles.raster.grid import Grid
from tiles.raster.heights import Heights
from tiles.raster.measuring import Quality, measure_quality, reflectance_of
from tiles.raster.quality import flags_of
from tiles.raster.stretch import Normalisation, Stretched, stretch_rgb
from tiles.raster.surface import SurfaceMeasures, measure_surface
from tiles.raster.terrain import TerrainMeasures, measure_terrain

PREVIEW_SIZE = 128


@dataclass(frozen=True)
class Recipe:
    """How the tiles of an area are made. Limits are percent of a tile's pixels; unit_factor is metres a unit.

    pack_rgb: deflate the unstretched imagery too, `rgb` and `nir`: less disk for more time.
    """

    void_limit: float = 0.0
    uncovered_limit: float = 0.0
    unit_factor: float = 1.0
    normalisation: Normalisation = "per_channel"
    percent: float = 1.0
    per_channel_percent: bool = False
    pack_rgb: bool = False

    def parameters(self) -> dict[str, Any]:
        """What a tile's row says of how it was made. Limits and packing are left out: they change no pixel."""
        return {
            "normalisation": self.normalisation,
            "percent": self.percent,
            "per_channel_percent": self.per_channel_percent,
            "unit_factor": self.unit_factor,
        }


@dataclass(frozen=True)
class LayerContent:
    """One layer as it goes to the disk, with what its row says of it. scale: reflectance a unit, where it is known."""

    content: bytes
    dtype: str
    range: tuple[float, float] | None = None
    scale: float | None = None

    def entry(self, version: int) -> dict[str, Any]:
        """The layer's part of `TilePair.layers`."""
        entry: dict[str, Any] = {
            "v": version,
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "bytes": len(self.content),
            "dtype": self.dtype,
        }
        if self.range:
            entry["min"], entry["max"] = self.range
        if self.scale is not None:
            entry["scale"] = self.scale
        return entry


@dataclass(frozen=True)
class Built:
    """A tile that came out. uncovered_share: 0..1. heights: how they were read, when not copied out of one file."""

    layers: Mapping[str, LayerContent]
    terrain: TerrainMeasures
    surface: SurfaceMeasures
    quality: Quality
    uncovered_share: float
    flags: tuple[str, ...]
    provenance: dict[str, Any]
    heights: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """A tile that did not. Shares are None where it did not come to measuring them."""

    failure: Failure
    detail: str
    void_share: float | None = None
    uncovered_share: float | None = None


class _Stop(Exception):
    """The tile cannot be made; carries why."""

    def __init__(self, outcome: Failed) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


Outcome = Built | Failed


def over_limit(share: float, limit: float) -> bool:
    """Whether a share (0..1) is above a limit in percent; a tile without any pixel of worth always is."""
    return share >= 1 or share * 100 > limit


def tile_make(
    dataset: Any,
    *,
    col: int,
    row: int,
    grid: Grid,
    source: Source,
    recipe: Recipe,
    beat: Callable[[], None] = lambda: None,
) -> Outcome:
    """Make one tile.

    dataset: the open elevation file; col, row: the window's corner in it; grid: the window's grid, of width = height.
    In place of a file it may be `Heights`, which are then asked for the grid.
    beat() is called between the steps. Never invents a pixel: what cannot be made comes back as Failed.
    Raises SourceClosed, which is nobody's tile's fault.
    """
    try:
        dem = _heights(dataset, col, row, grid, recipe)
        beat()
        imagery = _imagery(source, grid, dem, recipe, beat)
        beat()
        built = _built(dem, imagery, grid, recipe, dataset.nodata, beat)
        return replace(built, heights=dataset.provenance(grid)) if isinstance(dataset, Heights) else built
    except _Stop as stop:
        return stop.outcome
    except RasterError as error:
        return Failed(Failure.UNREADABLE, str(error))
    except SourceClosed:
        raise
    except SourceError as error:
        return Failed(Failure.SOURCE, str(error))


def heights_read(dataset: Any, col: int, row: int, grid: Grid, unit_factor: float) -> Dem:
    """The heights of a window, from a file or from `Heights`, as `tile_make` takes them. Raises RasterError."""
    if isinstance(dataset, Heights):
        return dataset.read(grid, unit_factor=unit_factor)
    return read_dem(dataset, col, row, grid.width, unit_factor=unit_factor)


def _heights(dataset: Any, col: int, row: int, grid: Grid, recipe: Recipe) -> Dem:
    dem = heights_read(dataset, col, row, grid, recipe.unit_factor)
    if over_limit(dem.void_share, recipe.void_limit):
        raise _Stop(
            Failed(
                Failure.VOID,
                f"{percent_text(dem.void_share)} of the heights are void; the limit is {recipe.void_limit:g} %.",
                void_share=dem.void_share,
            )
        )
    return dem


def _imagery(source: Source, grid: Grid, dem: Dem, recipe: Recipe, beat: Callable[[], None]) -> Imagery:
    why = ""
    try:
        imagery = source.fetch(grid, beat)
        uncovered = _uncovered(imagery)
    except NoImagery as error:
        imagery, uncovered, why = None, 1.0, f"{error} "
    if imagery is None or over_limit(uncovered, recipe.uncovered_limit):
        limit = f"the limit is {recipe.uncovered_limit:g} %."
        raise _Stop(
            Failed(
                Failure.NOT_COVERED,
                f"{why}{percent_text(uncovered)} of the tile have no imagery; {limit}",
                void_share=dem.void_share,
                uncovered_share=uncovered,
            )
        )
    return imagery


def _built(
    dem: Dem, imagery: Imagery, grid: Grid, recipe: Recipe, nodata: float | None, beat: Callable[[], None]
) -> Built:
    uncovered = _uncovered(imagery)
    try:
        stretched = picture_stretch(imagery.rgb, imagery.valid, recipe)
    except BlankImage as error:
        raise _Stop(Failed(Failure.BLANK, str(error), dem.void_share, uncovered)) from error
    void = dem.void if dem.void.any() else None
    terrain = measure_terrain(dem.heights, grid, void)
    layers = {
        **picture_layers(stretched),
        **_imagery_layers(imagery, grid, recipe.pack_rgb),
    }
    beat()
    layers |= _height_layers(dem, void, grid, nodata, (terrain.dem_min, terrain.dem_max))
    reflectance = _reflectance(imagery)
    return Built(
        layers=layers,
        terrain=terrain,
        surface=_surface(imagery, reflectance),
        quality=_quality(dem, imagery, grid, reflectance),
        uncovered_share=uncovered,
        flags=flags_of(distinct=terrain.distinct_heights, stretch_flags=stretched.flags),
        provenance=imagery.provenance,
    )


def picture_stretch(rgb: NumberArray, valid: BoolArray | None, recipe: Recipe) -> Stretched:
    """The 8-bit picture of a tile. rgb: (H, W, 3); valid: (H, W), or None when all of it is. Raises BlankImage."""
    return stretch_rgb(
        rgb,
        valid=valid,
        normalisation=recipe.normalisation,
        percent=recipe.percent,
        per_channel_percent=recipe.per_channel_percent,
    )


def picture_layers(stretched: Stretched) -> dict[str, LayerContent]:
    """The layers that a stretch makes."""
    return {
        "png": LayerContent(encode_png(stretched.image), "uint8"),
        "preview": LayerContent(encode_jpeg_preview(stretched.image, PREVIEW_SIZE), "uint8"),
    }


def _height_layers(
    dem: Dem, void: BoolArray | None, grid: Grid, nodata: float | None, spread: tuple[float, float]
) -> dict[str, LayerContent]:
    heights, mark = _marked(dem.heights, void, nodata)
    if void is None:
        mark = nodata if nodata is not None and _holds(heights.dtype, nodata) else None
    content = encode_geotiff(heights, grid, nodata=mark, descriptions=("height in metres",))
    layers = {
        "dem": LayerContent(content, str(heights.dtype), spread),
        "dem255": LayerContent(encode_geotiff(_depth(dem, void), grid), "uint8"),
    }
    if void is not None:
        layers["void"] = LayerContent(encode_png(void.astype(np.uint8) * np.uint8(255)), "uint8")
    return layers


def _depth(dem: Dem, void: BoolArray | None) -> UInt8Array:
    try:
        return depth_to_uint8(dem.heights, void)
    except FlatTile:
        # A constant cannot be scaled: it becomes 0, and the tile is rejected by rule.
        return np.zeros(dem.heights.shape, np.uint8)


def _imagery_layers(imagery: Imagery, grid: Grid, packed: bool) -> dict[str, LayerContent]:
    """The unstretched bands, with the pixels that have no image marked, so that a stretch can be redone."""
    missing = None if imagery.valid.all() else ~imagery.valid
    bands = np.moveaxis(imagery.rgb, 2, 0)
    layers = {"rgb": _bands_layer(bands, missing, imagery, grid, ("red", "green", "blue"), packed)}
    if imagery.nir is not None:
        layers["nir"] = _bands_layer(imagery.nir[np.newaxis], missing, imagery, grid, ("near infrared",), packed)
    return layers


def _bands_layer(
    bands: NumberArray,
    missing: BoolArray | None,
    imagery: Imagery,
    grid: Grid,
    names: tuple[str, ...],
    packed: bool,
) -> LayerContent:
    known = bands if missing is None else bands[:, ~missing]
    spread = (float(known.min()), float(known.max()))
    marked, nodata = _marked(bands, missing, imagery.nodata)
    content = encode_geotiff(
        marked,
        grid,
        nodata=nodata,
        scale=imagery.scale,
        offset=imagery.offset,
        descriptions=names,
        packed=packed,
    )
    return LayerContent(content, str(marked.dtype), spread, imagery.scale)


def _marked(values: NumberArray, missing: BoolArray | None, wanted: float | None) -> tuple[NumberArray, float | None]:
    """Write one value wherever there is nothing, and say which.

    values: (..., H, W); missing: (H, W), or None when nothing is; wanted: the value the source uses, if any.
    Another one is taken when a pixel that is there has that value, for it could not be told from a missing one; and
    a wider integer type when all values are in use. Returns the array and the value, None when nothing is missing.
    """
    if missing is None:
        return values, None
    known = values[..., ~missing]
    while True:
        for mark in _marks(values.dtype, wanted):
            if not (known == mark).any():
                marked = values.copy()
                marked[..., missing] = mark
                return marked, mark
        values = values.astype(np.promote_types(values.dtype, _WIDER[values.dtype.itemsize]))


_WIDER = {1: np.int16, 2: np.int32, 4: np.float64}


def _marks(dtype: np.dtype[Any], wanted: float | None) -> list[float]:
    first = [wanted] if wanted is not None and _holds(dtype, wanted) else []
    if dtype.kind == "f":
        return [*first, float("nan")]
    limits = np.iinfo(dtype)
    return [*first, *(float(value) for value in dict.fromkeys((limits.min, limits.max)))]


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    """Whether a type can hold a nodata value."""
    if dtype.kind == "f":
        return not np.isfinite(value) or abs(value) <= np.finfo(dtype).max
    limits = np.iinfo(dtype)
    return value == int(value) and limits.min <= value <= limits.max if np.isfinite(value) else False


def _uncovered(imagery: Imagery) -> float:
    return share_of(~imagery.valid)


def _reflectance(imagery: Imagery) -> FloatArray | None:
    """Red, green and blue, (3, H, W) float32, as two kinds of measures take them; None where no scale is known."""
    if imagery.scale is None:
        return None
    return reflectance_of(np.moveaxis(imagery.rgb, 2, 0), imagery.scale, imagery.offset)


def _surface(imagery: Imagery, reflectance: FloatArray | None) -> SurfaceMeasures:
    """Measures of the unstretched imagery, in the source's physical unit where it declares one."""
    if reflectance is None:
        return measure_surface(imagery.rgb, imagery.nir, imagery.valid)
    nir = None if imagery.nir is None else reflectance_of(imagery.nir, imagery.scale, imagery.offset)
    return measure_surface(np.moveaxis(reflectance, 0, 2), nir, imagery.valid, scale=1.0)


def _quality(dem: Dem, imagery: Imagery, grid: Grid, reflectance: FloatArray | None) -> Quality:
    return measure_quality(
        rgb=imagery.rgb,
        nir=imagery.nir,
        valid=imagery.valid,
        scale=imagery.scale,
        offset=imagery.offset,
        dem=dem.heights,
        void=dem.void,
        grid=grid,
        reflectance=reflectance,
    )


def percent_text(share: float) -> str:
    """A share in percent, never rounded down to nothing."""
    if 0 < share < 0.0005:
        return "Less than 0.1 %"
    return f"{share * 100:.1f} %"
