"""What going on with an area would make, before it is started. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.db.models import F, Q, QuerySet

from tiles.areas.selectors import area_counts
from tiles.models import Area, TilePair
from tiles.models.choices import BuildState, Failure

from . import plan
from .fineness import native_of
from .griding import GridOptions, grid_of
from .preview import Preview, build_preview
from .retry import failed_now

#: More are not counted one by one.
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Again:
    """Tiles that the area has already and that a build would make.

    planned: not tried yet; retried: failed for what may have gone away; void, uncovered: failed a limit that they meet
    now; remade: built, and made again. capped: there may be more of those that failed a limit.
    """

    planned: int
    retried: int
    void: int
    uncovered: int
    remade: int
    capped: bool

    @property
    def total(self) -> int:
        return self.planned + self.retried + self.void + self.uncovered + self.remade


def area_again(area: Area, *, void_limit: float, uncovered_limit: float, remake: bool) -> Again:
    """What a build with these limits, percent, would make of the tiles there are; as `tiles_to_make` would choose."""
    counts, failed = area_counts(area), failed_now(area)
    void = _within(area, Failure.VOID, "void_share", void_limit) if failed.get(Failure.VOID) else 0
    uncovered = (
        _within(area, Failure.NOT_COVERED, "uncovered_share", uncovered_limit) if failed.get(Failure.NOT_COVERED) else 0
    )
    return Again(
        planned=counts.planned,
        retried=sum(failed.get(reason, 0) for reason in plan.RETRYABLE if reason),
        void=void,
        uncovered=uncovered,
        remade=counts.built if remake else 0,
        capped=MOST_COUNTED in (void, uncovered),
    )


def _within(area: Area, failure: Failure, share: str, limit: float) -> int:
    """How many tiles failed a limit, and would not fail this one; a tile without any pixel of worth always does."""
    failed: QuerySet[TilePair] = area.tiles.filter(build_state=BuildState.FAILED, failure=failure)
    meets = Q(**{f"{share}__isnull": True}) | Q(**{f"{share}__lt": 1, "percent__lte": limit})
    return failed.annotate(percent=F(share) * 100.0).filter(meets)[:MOST_COUNTED].count()


def again_preview(area: Area, *, new: Sequence[Path], void_limit: float, options: GridOptions) -> Preview | None:
    """The windows of new elevation files, numbered behind those there are; without new ones, those of the area's own.

    options: what may differ from build to build. None where the area's own files cannot be drawn together, because
    some were added later, or are gone. Raises BadInput with the `field` that is wrong.
    """
    grid = replace(grid_of(area.recipe), limit=options.limit)
    if options.allow_upsampling:
        grid = replace(grid, allow_upsampling=True)
    dems = list(new)
    if new:
        _known, dems = plan.dem_files_match(area, plan.dem_paths(new))
        grid = replace(grid, start_index=plan.next_number(area))
    if not dems:
        dems = [Path(file.path) for file in area.dem_files.order_by("position")]
        if not all(path.is_file() for path in dems) or not dems or plan.dem_paths(dems) != dems:
            return None
        grid = replace(grid, start_index=grid_of(area.recipe).start_index)
    return build_preview(
        dems=dems,
        tile_size=area.tile_size,
        void_limit=void_limit,
        grid=grid,
        imagery=area.recipe.get("imagery", {}),
        native=native_of(area),
    )
