"""Imagery from rasters on disk: one file, or a folder whose files make a mosaic."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from tiles.core.checksum import sha256_of
from tiles.core.errors import BadInput
from tiles.raster.arrays import BoolArray, NumberArray
from tiles.raster.errors import BadBands, GridMismatch, RasterError, Unreadable
from tiles.raster.grid import Grid
from tiles.raster.lattice import common_lattice
from tiles.raster.reading import SAFE_ENV, list_rasters, open_raster, plain_errors

from .aligned import read_window, window_of
from .base import Imagery, NoImagery, SourcePermanent

KIND = "raster"
OPEN_FILES = 32
# GDAL's default of 1/8 of a pixel moves the picture visibly where it is magnified; a hundredth costs no more.
TOLERANCE_PX = 0.01

Bounds = tuple[float, float, float, float]


def survey(path: str, *, bands: Sequence[int], nir: int | None) -> dict[str, Any]:
    """Look at the headers of a file, or of all rasters of a folder, and describe them as a spec.

    All files must have the bands asked for and agree in dtype, scale and offset, or the mosaic would mix units.
    The last pixels of every file are read, since a file that was cut short lacks those.
    Raises BadInput, RasterError.
    """
    _require_bands(bands, nir)
    place = Path(path).expanduser().absolute()
    files = [_describe(file, [*bands, *([nir] if nir else [])]) for file in list_rasters(place)]
    first = files[0]
    for file in files[1:]:
        for what in ("dtype", "scale", "offset"):
            if file[what] != first[what]:
                raise BadInput(
                    f"The imagery does not fit together: {what} is {first[what]} in {first['name']} "
                    f"and {file[what]} in {file['name']}. Give them the same, or build two areas."
                )
    return {
        "kind": KIND,
        "path": str(place),
        "bands": list(bands),
        "nir": nir,
        "gsd": min(file["gsd"] for file in files),
        "files": files,
    }


def place(spec: Mapping[str, Any]) -> str:
    return str(spec["path"])


def source(spec: Mapping[str, Any]) -> RasterSource:
    return RasterSource(spec)


def lattice(spec: Mapping[str, Any]) -> Grid:
    """The grid that covers all files, on the pixels of each. Raises BadInput when they are not of one lattice."""
    grids = []
    for file in spec["files"]:
        with open_raster(Path(file["path"])) as dataset:
            grids.append(Grid.of(dataset))
    try:
        return common_lattice(grids)
    except GridMismatch as error:
        raise BadInput(
            "The files of the imagery lie on different pixel grids, so tiles cannot be cut on one of theirs. "
            "Choose a grid by --gsd METRES, or bring the files onto one grid.",
            field="grid.grid",
        ) from error


def reaches(spec: Mapping[str, Any], bounds: Sequence[float]) -> bool:
    return any(boxes_touch(file["bounds"], bounds) for file in spec["files"])


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why `new` would give other pixels than `old`, as a clause, or nothing.

    Files are compared by name and size, and by checksum where both specs have it; not by folder, for data moves.
    """
    if old["bands"] != new["bands"] or old["nir"] != new["nir"]:
        return f"it was built from bands {_bands_text(old)} and not {_bands_text(new)}"
    before = {file["name"]: file for file in old["files"]}
    after = {file["name"]: file for file in new["files"]}
    for name, file in before.items():
        if name not in after:
            return f"{name} is missing now"
        if file["size"] != after[name]["size"] or _sums_differ(file, after[name]):
            return f"{name} has changed"
    return next((f"{name} was not there" for name in after if name not in before), "")


def with_checksums(
    spec: Mapping[str, Any], known: Mapping[str, Any] | None, beat: Callable[[], None]
) -> dict[str, Any]:
    """The spec with the sha256 of every file.

    A file that has the size and time of change it has in `known`, an earlier spec, is not read again. beat() is
    called every few megabytes. Raises Unreadable.
    """
    before = {file["name"]: file for file in (known or {}).get("files", [])}
    files = []
    for file in spec["files"]:
        old = before.get(file["name"], {})
        same = all(old.get(what) == file[what] for what in ("path", "size", "changed")) and old.get("sha256")
        files.append({**file, "sha256": old["sha256"] if same else _checksum(file, beat)})
    return {**spec, "files": files}


