"""The job that builds an area: plan its tiles, make them chunk by chunk, finish."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import rasterio
from django.conf import settings
from django.db import DatabaseError

from tiles.core.errors import ApplicationError, BadInput, Suspended
from tiles.core.files import require_free
from tiles.core.signals import area_built
from tiles.imagery import LooksAhead, Source, SourceClosed, imagery_checksums, imagery_difference, source_from
from tiles.jobs.leases import Lease, LeaseLost, Stopped, chunks_add
from tiles.jobs.limiter import earthengine_limiter
from tiles.models import Area, AreaCounter, DemFile, Job, JobChunk, SkippedWindow, TilePair
from tiles.models.choices import Failure
from tiles.raster.errors import RasterError, Unreadable
from tiles.raster.grid import Grid
from tiles.raster.reading import SAFE_ENV, open_raster

from . import plan
from .busy import BUILD
from .griding import grid_of
from .hand import Hand
from .judging import area_survey, blocks_of, tiles_judge
from .mosaics import Mosaics, is_plain
from .recipe import recipe_of
from .record import tile_record_failed, tiles_built_tell, tiles_record_built
from .sheets import sheets_of
from .store import layers_settle, layers_write, temporary_drop
from .tile import Built, Failed, Outcome, Recipe, heights_read, over_limit, tile_make

PLAN, TILES, SURVEY, JUDGE, FINISH = range(5)

# A chunk begins as 24 tiles of 512, which take two seconds from a file, and ends after five whatever they take.
PIXELS_A_CHUNK = 24 * 512 * 512
MOST_TILES_A_CHUNK = 200
# Rows are written for many tiles at once, for a transaction and the first captions behind it cost as much as two tiles.
SECONDS_A_WRITE = 2.0
TILES_A_WRITE = 32
# rasterio takes bytes here, where GDAL's own variable takes megabytes.
CACHE_BYTES = 96 * 2**20


class BuildKind:
    """Builds an area. A tile's id leaves its chunk's payload in the transaction that records it."""

    name = BUILD

    def run(self, lease: Lease) -> None:
        stage = STAGES[lease.payload["do"]]
        try:
            with rasterio.Env(**SAFE_ENV, GDAL_CACHEMAX=CACHE_BYTES):
                stage(lease)
        except SourceClosed as error:
            raise Suspended(f"{error} Then resume this job: no tile was failed for it.") from error
        except RasterError as error:
            raise BadInput(str(error), code=error.code) from error
        except ApplicationError:
            # A worker that was too slow finds its temporary files swept away: that is no failure of the job.
            with lease.fence():
                pass
            raise

    def discard(self, chunk: JobChunk) -> None:
        if chunk.job.area is not None:
            temporary_drop(area=chunk.job.area.slug, owner=f"{chunk.pk}-*")

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """Give up the tile at which the workers died, and go on with those behind it.

        After a first death rows are written tile by tile, so the culprit is the first that is left. Such a build ends
        as done, with a failed tile; one that cannot be planned or finished fails.
        """
        if chunk.payload["do"] != "tiles":
            return False
        if not chunk.payload["tiles"]:
            return True
        culprit, *rest = chunk.payload["tiles"]
        change = tile_record_failed(tile_id=culprit, failed=Failed(Failure.CRASHED, message))
        AreaCounter.objects.add(_area_id(chunk.job), change)
        job = Job.objects.select_for_update().get(pk=chunk.job_id)
        job.failed += 1
        job.failures[Failure.CRASHED] = job.failures.get(Failure.CRASHED, 0) + 1
        job.save(update_fields=["failed", "failures"])
        if rest:
            chunks_add(job, [{"do": "tiles", "tiles": rest}], stage=TILES)
        return True

    def ended(self, job: Job) -> None:
        """Nothing to do: what is built stays, whatever became of the job."""


def _area_id(job: Job) -> int:
    if job.area_id is None:
        raise ValueError("a build has an area")
    return job.area_id


def _plan(lease: Lease) -> None:
    """Read the inputs through, number the tiles that are new, and hand out the work."""
    area = Area.objects.get(pk=_area_id(lease.job))
    _check_imagery(lease, area)
    known, new = plan.dem_files_match(area, [Path(path) for path in lease.payload["dems"]])
    for file in known:
        plan.dem_file_require_same(file, lease.beat, thorough=True)
    with lease.fence():
        DemFile.objects.bulk_update(known, ["path"])
    spec, options = lease.payload["imagery"], grid_of(area.recipe)
    for sheet in sheets_of(new, imagery=spec, tile_size=area.tile_size, options=options):
        scanned = plan.sheet_scan(sheet, first_number=plan.next_number(area), beat=lease.beat)
        planned = plan.sheet_plan(area=area, position=plan.next_position(area), scanned=scanned, beat=lease.beat)
        with lease.fence():
            for file in plan.sheet_add(planned):
                lease.log(_file_line(file))
    _hand_out(lease, area)


def _check_imagery(lease: Lease, area: Area) -> None:
    """Fix the imagery by its checksums on the first run; refuse another one later."""
    spec = lease.payload["imagery"]
    before = area.recipe.get("imagery")
    summed = imagery_checksums(spec, before, lease.beat)
    difference = imagery_difference(before, summed) if before else ""
    if difference and area.tiles.exists():
        raise BadInput(other_imagery(difference))
    with lease.fence():
        area = Area.objects.select_for_update().get(pk=area.pk)
        area.recipe = {**area.recipe, "imagery": summed}
        area.save(update_fields=["recipe"])


def other_imagery(difference: str) -> str:
    return f"This area has other imagery: {difference}. Build a new area, so that its tiles stay alike."


SKIPPED_WORDS = {
    SkippedWindow.Reason.SEA: "all sea",
    SkippedWindow.Reason.PARTIAL: "cut off by the edge",
    SkippedWindow.Reason.OUTSIDE: "beyond the heights",
    SkippedWindow.Reason.AOI: "outside the area of interest",
}


def _file_line(file: DemFile) -> str:
    skipped = Counter(file.skipped.values_list("reason", flat=True))
    tiles = file.tiles.count()
    parts = [
        f"{number} skipped ({SKIPPED_WORDS[SkippedWindow.Reason(reason)]})"
        for reason, number in sorted(skipped.items())
    ]
    return f"{file.name}: " + ", ".join([f"{tiles} {'tile' if tiles == 1 else 'tiles'}", *parts]) + "."


def _hand_out(lease: Lease, area: Area) -> None:
    if not area.tiles.exists():
        raise BadInput(
            "There is nothing to build: every window of the elevation models is sea, cut off by an edge"
            + (" or outside the area of interest." if grid_of(area.recipe).aoi else ".")
        )
    if "retry" in lease.job.parameters:
        ids = plan.tiles_planned(area)
    else:
        ids = plan.tiles_to_make(area, recipe_of(area), remake=lease.job.parameters["remake"])
    wanted = len(ids)
    if limit := lease.job.parameters.get("limit"):
        ids = plan.lowest_numbers(area, ids, limit)
    most = area.recipe["imagery"].get("tiles_a_chunk", MOST_TILES_A_CHUNK)
    size = max(1, min(most, PIXELS_A_CHUNK // area.tile_size**2))
    with lease.fence():
        if lease.job.chunks.filter(stage=FINISH).exists():
            return  # an earlier attempt came so far
        lease.expect(total=len(ids))
        lease.add_chunks(
            [{"do": "tiles", "tiles": ids[start : start + size]} for start in range(0, len(ids), size)], stage=TILES
        )
        lease.add_chunks([{"do": "survey"}], stage=SURVEY)
        lease.add_chunks([{"do": "finish"}], stage=FINISH)
        kept, later = area.tiles.count() - wanted, wanted - len(ids)
        lease.log(
            f"{len(ids)} tiles to make."
            + (f" {kept} stay as they are." if kept else "")
            + (f" {later} are left to a later build by the limit." if later else "")
        )


def _survey(lease: Lease) -> None:
    """Look over the area, and hand out the judging of its tiles."""
    area = Area.objects.get(pk=_area_id(lease.job))
    survey = area_survey(area, lease.beat)
    with lease.fence():
        if lease.job.chunks.filter(stage=JUDGE).exists():
            return  # an earlier attempt came so far
        lease.add_chunks(blocks_of(area, survey), stage=JUDGE)
        lease.log(survey.in_words())


def _judge(lease: Lease) -> None:
    area = Area.objects.get(pk=_area_id(lease.job))
    changed = tiles_judge(area, lease.payload, lease.beat)
    with lease.fence():
        # No version: what a reviewer saw are the layers, and these stay as they are.
        for names, tiles in changed.items():
            TilePair.objects.bulk_update(tiles, names, batch_size=100)


def _finish(lease: Lease) -> None:
    area_built.send(sender=Area, area_id=_area_id(lease.job))


def _make_tiles(lease: Lease) -> None:
    require_free(settings.DEMETER_DATA, settings.DEMETER_MIN_FREE)
    area = Area.objects.get(pk=_area_id(lease.job))
    hand = Hand(lease)
    with (
        source_from(area.recipe["imagery"], beat=hand.beat, limiter=earthengine_limiter()) as source,
        Desk(lease, area, source, hand) as desk,
    ):
        if isinstance(source, LooksAhead):
            hand.look_ahead(source, desk.wanting)
        while tile := hand.next():
            desk.make(tile)


STAGES = {"plan": _plan, "tiles": _make_tiles, "survey": _survey, "judge": _judge, "finish": _finish}


class Desk:
    """Where the tiles of one chunk are made: its open elevation file, and what is made but not yet written down."""

    def __init__(self, lease: Lease, area: Area, source: Source, hand: Hand) -> None:
        self._lease = lease
        self._area = area
        self._source = source
        self._recipe: Recipe = recipe_of(area)
        self._hand = hand
        self._made: list[tuple[TilePair, Outcome, dict[str, Any]]] = []
        self._written_at = time.monotonic()
        self._most = TILES_A_WRITE if lease.attempt == 1 else 1
        # Of its own for what is looked at ahead: that happens while a tile is made.
        self._dem, self._dem_ahead = OpenDem(), OpenDem()
        self._mosaics = None if is_plain(area) else Mosaics(area)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Write down what is made, also when the rest has to wait: after a pause, a fault, a full disk."""
        try:
            if error is None:
                self._write_down()
            elif not isinstance(error, LeaseLost):
                # The first trouble is the one to tell of; what cannot be written down now is made again.
                with suppress(LeaseLost, Stopped, DatabaseError):
                    self._write_down()
        finally:
            self._dem.close()
            self._dem_ahead.close()
            if self._mosaics:
                self._mosaics.close()

    def make(self, tile: TilePair) -> None:
        """Make one tile and put its files on the disk. Its row follows within two seconds."""
        self._hand.beat()
        outcome = self._outcome(tile)
        layers: dict[str, Any] = {}
        if isinstance(outcome, Built):
            layers = layers_write(
                area=self._area.slug,
                index=tile.index,
                contents=outcome.layers,
                before=tile.layers,
                owner=self._lease.owner,
            )
            outcome = replace(outcome, layers={})  # they are on the disk, and large
        self._made.append((tile, outcome, layers))
        if len(self._made) >= self._most or time.monotonic() - self._written_at > SECONDS_A_WRITE:
            self._write_down()

    def wanting(self, tiles: Iterable[TilePair]) -> list[Grid]:
        """The grids of the tiles whose heights allow a tile: nobody is asked for imagery that cannot be used."""
        grids = []
        for tile in tiles:
            self._lease.beat()
            with suppress(RasterError):
                if tile.grid and not self._is_void(tile):
                    grids.append(Grid.from_dict(tile.grid))
        return grids

    def _is_void(self, tile: TilePair) -> bool:
        if tile.dem_file is None or tile.grid is None or tile.window_col is None or tile.window_row is None:
            return True
        grid = Grid.from_dict(tile.grid)
        heights = self._heights_of(tile, tile.dem_file, self._dem_ahead)
        dem = heights_read(heights, tile.window_col, tile.window_row, grid, 1.0)
        return over_limit(dem.void_share, self._recipe.void_limit)

    def _outcome(self, tile: TilePair) -> Outcome:
        file = tile.dem_file
        if file is None or tile.grid is None or tile.window_col is None or tile.window_row is None:
            raise ValueError(f"{tile} was not cut from an elevation file")
        try:
            dataset = self._heights_of(tile, file, self._dem)
        except RasterError as error:
            return Failed(Failure.UNREADABLE, str(error))
        return tile_make(
            dataset,
            col=tile.window_col,
            row=tile.window_row,
            grid=Grid.from_dict(tile.grid),
            source=self._source,
            recipe=self._recipe,
            beat=self._hand.beat,
        )

    def _heights_of(self, tile: TilePair, file: DemFile, opened: OpenDem) -> Any:
        """What the tile's heights are read from: its file, or on another grid or in a mosaic, `Heights`."""
        if self._mosaics is None:
            return opened.of(file)
        return self._mosaics.of(tile, file)

    def _write_down(self) -> None:
        made, self._made = self._made, []
        self._written_at = time.monotonic()
        if not made:
            return
        built = [(tile.index, layers) for tile, _outcome, layers in made if layers]
        layers_settle(area=self._area.slug, tiles=built)
        finished = {tile.pk for tile, _outcome, _layers in made}
        left = [tile_id for tile_id in self._hand.left if tile_id not in finished]
        came_out = {tile.pk: (outcome, layers) for tile, outcome, layers in made if isinstance(outcome, Built)}
        failures: Counter[str] = Counter()
        with self._lease.fence():
            change = tiles_record_built(area=self._area, made=came_out, recipe=self._recipe)
            for tile, outcome, _layers in made:
                if isinstance(outcome, Failed):
                    failures[outcome.failure.value] += 1
                    change.update(tile_record_failed(tile_id=tile.pk, failed=outcome))
            tiles_built_tell([tile.pk for tile, _outcome, layers in made if layers])
            AreaCounter.objects.add(self._area.pk, change)
            self._lease.count(done=len(built), failures=failures)
            self._hand.keep(left)


class OpenDem:
    """The one elevation file that is open."""

    def __init__(self) -> None:
        self._path = ""
        self._dataset: Any = None
        self._stack = ExitStack()

    def of(self, file: DemFile) -> Any:
        """The open dataset of a file. Raises RasterError when it cannot be opened or is not what was planned."""
        if self._path != file.path:
            self.close()
            path = Path(file.path)
            if not path.is_file() or path.stat().st_size != file.size:
                raise Unreadable(f"{file.name} is gone or has changed since the build was planned.")
            self._dataset = self._stack.enter_context(open_raster(path))
            self._path = file.path
        return self._dataset

    def close(self) -> None:
        self._path, self._dataset = "", None
        self._stack.close()
