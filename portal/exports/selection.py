"""What a release takes, and what it leaves out and why: one rule for the preview and for the freeze."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When

from captions.models import CaptionRevision
from tiles.models import Area, ReviewDecision, TilePair
from tiles.models.choices import BuildState, ReviewState
from tiles.raster.depth import MIN_DISTINCT_HEIGHTS

from .layouts import Layout

NO_HEIGHTS, FLAT, FEW_HEIGHTS, MISSING_LAYER, CHANGED = "no_heights", "flat", "few_heights", "missing_layer", "changed"
REASONS = {
    NO_HEIGHTS: "no heights",
    FLAT: "flat: all heights are equal",
    FEW_HEIGHTS: f"as good as flat: fewer than {MIN_DISTINCT_HEIGHTS} distinct heights",
    MISSING_LAYER: "a layer that the layout needs is missing",
    CHANGED: "the pixels are not those that were approved",
}


def approved_tiles(areas: Iterable[Area], layout: Layout) -> QuerySet[TilePair]:
    """The approved tiles of some areas in the order of a release, each with `refusal`: "" or a key of REASONS."""
    flat = Q(dem_max__lte=F("dem_min"))
    few = Q(distinct_heights=None) | Q(distinct_heights__lt=MIN_DISTINCT_HEIGHTS)
    refusal = Case(
        When(Q(dem_min=None) | Q(dem_max=None), then=Value(NO_HEIGHTS)),
        When(flat, then=Value(FLAT)),
        When(few, then=Value(FEW_HEIGHTS)),
        When(~Q(layers__has_keys=list(layout.required)), then=Value(MISSING_LAYER)),
        default=Value(""),
    )
    approved = TilePair.objects.filter(area__in=areas, build_state=BuildState.BUILT, review_state=ReviewState.APPROVED)
    return approved.annotate(refusal=refusal).order_by("area__slug", "index")


def with_decision_and_caption(tiles: QuerySet[TilePair]) -> QuerySet[TilePair]:
    """Add `decision_id`, the entry that approved the tile and stands, what it saw, and `revision_id`, the caption's."""
    standing = (
        ReviewDecision.objects.filter(tile=OuterRef("pk"), undone_by=None)
        .exclude(verb=ReviewDecision.Verb.UNDO)
        .order_by("-id")
    )
    revision = CaptionRevision.objects.filter(caption__tile=OuterRef("pk"), number=F("caption__version"))
    return tiles.annotate(
        decision_id=Subquery(standing.values("pk")[:1]),
        decision_saw=Subquery(standing.values("layers_seen")[:1]),
        revision_id=Subquery(revision.values("pk")[:1]),
    )


def layers_differ(layers: dict[str, Any], seen: dict[str, int], layout: Layout) -> bool:
    """Whether a layer that would leave the house is not the one that the reviewer saw."""
    names = [name for name in (*layout.required, *layout.optional) if name in layers]
    return any(seen.get(name) != layers[name]["v"] for name in names)
