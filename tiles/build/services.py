"""Starting and continuing the build of an area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tiles.core.errors import BadInput, Conflict
from tiles.core.permissions import BUILD_AREA, require
from tiles.imagery import imagery_difference
from tiles.jobs.selectors import job_open
from tiles.jobs.services import job_resume, job_start
from tiles.models import Area, Job, JobEvent

from . import door, plan
from .busy import BUILD, require_idle
from .griding import GridOptions, grid_of, grid_settled, limit_of
from .kind import PLAN, other_imagery
from .recipe import rgb_is_packed
from .record import tiles_plan_again


@dataclass(frozen=True)
class AreaFacts:
    """What an area says of itself. None leaves what stands there, which is "unknown" or nothing for a new area."""

    name: str | None = None
    description: str | None = None
    synthetic: bool | None = None
    licence: str | None = None
    attribution: str | None = None
    vertical_datum: str | None = None
    height_unit: str | None = None
    surface: str | None = None
    satellite: str | None = None
    dem_from: date | None = None
    dem_to: date | None = None
    imagery_from: date | None = None
    imagery_to: date | None = None
    dem_gsd: float | None = None
    imagery_gsd: float | None = None

    def given(self) -> dict[str, Any]:
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}


@dataclass(frozen=True)
class BuildOptions:
    """How an area is built. None leaves what the area has, which is the default named here for a new one.

    bands: red, green, blue, counted from 1 (1, 2, 3). nir: near infrared (none). Both are names in Earth Engine.
    tile_size: pixels (512).
    void_limit, uncovered_limit: percent of a tile (0). normalisation: "per_channel", "joint" or "none" (per_channel).
    percent: of the stretch, 0 is off (1). per_channel_percent: the published per-channel variant (no).
    search: what is to be found in a catalogue of imagery, as tiles.imagery.stac.DEFAULTS names it, or asked of Earth
    Engine, by the names of `Request` in tiles/imagery/ee_request.py and the preset these are changes of.
    grid: on which grid tiles are cut (the elevation model's own). pack_rgb: deflate the unstretched imagery (no).
    """

    bands: Sequence[int | str] | None = None
    nir: int | str | None = None
    tile_size: int | None = None
    void_limit: float | None = None
    uncovered_limit: float | None = None
    normalisation: str | None = None
    percent: float | None = None
    per_channel_percent: bool | None = None
    search: Mapping[str, Any] | None = None
    grid: GridOptions | None = None
    pack_rgb: bool | None = None


@dataclass(frozen=True)
class Retry:
    """What is tried again. reasons: codes of failures; of_job: the build that met them."""

    reasons: Sequence[str]
    of_job: int


STRETCH = {"normalisation": "per_channel", "percent": 1.0, "per_channel_percent": False}
UNCHANGED = AreaFacts()
DEFAULTS = BuildOptions()


def area_build_start(
    *,
    slug: str,
    dems: Sequence[Path] = (),
    imagery: str = "",
    options: BuildOptions = DEFAULTS,
    facts: AreaFacts = UNCHANGED,
    remake: bool = False,
    retry: Retry | None = None,
    thorough: bool = False,
    by: Any = None,
    background: bool = True,
) -> Job:
    """Build an area, or go on building it: make the tiles that are missing, and those that may succeed now.

    dems: files and folders, new ones are added behind those the area has; imagery: "raster:<file or folder>",
    "stac:<address of an API>" or "earthengine". Both may be left out for an area that has them. remake: make the built
    tiles again too; only so the height unit may change, and the stretch where `area_restretch` does not do. retry: make
    only what failed for its reasons and what was never tried. thorough: read the inputs through before anything is
    written. by: who asks, checked for the permission; nobody on the command line. background: wake the workers.
    Returns the job; one that is open already and was asked for the same is returned, resumed if it was paused.
    Raises NotAllowed, BadInput with the `field` that is wrong, Conflict, DiskFull, ApplicationError.
    """
    if by is not None:
        require(by, BUILD_AREA)
    door.require_slug(slug)
    area = Area.objects.filter(slug=slug).first() or Area(slug=slug, name=facts.name or slug, created_by=by)
    open_job = job_open(kind=BUILD, subject=slug)
    require_idle(slug, but=BUILD)
    before = _settings_of(area)
    limit = limit_of(options.grid)
    _apply(area, options, facts, remake)
    door.require_room(slug)
    known, new = door.dems_checked(area, dems or _not_planned(area), thorough=thorough)
    spec = _imagery(area, imagery, options)
    door.require_overlap(new if not known else [], spec)
    _fill_resolutions(area, new, spec)
    warnings = door.grid_checked(area, new, spec, first=not known)
    if new:
        area.recipe = {**area.recipe, "warnings": warnings}
    if open_job:
        if retry or _settings_of(area) != before or not _does(open_job, remake, new, limit):
            raise Conflict("This area is being built now. Wait until that is done, or cancel it, and change it then.")
        return job_resume(job_id=open_job.pk, by=by) if open_job.state == Job.State.PAUSED else open_job
    paths = [*(Path(file.path) for file in known), *new]
    asked = {
        "remake": remake,
        **({"retry": retry.of_job} if retry else {}),
        **({"limit": limit} if limit else {}),
    }
    return _start(area, spec, paths, asked, retry=retry, warnings=warnings, by=by, background=background)


def _settings_of(area: Area) -> tuple[Any, ...]:
    stretch = area.recipe.get("stretch", STRETCH)
    numbers = area.tile_size, area.void_limit, area.uncovered_limit
    return *numbers, area.recipe.get("height_unit"), area.recipe.get("pack_rgb"), stretch, grid_of(area.recipe)


def _apply(area: Area, options: BuildOptions, facts: AreaFacts, remake: bool) -> None:
    """Put what was asked for into the area's row, in memory. Raises BadInput for what cannot be, or cannot change."""
    built = area.pk is not None and area.dem_files.exists()
    if built and options.tile_size not in (None, area.tile_size):
        raise BadInput(
            f"This area has tiles of {area.tile_size} x {area.tile_size}, and keeps that size. "
            "Build a new area for another one.",
            field="tile_size",
        )
    for name in ("tile_size", "void_limit", "uncovered_limit"):
        if (value := getattr(options, name)) is not None:
            setattr(area, name, value)
    for name, value in facts.given().items():
        setattr(area, name, value)
    stretch = {**STRETCH, **area.recipe.get("stretch", {})}
    stretch |= {name: value for name in STRETCH if (value := getattr(options, name)) is not None}
    unit = facts.height_unit or area.recipe.get("height_unit", area.height_unit)
    door.require_numbers(area)
    door.require_stretch(stretch)
    made = {"stretch": stretch, "height_unit": unit}
    if built and not remake and any(area.recipe.get(name) != value for name, value in made.items()):
        raise BadInput(
            "The tiles of this area were made with another stretch or height unit. Change the stretch by itself "
            "first, ask for all of them to be made again, or build a new area.",
            field="normalisation",
        )
    area.recipe = {
        **area.recipe,
        **made,
        "grid": grid_settled(area.recipe, options.grid, built=built),
        "pack_rgb": _packing_settled(area, options.pack_rgb, built=built),
    }
    _validate(area)


def _packing_settled(area: Area, asked: bool | None, *, built: bool) -> bool:
    packed = rgb_is_packed(area, built=built)
    if built and asked not in (None, packed):
        raise BadInput(
            f"The unstretched imagery of this area is {'packed' if packed else 'not packed'}, and stays so, or files "
            "would change whose pixels do not. Build a new area for the other.",
            field="pack_rgb",
        )
    return packed if asked is None else asked


def _validate(area: Area) -> None:
    try:
        area.clean()
    except ValidationError as error:  # whole sentences
        field, messages = next(iter(error.message_dict.items()))
        raise BadInput(messages[0], field=field) from error
    try:
        area.clean_fields(exclude=["created_by", "recipe", "reasons"])
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadInput(f"{field.replace('_', ' ').capitalize()}: {messages[0]}", field=field) from error


def _not_planned(area: Area) -> list[Path]:
    """What an earlier start was given and could not plan, because it was stopped or refused, is not forgotten."""
    planned = set(area.dem_files.values_list("path", flat=True)) if area.pk else set()
    return [Path(path) for path in area.recipe.get("dems", []) if path not in planned]


def _imagery(area: Area, text: str, options: BuildOptions) -> dict[str, Any]:
    """The spec of the imagery, surveyed anew. Raises BadInput when it is not the one the area was built from."""
    old = area.recipe.get("imagery")
    if not text and not old:
        raise BadInput("Name the imagery, as raster:<file or folder>, stac:<address> or earthengine.", field="imagery")
    spec = door.imagery_checked(text, bands=options.bands, nir=options.nir, search=options.search, before=old)
    difference = imagery_difference(old, spec) if old else ""
    if difference and area.tiles.exists():
        raise BadInput(other_imagery(difference), field="imagery")
    return spec


def _fill_resolutions(area: Area, new: Sequence[Path], spec: dict[str, Any]) -> None:
    """Where nobody says otherwise, the native resolution is that of the files, and a catalogue knows its satellite."""
    if area.imagery_gsd is None:
        area.imagery_gsd = spec["gsd"]
    area.satellite = area.satellite or spec.get("satellite", "")
    area.imagery_from = area.imagery_from or _day(spec.get("start") or spec.get("from"))
    area.imagery_to = area.imagery_to or _day(spec.get("end") or spec.get("to"))
    if area.dem_gsd is None and new:
        grid = plan.dem_inspect(new[0]).grid
        area.dem_gsd = round(grid.gsd_m, 4) if grid else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _does(job: Job, remake: bool, new: Sequence[Path], limit: int | None) -> bool:
    """Whether an open job is about what is asked now."""
    planned = job.chunks.get(stage=PLAN).payload["dems"]
    same = {str(path) for path in new} <= set(planned) and job.parameters.get("limit") == limit
    return same and (job.parameters["remake"] or not remake)


def _start(
    area: Area,
    spec: dict[str, Any],
    dems: Sequence[Path],
    parameters: dict[str, Any],
    *,
    retry: Retry | None,
    warnings: Sequence[str],
    by: Any,
    background: bool,
) -> Job:
    if not area.pk or not area.tiles.exists():
        area.recipe = {**area.recipe, "imagery": spec}
    area.recipe = {**area.recipe, "dems": [str(path) for path in dems]}
    payload = {"do": "plan", "dems": area.recipe["dems"], "imagery": spec}
    try:
        with transaction.atomic():
            area.save()
            require_idle(area.slug, but=BUILD)
            if retry:
                tiles_plan_again(area, retry.reasons)
            job = job_start(
                kind=BUILD,
                title=f"Build {area.name}",
                subject=area.slug,
                chunks=[payload],
                by=by,
                area=area,
                parameters=parameters,
                background=background,
            )
            for warning in warnings:
                JobEvent.objects.create(job=job, level=JobEvent.Level.WARNING, message=warning)
            return job
    except IntegrityError as error:
        raise Conflict("Somebody has just begun to build an area of this name. Look at the jobs page.") from error
