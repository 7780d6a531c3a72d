"""Changing the stretch of an area that is built, on the stored `rgb` layer: no imagery and no heights are read."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from tiles.areas.selectors import area_samples
from tiles.core.errors import BadInput, Conflict
from tiles.core.files import land, require_free, stage, sync_folder
from tiles.core.paths import layer_path
from tiles.core.permissions import BUILD_AREA, require
from tiles.jobs.leases import Lease, chunks_add
from tiles.jobs.selectors import job_open
from tiles.jobs.services import job_resume, job_start
from tiles.models import Area, AreaCounter, Job, JobChunk, JobEvent, TilePair
from tiles.models.choices import BuildState, Unstretched
from tiles.raster.arrays import BoolArray, NumberArray
from tiles.raster.encode import read_layer_bytes
from tiles.raster.errors import RasterError, Unreadable

from . import door
from .busy import RESTRETCH, require_idle
from .record import tile_record_restretched
from .services import STRETCH
from .store import layers_entries, temporary_drop
from .tile import LayerContent, Recipe, picture_layers, picture_stretch

LAYER = "rgb"
PLAN, TILES = range(2)
# A chunk is about five seconds of work, here too: a tile takes half as long as in a build.
PIXELS_A_CHUNK = 48 * 512 * 512
MOST_TILES_A_CHUNK = 200
SECONDS_A_WRITE = 0.5
TILES_A_WRITE = 16
NAMES_LOGGED = 20


def area_restretch(
    *,
    slug: str,
    normalisation: str | None = None,
    percent: float | None = None,
    per_channel_percent: bool | None = None,
    by: Any = None,
    background: bool = True,
) -> Job:
    """Make the pictures of an area's built tiles again from their `rgb` layers; what is None stays as it is.

    A tile whose pixels change goes back to pending with a new version of its picture; one without its `rgb` stays as
    it is and is counted as failed. Tiles that are built later get the new stretch too. by: who asks, checked for the
    permission; nobody on the command line. Returns the job; one that is open already and was asked for the same is
    returned, resumed if it was paused. Raises NotAllowed, BadInput, Conflict, DiskFull.
    """
    if by is not None:
        require(by, BUILD_AREA)
    asked = {"normalisation": normalisation, "percent": percent, "per_channel_percent": per_channel_percent}
    given = {name: value for name, value in asked.items() if value is not None}
    area = Area.objects.filter(slug=slug).first()
    if area is None:
        raise BadInput(f"There is no area {slug}. Look at the list of areas.", code="unknown_area")
    require_stored(area)
    door.require_room(slug)
    with transaction.atomic():
        area = Area.objects.select_for_update().get(pk=area.pk)
        stretch = {**STRETCH, **area.recipe.get("stretch", {}), **given}
        door.require_stretch(stretch)
        require_idle(slug, but=RESTRETCH)
        if under_way := job_open(kind=RESTRETCH, subject=slug):
            return _joined(under_way, stretch, by)
        area.recipe = {**area.recipe, "stretch": stretch}
        area.save(update_fields=["recipe"])
        return job_start(
            kind=RESTRETCH,
            title=f"Stretch the pictures of {area.name} anew",
            subject=slug,
            chunks=[{"do": "plan"}],
            by=by,
            area=area,
            parameters={"stretch": stretch},
            background=background,
        )


def rgb_is_stored(area: Area) -> bool:
    """Whether a stretch can be redone: some of a few tiles spread over the area have their unstretched imagery."""
    return any(LAYER in tile.layers for tile in area_samples(area))


def require_stored(area: Area) -> None:
    """Raise Conflict for an area whose stretch cannot be redone."""
    if not area.tiles.filter(build_state=BuildState.BUILT).exists():
        raise Conflict("This area has no built tiles, so there is no picture to stretch anew. Build it first.")
    if not rgb_is_stored(area):
        raise Conflict(
            "The unstretched imagery of this area was dropped. Make its tiles again from the source to change the "
            "stretch.",
            code="rgb_dropped",
        )


def _joined(job: Job, stretch: dict[str, Any], by: Any) -> Job:
    if job.parameters["stretch"] != stretch:
        raise Conflict("The pictures of this area are being stretched anew now, in another way. Cancel that first.")
    return job_resume(job_id=job.pk, by=by) if job.state == Job.State.PAUSED else job


class RestretchKind:
    """Works through ranges of tile numbers; the range shrinks in the transaction that records its tiles."""

    name = RESTRETCH

    def run(self, lease: Lease) -> None:
        if lease.payload["do"] == "plan":
            _plan(lease)
        else:
            _stretch_tiles(lease)

    def discard(self, chunk: JobChunk) -> None:
        if chunk.job.area is not None:
            temporary_drop(area=chunk.job.area.slug, owner=f"{chunk.pk}-*")

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """Leave the tile at which the workers died as it is, and go on with those behind it.

        After a first death rows are written tile by tile, so the culprit is the first that is left.
        """
        if chunk.payload["do"] != "tiles":
            return False
        culprit = _tiles_of(Area.objects.get(jobs=chunk.job), chunk.payload).first()
        if culprit is None:
            return True
        job = Job.objects.select_for_update().get(pk=chunk.job_id)
        job.failed += 1
        job.failures[Unstretched.DIED] = job.failures.get(Unstretched.DIED, 0) + 1
        job.save(update_fields=["failed", "failures"])
        JobEvent.objects.create(job=job, level=JobEvent.Level.ERROR, message=f"{culprit.name} stays as it was.")
        if culprit.index < chunk.payload["to"]:
            chunks_add(job, [{**chunk.payload, "from": culprit.index + 1}], stage=TILES)
        return True

    def ended(self, job: Job) -> None:
        """Nothing to do: what is stretched stays so, whatever became of the job."""


def _plan(lease: Lease) -> None:
    """Hand out the built tiles, in ranges of their numbers."""
    area = Area.objects.get(jobs=lease.job)
    built = area.tiles.filter(build_state=BuildState.BUILT).order_by("index").values_list("index", flat=True)
    size = max(1, min(MOST_TILES_A_CHUNK, PIXELS_A_CHUNK // area.tile_size**2))
    total = 0
    ranges: list[dict[str, Any]] = []
    for index in built.iterator(chunk_size=5000):
        if total % size == 0:
            ranges.append({"do": "tiles", "from": index, "to": index})
            lease.beat()
        ranges[-1]["to"] = index
        total += 1
    with lease.fence():
        if lease.job.chunks.filter(stage=TILES).exists():
            return  # an earlier attempt came so far
        lease.expect(total=total)
        lease.add_chunks(ranges, stage=TILES)


def _stretch_tiles(lease: Lease) -> None:
    require_free(settings.DEMETER_DATA, settings.DEMETER_MIN_FREE)
    area = Area.objects.get(jobs=lease.job)
    bench = Bench(lease, area)
    for tile in list(_tiles_of(area, lease.payload)):
        bench.stretch(tile)
    bench.write_down()


def _tiles_of(area: Area, payload: Mapping[str, Any]) -> QuerySet[TilePair]:
    built = area.tiles.filter(build_state=BuildState.BUILT)
    return built.filter(index__gte=payload["from"], index__lte=payload["to"]).order_by("index")


@dataclass
class Batch:
    """What is done but not written down: (tile, layers' entries, flags), staged files, names of those that failed."""

    made: list[tuple[TilePair, dict[str, Any], tuple[str, ...]]] = field(default_factory=list)
    staged: list[Path] = field(default_factory=list)
    failed: dict[Unstretched, list[str]] = field(default_factory=dict)
    last: int = -1
    steps: int = 0
    since: float = field(default_factory=time.monotonic)


class Bench:
    """Where the pictures of one chunk are made. They are staged beside the old ones, and take their place in the
    transaction that records them: whenever the work stops, every file is the one that its row speaks of."""

    def __init__(self, lease: Lease, area: Area) -> None:
        self._lease = lease
        self._area = area
        self._stretch: dict[str, Any] = lease.job.parameters["stretch"]
        self._recipe = Recipe(**self._stretch)
        self._most = TILES_A_WRITE if lease.attempt == 1 else 1
        self._batch = Batch()

    def stretch(self, tile: TilePair) -> None:
        """Make one picture and stage its files. They land within half a second."""
        self._lease.beat()
        batch = self._batch
        if LAYER not in tile.layers:
            batch.failed.setdefault(Unstretched.DROPPED, []).append(tile.name)
        else:
            try:
                batch.made.append((tile, *self._picture(tile)))
            except RasterError:
                batch.failed.setdefault(Unstretched.DAMAGED, []).append(tile.name)
        batch.last = tile.index
        batch.steps += 1
        if batch.steps >= self._most or time.monotonic() - batch.since > SECONDS_A_WRITE:
            self.write_down()

    def write_down(self) -> None:
        """Give the staged files their names and record their tiles."""
        batch, self._batch = self._batch, Batch()
        if not batch.steps:
            return
        change: Counter[str] = Counter()
        with self._lease.fence():
            for path in batch.staged:
                land(path, self._lease.owner)
            for folder in {path.parent for path in batch.staged}:
                sync_folder(folder)
            for tile, layers, flags in batch.made:
                change.update(
                    tile_record_restretched(tile_id=tile.pk, layers=layers, stretch=self._stretch, flags=flags)
                )
            AreaCounter.objects.add(self._area.pk, change)
            for reason, names in batch.failed.items():
                self._lease.log(_line(reason, names), JobEvent.Level.WARNING)
            failures = {reason.value: len(names) for reason, names in batch.failed.items()}
            self._lease.count(done=len(batch.made), failures=failures)
            rest = {**self._lease.payload, "from": batch.last + 1}
            JobChunk.objects.filter(pk=self._lease.chunk_id).update(payload=rest)

    def _picture(self, tile: TilePair) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Stage the picture's files where they differ. Returns the layers' entries and the flags of the stretch."""
        rgb, valid = rgb_read(self._area, tile)
        stretched = picture_stretch(rgb, valid, self._recipe)
        self._lease.beat()
        contents = picture_layers(stretched)
        for layer, content in contents.items():
            path = layer_path(self._area.slug, layer, tile.index)
            if not _holds(path, content):
                stage(path, content.content, self._lease.owner)
                self._batch.staged.append(path)
        return layers_entries(contents, before=tile.layers), stretched.flags


def rgb_read(area: Area, tile: TilePair) -> tuple[NumberArray, BoolArray | None]:
    """The stored imagery of a tile, (H, W, 3) in its own dtype, and where there is some, (H, W), None for everywhere.

    Raises RasterError unless the file is the very one that the row speaks of.
    """
    try:
        content = layer_path(area.slug, LAYER, tile.index).read_bytes()
    except OSError as error:
        raise Unreadable(f"The stored imagery of {tile.name} cannot be read.") from error
    if hashlib.sha256(content).hexdigest() != tile.layers[LAYER]["sha256"]:
        raise Unreadable(f"The stored imagery of {tile.name} is not what was stored.")
    layer = read_layer_bytes(content)
    rgb = np.moveaxis(layer.array, 0, 2)
    if layer.nodata is None:
        return rgb, None
    # All three bands are marked where there is no image, and no other pixel has the mark's value.
    first = rgb[:, :, 0]
    return rgb, ~np.isnan(first) if np.isnan(layer.nodata) else first != layer.nodata


def _holds(path: Path, content: LayerContent) -> bool:
    """Whether a file has this content already."""
    try:
        return bool(path.stat().st_size == len(content.content) and path.read_bytes() == content.content)
    except FileNotFoundError:
        return False


_WHY = {
    Unstretched.DROPPED: "without unstretched imagery, which was dropped",
    Unstretched.DAMAGED: "with unstretched imagery that is damaged or missing",
}


def _line(reason: Unstretched, names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMES_LOGGED])
    more = len(names) - NAMES_LOGGED
    return (
        f"{len(names)} {'tile' if len(names) == 1 else 'tiles'} {_WHY[reason]}: {shown}"
        + (f" and {more} more" if more > 0 else "")
        + ". Their pictures stay as they were; building the area again makes them from the source."
    )