class RasterSource:
    """Reads a grid out of one raster or a mosaic: in natural order of the names, the first valid pixel wins."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self._bands = [*spec["bands"], *([spec["nir"]] if spec["nir"] else [])]
        self._open: dict[str, Any] = {}
        self._stack = ExitStack()
        self._environment = rasterio.Env(**SAFE_ENV)

    def __enter__(self) -> Self:
        self._environment.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._close()
        self._environment.__exit__(None, None, None)

    def fetch(self, grid: Grid, beat: Callable[[], None] = lambda: None) -> Imagery:
        """Imagery on `grid`, resampled bilinearly; where it is coarser than the files, over its pixels' whole area.

        A pixel whose grid coincides with the file's is that file's pixel, unchanged.
        Raises NoImagery where no file reaches, Unreadable for a damaged file.
        """
        pixels: NumberArray | None = None
        valid: BoolArray = np.zeros((grid.height, grid.width), bool)
        used = []
        for file in self._files_at(grid):
            found, there = self._read(file, grid)
            fresh = there & ~valid
            if not fresh.any():
                continue
            used.append(file["name"])
            if pixels is None:
                pixels = found
            else:
                pixels[:, fresh] = found[:, fresh]
            valid |= fresh
            if valid.all():
                break
        if pixels is None:
            raise NoImagery("The imagery does not reach this tile.")
        return self._imagery(pixels, valid, used)

    def _imagery(self, pixels: NumberArray, valid: BoolArray, used: list[str]) -> Imagery:
        first = self._spec["files"][0]
        scale, offset = first["scale"], first["offset"]
        if isinstance(scale, list):
            # Bands that count differently have no common integers: only the physical values are comparable.
            factors, terms = (np.array(values, np.float64)[:, None, None] for values in (scale, offset))
            pixels = (pixels * factors + terms).astype(np.float32)
            scale = offset = None
        if pixels.dtype == np.float64:
            pixels = pixels.astype(np.float32)
        return Imagery(
            rgb=np.moveaxis(pixels[:3], 0, 2),
            nir=pixels[3] if self._spec["nir"] else None,
            valid=valid,
            scale=scale,
            offset=offset,
            nodata=first["nodata"] if isinstance(first["nodata"], float) else None,
            provenance={
                "source": KIND,
                "files": used,
                "bands": self._spec["bands"],
                "nir": self._spec["nir"],
                "resampling": "bilinear",
                "native_gsd": self._spec["gsd"],
            },
        )

    def _files_at(self, grid: Grid) -> list[dict[str, Any]]:
        wanted = grid.bounds_lonlat()
        return [file for file in self._spec["files"] if boxes_touch(file["bounds"], wanted)]

    def _read(self, file: dict[str, Any], grid: Grid) -> tuple[NumberArray, BoolArray]:
        """(bands, H, W) pixels of one file on the grid, and (H, W) where it has any."""
        dataset = self._dataset(file)
        options: dict[str, Any] = {}
        alpha = _alpha_band(dataset)
        if alpha is None:
            # The mask of a WarpedVRT cannot be relied on when it adds an alpha band (dataset_mask() may say that all
            # is valid), but the band itself can, provided nodata is passed on by hand.
            nodata = dataset.nodata
            if nodata is None and np.dtype(dataset.dtypes[0]).kind == "f":
                nodata = math.nan
            if nodata is not None:
                options = {"src_nodata": nodata, "UNIFIED_SRC_NODATA": "YES"}
            options["add_alpha"] = True
            alpha = dataset.count + 1
        with plain_errors(file["name"]):
            if alpha > dataset.count and (window := window_of(dataset, grid)):
                pixels, there = read_window(dataset, window, self._bands, options.get("src_nodata"))
            else:
                with _warped(dataset, grid, options) as warped:
                    read = warped.read([*self._bands, alpha])
                pixels, there = read[:-1], read[-1] > 0
        if pixels.dtype.kind == "f":
            there &= np.isfinite(pixels).all(axis=0)
        return pixels, there

    def _dataset(self, file: dict[str, Any]) -> Any:
        path = file["path"]
        if path not in self._open:
            if len(self._open) >= OPEN_FILES:
                self._close()
            if not Path(path).is_file() or Path(path).stat().st_size != file["size"]:
                raise Unreadable(f"{file['name']} is gone or has changed since the build was planned.")
            self._open[path] = self._stack.enter_context(open_raster(Path(path)))
        return self._open[path]

    def _close(self) -> None:
        self._open.clear()
        self._stack.close()


def _warped(dataset: Any, grid: Grid, options: Mapping[str, Any]) -> WarpedVRT:
    try:
        return WarpedVRT(
            dataset,
            crs=grid.rio_crs,
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            resampling=Resampling.bilinear,
            tolerance=TOLERANCE_PX,
            **options,
        )
    except (RasterioError, CRSError, CPLE_BaseError) as error:
        name = Path(str(dataset.name)).name
        raise SourcePermanent(f"{name} cannot be brought into the tile's coordinate system.") from error


def boxes_touch(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two boxes of west, south, east, north overlap, also across the antimeridian."""
    if a[3] < b[1] or b[3] < a[1]:
        return False
    return any(a[0] + turn <= b[2] and b[0] <= a[2] + turn for turn in (-360, 0, 360))


