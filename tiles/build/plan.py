"""Which tiles an area has: its elevation files in order, their windows, and the numbers these get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path

from django.db.models import Max, QuerySet

from tiles.core.checksum import sha256_of
from tiles.core.errors import BadInput
from tiles.models import Area, AreaCounter, DemFile, SkippedWindow, TilePair
from tiles.models.choices import BuildState, Failure
from tiles.raster.curve import space_key
from tiles.raster.dem import require_dem
from tiles.raster.errors import BadBands, NotARaster, RasterError, Unreadable
from tiles.raster.grid import Grid
from tiles.raster.reading import RasterInfo, inspect, list_rasters, natural_key, open_raster
from tiles.raster.windows import ScannedWindow

from .griding import grid_of
from .sheets import Sheet, sheet_windows
from .tile import Recipe, over_limit

BATCH = 500
# Not tried yet, or failed for what may go away by itself: tried by every run.
RETRYABLE = (Failure.NONE, Failure.UNREADABLE, Failure.SOURCE, Failure.CRASHED)
STORABLE = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")

Beat = Callable[[], None]


@dataclass(frozen=True)
class ScannedDem:
    """One elevation file, read through."""

    path: Path
    info: RasterInfo
    sha256: str


@dataclass(frozen=True)
class ScannedSheet:
    """One sheet, read through: its files, in order, and its windows."""

    sheet: Sheet
    files: list[ScannedDem]
    windows: list[ScannedWindow]


def dem_paths(given: Iterable[Path]) -> list[Path]:
    """All elevation files of the files and folders given, each once, in natural order of their names.

    Raises NotARaster, Unreadable.
    """
    found = {file.resolve(): file for place in given for file in list_rasters(place)}
    return sorted(found, key=lambda path: (natural_key(path), str(path)))


def dem_inspect(path: Path) -> RasterInfo:
    """What a file says of itself, when heights can be cut from it. Raises RasterError."""
    info = inspect(path)
    with open_raster(path) as dataset:
        require_dem(dataset)
    if info.dtype not in STORABLE:
        raise BadBands(f"{path.name} holds {info.dtype} numbers, which cannot be kept. Convert it to float32.")
    return info


def sheet_scan(sheet: Sheet, *, first_number: int, beat: Beat) -> ScannedSheet:
    """Read files that are cut together through: checksums and windows. beat() is called now and then.

    Raises RasterError.
    """
    files = [ScannedDem(path, dem_inspect(path), checksum(path, beat)) for path in sheet.files]
    return ScannedSheet(sheet, files, sheet_windows(sheet, first_number=first_number, beat=beat))


def checksum(path: Path, beat: Beat = lambda: None) -> str:
    """The sha256 of an input. Raises Unreadable."""
    try:
        return sha256_of(path, beat)
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error.strerror or error}.") from error


def dem_files_match(area: Area, given: Sequence[Path]) -> tuple[list[DemFile], list[Path]]:
    """The files an area has, in their order, and those of `given` that are new to it.

    A known file that is gone from its place and was given under the same name elsewhere has moved: its row, not yet
    saved, carries the new path.
    """
    known = list(area.dem_files.order_by("position"))
    paths = {file.path for file in known}
    absent = {file.name: file for file in known if not Path(file.path).is_file()}
    new = []
    for path in given:
        if str(path) in paths:
            continue
        if path.name in absent:
            absent.pop(path.name).path = str(path)
        else:
            new.append(path)
    return known, new


def dem_file_require_same(file: DemFile, beat: Beat = lambda: None, *, thorough: bool) -> None:
    """Raise BadInput unless a file of an area is there and is what it was; by its checksum when `thorough`."""
    path = Path(file.path)
    if not path.is_file():
        raise BadInput(f"{file.name}, from which this area was cut, is missing. Put it back where it was.")
    if path.stat().st_size != file.size or (thorough and checksum(path, beat) != file.sha256):
        raise BadInput(
            f"{file.name} is not the file this area was cut from: it has changed. "
            "Put the old one back, or build a new area."
        )


@dataclass(frozen=True)
class PlannedSheet:
    """The rows of a sheet that is new, not yet written."""

    files: list[DemFile]
    tiles: list[TilePair]
    skipped: list[SkippedWindow]


def sheet_plan(*, area: Area, position: int, scanned: ScannedSheet, beat: Beat) -> PlannedSheet:
    """Work out a sheet's rows before the transaction that writes them: a footprint a tile takes long.

    position: of the first file. A window belongs to the file that holds its centre. beat: called before each tile.
    """
    sheet = scanned.sheet
    mosaic = position if len(scanned.files) > 1 else None
    files = [
        _dem_file(area=area, position=position + place, mosaic=mosaic, scanned=file)
        for place, file in enumerate(scanned.files)
    ]
    planned = PlannedSheet(files, [], [])
    for window in scanned.windows:
        beat()
        with _defined(files[0].name):
            file = files[sheet.file_of(window.col, window.row)]
            if window.number is None:
                reason = window.skipped or ""
                planned.skipped.append(SkippedWindow(dem_file=file, col=window.col, row=window.row, reason=reason))
            else:
                grid = sheet.tile_grid(window.col, window.row)
                planned.tiles.append(_planned(area, file, grid, window, window.number))
    return planned


def sheet_add(planned: PlannedSheet) -> list[DemFile]:
    """Record the files of a sheet with its tiles, its skipped windows and the counters. Inside a transaction."""
    for file in planned.files:
        file.save()
    TilePair.objects.bulk_create(planned.tiles, batch_size=BATCH)
    SkippedWindow.objects.bulk_create(planned.skipped, batch_size=BATCH)
    counted: Counter[str] = Counter({BuildState.PLANNED: len(planned.tiles)})
    AreaCounter.objects.move(planned.files[0].area_id, Counter(), counted)
    return planned.files


def _dem_file(*, area: Area, position: int, mosaic: int | None, scanned: ScannedDem) -> DemFile:
    grid = scanned.info.grid
    if grid is None:
        raise NotARaster(f"{scanned.path.name} does not say where on Earth it lies.")
    nodata = scanned.info.nodata
    with _defined(scanned.path.name):
        footprint = grid.footprint()
    return DemFile(
        area=area,
        position=position,
        mosaic=mosaic,
        path=str(scanned.path),
        name=scanned.path.name,
        size=scanned.info.file_size,
        sha256=scanned.sha256,
        crs=grid.crs,
        width=grid.width,
        height=grid.height,
        dtype=scanned.info.dtype,
        footprint=footprint,
        nodata=None if nodata is None or nodata != nodata else nodata,
    )


def next_number(area: Area) -> int:
    """The number that the area's next tile gets."""
    last = area.tiles.aggregate(last=Max("index"))["last"]
    return grid_of(area.recipe).start_index or 0 if last is None else int(last) + 1


