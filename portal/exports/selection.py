"""What a release takes, and what it leaves out and why: one rule for the preview and for the freeze."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce
from django.http import QueryDict

from captions.models import Caption, CaptionRevision
from tiles.core.errors import BadInput, NotFound
from tiles.models import Area, ReviewDecision, SavedView, TilePair
from tiles.models.choices import BuildState, ReviewState
from tiles.raster.depth import MIN_DISTINCT_HEIGHTS
from tiles.review.filters import TileFilter
from tiles.review.saved import views_open_to
from tiles.review.selectors import tiles_of

from .layouts import Layout

NO_HEIGHTS, FLAT, FEW_HEIGHTS, MISSING_LAYER, CHANGED = "no_heights", "flat", "few_heights", "missing_layer", "changed"
UNAPPROVED, DUPLICATE, BORDER, UNLISTED, NOWHERE = "unapproved", "duplicate", "border", "unlisted", "nowhere"
REASONS = {
    NO_HEIGHTS: "no heights",
    FLAT: "flat: all heights are equal",
    FEW_HEIGHTS: f"as good as flat: fewer than {MIN_DISTINCT_HEIGHTS} distinct heights",
    MISSING_LAYER: "a layer that the layout needs is missing",
    CHANGED: "the pixels are not those that were approved",
    UNAPPROVED: "in the list, but not approved now",
    DUPLICATE: "near-duplicates of tiles that are taken",
    BORDER: "within the buffer between splits",
    UNLISTED: "in none of the lists of the splits",
    NOWHERE: "without a footprint, which spatial blocks need",
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
    """Add `decision_id`, the entry that approved the tile and stands, what it saw, `revision_id`, the caption's, and
    `prompt`, the composed one, "" where there is no caption."""
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
        prompt=Coalesce(
            Subquery(Caption.objects.filter(tile=OuterRef("pk")).values("prompt")[:1]),
            Value(""),
            output_field=TextField(),
        ),
    )


def layers_differ(layers: dict[str, Any], seen: dict[str, int], layout: Layout) -> bool:
    """Whether a layer that would leave the house is not the one that the reviewer saw."""
    names = [name for name in (*layout.required, *layout.optional) if name in layers]
    return any(seen.get(name) != layers[name]["v"] for name in names)


def tiles_matching(tiles: QuerySet[TilePair], areas: Iterable[Area], query: str, by: Any) -> QuerySet[TilePair]:
    """Of approved tiles those that a filter of the gallery keeps. by: who asks, for what is one's own, or None.

    Raises BadInput for a filter that makes no sense.
    """
    if not query:
        return tiles
    kept = Q(pk=None)
    for area in areas:
        matching = TileFilter(QueryDict(query), queryset=tiles_of(area=area), by=by).checked()
        kept |= Q(area=area, pk__in=matching.order_by().values("pk"))
    return tiles.filter(kept)


def query_normal(query: str, *, areas: Iterable[Area], by: Any) -> str:
    """A filter's query string without what filters do not know, in one order. Raises BadInput."""
    for area in areas:
        asked = TileFilter(QueryDict(query), queryset=tiles_of(area=area), by=by)
        asked.checked()
        return asked.asked(order=False)
    return ""


def view_query(*, view: str, areas: Iterable[Area], by: Any) -> str:
    """The filter of a saved view: its number or its name, one's own or one that is shared. by None sees shared ones.

    Raises NotFound, BadInput where the name fits several, or the view is of another area.
    """
    found = list(views_open_to(by).filter(Q(pk=int(view)) if _is_number(view) else Q(name=view))[:2])
    if not found:
        raise NotFound(f"There is no saved view {view[:80]!r} that you may see. Look at the gallery's list of views.")
    if len(found) > 1:
        raise BadInput(f"Several people keep a view {view[:80]!r}. Give its filter instead.", code="which_view")
    (chosen,) = found
    if chosen.area_id is not None and {area.pk for area in areas} != {chosen.area_id}:
        raise BadInput(f"The view {chosen.name!r} is of one area. Choose that area alone, or another view.")
    return chosen.query


def views_offered(by: Any) -> QuerySet[SavedView]:
    """Views that somebody may choose tiles by, with their areas."""
    return views_open_to(by).select_related("area", "owner").order_by("name", "id")


def _is_number(view: str) -> bool:
    return view.isascii() and view.isdigit() and len(view) < 10