def _describe(path: Path, bands: Sequence[int]) -> dict[str, Any]:
    with open_raster(path) as dataset:
        if max(bands) > dataset.count:
            raise BadInput(
                f"{path.name} has {dataset.count} {'band' if dataset.count == 1 else 'bands'}, "
                f"so there is no band {max(bands)}. Choose others.",
                field="bands" if max(bands[:3]) > dataset.count else "nir",
            )
        dtypes = {dataset.dtypes[band - 1] for band in bands}
        if len(dtypes) > 1 or np.dtype(next(iter(dtypes))).kind not in "iuf":
            raise BadBands(f"The bands of {path.name} are not all of one real type: {', '.join(sorted(dtypes))}.")
        grid = Grid.of(dataset)
        _read_end(dataset)
        status = path.stat()
        return {
            "path": str(path.resolve()),
            "name": path.name,
            "size": status.st_size,
            "changed": status.st_mtime_ns,
            "dtype": dtypes.pop(),
            "nodata": _plain(dataset.nodata),
            **_scaling(dataset, bands),
            "bounds": _bounds(grid),
            "gsd": round(grid.gsd_m, 4),
        }


def _scaling(dataset: Any, bands: Sequence[int]) -> dict[str, Any]:
    """Scale and offset: one number each, a list of one a band where bands differ, None where nothing is declared."""
    scales = [float(dataset.scales[band - 1]) for band in bands]
    offsets = [float(dataset.offsets[band - 1]) for band in bands]
    pairs = set(zip(scales, offsets, strict=True))
    if len(pairs) > 1:
        return {"scale": scales, "offset": offsets}
    if pairs == {(1.0, 0.0)}:
        return {"scale": None, "offset": None}
    return {"scale": scales[0], "offset": offsets[0]}


def _checksum(file: Mapping[str, Any], beat: Callable[[], None]) -> str:
    try:
        return sha256_of(Path(file["path"]), beat)
    except OSError as error:
        raise Unreadable(f"{file['name']} cannot be read: {error.strerror or error}.") from error


def _plain(nodata: float | None) -> float | str | None:
    """Nodata as JSON can hold it."""
    if nodata is None:
        return None
    return float(nodata) if math.isfinite(nodata) else str(nodata)


def _bounds(grid: Grid) -> Bounds:
    try:
        return grid.bounds_lonlat()
    except RasterError:
        # A picture of half the globe may reach beyond its projection; it is then tried for every tile.
        return (-180.0, -90.0, 180.0, 90.0)


def _read_end(dataset: Any) -> None:
    """Read the last row, all bands. Raises Unreadable when the file ends before it."""
    with plain_errors(Path(str(dataset.name)).name):
        dataset.read(window=Window(0, dataset.height - 1, dataset.width, 1))


def _alpha_band(dataset: Any) -> int | None:
    colours = list(dataset.colorinterp)
    return colours.index(ColorInterp.alpha) + 1 if ColorInterp.alpha in colours else None


def _require_bands(bands: Sequence[int], nir: int | None) -> None:
    if len(bands) != 3:
        raise BadInput("Name three bands: red, green and blue, as in 1,2,3.", field="bands")
    if min(*bands, 1 if nir is None else nir) < 1:
        raise BadInput("Bands are counted from 1.", field="bands" if min(bands) < 1 else "nir")


def _bands_text(spec: Mapping[str, Any]) -> str:
    nir = f" and near infrared {spec['nir']}" if spec["nir"] else ""
    return ",".join(str(band) for band in spec["bands"]) + nir


def _sums_differ(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return "sha256" in a and "sha256" in b and a["sha256"] != b["sha256"]