def next_position(area: Area) -> int:
    """The place of the area's next elevation file."""
    last = area.dem_files.aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1


def tiles_to_make(area: Area, recipe: Recipe, *, remake: bool = False) -> list[int]:
    """The ids of the tiles that a run has to make, in the order in which they are read best.

    These are the planned ones, those that failed for a reason that may have gone away, those that failed a limit
    which has since been raised enough, those made with another stretch or unit (a remake was stopped halfway), and
    with `remake` all built ones. Row by row through each file, so that windows that share strips of a file are read
    together; numbers do not depend on it.
    """
    rows = _cut_tiles(area).values_list("id", "build_state", "failure", "void_share", "uncovered_share", "parameters")
    wanted = recipe.parameters()
    todo = []
    for tile_id, state, failure, void, uncovered, made in rows.iterator(chunk_size=5000):
        if state == BuildState.BUILT:
            wants = remake or any(made.get(name, value) != value for name, value in wanted.items())
        else:
            wants = _may_succeed(recipe, failure, void, uncovered)
        if wants:
            todo.append(tile_id)
    return todo


def tiles_planned(area: Area) -> list[int]:
    """The ids of the tiles that are to be made and were not tried since that was said, in the same order."""
    return list(_cut_tiles(area).filter(build_state=BuildState.PLANNED).values_list("id", flat=True))


def _cut_tiles(area: Area) -> QuerySet[TilePair]:
    return area.tiles.filter(dem_file__isnull=False).order_by("dem_file__position", "window_row", "window_col")


def _may_succeed(recipe: Recipe, failure: str, void: float | None, uncovered: float | None) -> bool:
    """Whether a tile that is planned or failed may come out now."""
    if failure == Failure.VOID:
        return void is None or not over_limit(void, recipe.void_limit)
    if failure == Failure.NOT_COVERED:
        return uncovered is None or not over_limit(uncovered, recipe.uncovered_limit)
    return failure in RETRYABLE


@contextmanager
def _defined(name: str) -> Iterator[None]:
    try:
        yield
    except RasterError as error:
        raise BadInput(f"{name} reaches outside the area where its coordinate system is defined.") from error


def lowest_numbers(area: Area, ids: Sequence[int], limit: int) -> list[int]:
    """Of these tiles the `limit` with the lowest numbers, in the order given."""
    numbers = dict(area.tiles.values_list("id", "index"))
    chosen = set(nsmallest(limit, ids, key=numbers.__getitem__))
    return [tile_id for tile_id in ids if tile_id in chosen]


def _planned(area: Area, file: DemFile, cut: Grid, window: ScannedWindow, index: int) -> TilePair:
    (lon, lat), footprint = cut.centre_lonlat(), cut.footprint()
    return TilePair(
        area=area,
        index=index,
        dem_file=file,
        window_col=window.col,
        window_row=window.row,
        grid=cut.to_dict(),
        footprint=footprint,
        lon=lon,
        lat=lat,
        space=space_key(lon, lat),
        gsd=cut.gsd_m,
        satellite=area.satellite,
        native_gsd=area.imagery_gsd,
    )
