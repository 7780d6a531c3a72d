"""JSON of tiles: pages of the review queue, and one tile with its log."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import VIEW_DATA
from tiles.models.choices import BuildState, ReviewState
from tiles.review import selectors
from tiles.review.filters import FROM, MOST_SEED, ORDERING, TO, TileFilter
from tiles.review.measures import MEASURES
from tiles.review.orders import ORDERS, RANDOM
from tiles.review.present import decision_payload
from tiles.review.queue import tiles_payload_queued

from .review import CountsOut, DecisionOut


class PlacesOut(serializers.Serializer[Any]):
    lon = serializers.ListField(child=serializers.FloatField(), help_text="Degrees; past 180 over the antimeridian.")
    lat = serializers.ListField(child=serializers.FloatField(), help_text="Degrees.")


class CommentOut(serializers.Serializer[Any]):
    by = serializers.CharField()
    at = serializers.DateTimeField()
    text = serializers.CharField()


class MarksOut(serializers.Serializer[Any]):
    """What people noted about a tile."""

    flagged = serializers.BooleanField(help_text="By whom this is read, for themselves.")
    tags = serializers.ListField(child=serializers.CharField())
    assigned = serializers.CharField(allow_blank=True, help_text="Whose it is to review.")
    comments = CommentOut(many=True, help_text="Newest first.")


class ClaimOut(serializers.Serializer[Any]):
    by = serializers.CharField()
    until = serializers.DateTimeField()


class TileOut(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    name = serializers.CharField()
    build_state = serializers.ChoiceField(choices=BuildState.choices)
    problem = serializers.CharField(allow_blank=True, help_text="Why it could not be built.")
    state = serializers.ChoiceField(choices=ReviewState.choices)
    reason = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField(help_text="To be sent back with a decision, as `seen_version`.")
    layers = serializers.DictField(
        child=serializers.IntegerField(), help_text="Layer -> content version; to be sent back as `seen`."
    )
    urls = serializers.DictField(child=serializers.CharField(), help_text="Layer -> address.")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    lon = serializers.FloatField(allow_null=True)
    lat = serializers.FloatField(allow_null=True)
    places = PlacesOut(
        allow_null=True, help_text="4 x 4 points from corner to corner, row by row; cubics between them are exact."
    )
    gsd = serializers.FloatField(allow_null=True, help_text="Metres a pixel.")
    dem_min = serializers.FloatField(allow_null=True, help_text="Metres.")
    dem_max = serializers.FloatField(allow_null=True, help_text="Metres.")
    relief = serializers.FloatField(allow_null=True, help_text="Metres.")
    slope = serializers.FloatField(allow_null=True, help_text="Mean, degrees.")
    landform = serializers.CharField(allow_blank=True)
    water_share = serializers.FloatField(allow_null=True)
    void_share = serializers.FloatField(allow_null=True)
    flags = serializers.ListField(child=serializers.CharField(), help_text="What is doubtful, in words.")
    score = serializers.FloatField(allow_null=True, help_text="How much it deserves a look, 0..1; null: not measured.")
    causes = serializers.ListField(child=serializers.CharField(), help_text="Of the score, in words, gravest first.")
    shift_px = serializers.FloatField(
        allow_null=True, help_text="By how much the imagery lies off the heights, pixels; null: unknown."
    )
    dem_file = serializers.CharField(allow_blank=True)
    window = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="Column and row of the window in the DEM."
    )
    marks = MarksOut()
    second_look = serializers.BooleanField(help_text="It takes two people to settle it.")
    yours = serializers.BooleanField(help_text="It waits for somebody else because of your verdict.")
    claim = ClaimOut(allow_null=True, help_text="Who else has it before them.")


class TilePageOut(serializers.Serializer[Any]):
    items = TileOut(many=True)
    has_before = serializers.BooleanField()
    has_after = serializers.BooleanField()
    counts = CountsOut()


class TileWithLogOut(TileOut):
    decisions = DecisionOut(many=True)


class PageIn(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, min_value=0)
    before = serializers.IntegerField(required=False, min_value=0)
    start = serializers.IntegerField(required=False, min_value=0)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=selectors.PAGE_LIMIT)


def filter_parameters() -> list[OpenApiParameter]:
    """What a TileFilter takes, the order left out. What is empty asks for nothing."""
    numbers = {measure.column + ending for measure in MEASURES for ending in (FROM, TO)}
    found = []
    for name, one in TileFilter.base_filters.items():
        choices = [choice[0] for choice in one.extra.get("choices", [])] or None
        day = OpenApiTypes.DATE if name.endswith((FROM, TO)) else OpenApiTypes.STR
        kind = OpenApiTypes.NUMBER if name in numbers else day
        if name not in ORDERING:
            found.append(OpenApiParameter(name, kind, enum=choices, description=str(one.label)))
    return found


def page_bounds(request: Request) -> dict[str, int]:
    """`after`, `before`, `start` and `limit` of a request's address, those that it names."""
    asked = {name: request.query_params[name] for name in ("after", "before", "limit") if name in request.GET}
    if "from" in request.GET:
        asked["start"] = request.query_params["from"]
    page_in = PageIn(data=asked)
    page_in.is_valid(raise_exception=True)
    return dict(page_in.validated_data)


FILTER_PARAMETERS = filter_parameters()
PAGE_PARAMETERS = [
    OpenApiParameter("order", OpenApiTypes.STR, enum=[*ORDERS, RANDOM], description="Empty: by number."),
    OpenApiParameter("seed", OpenApiTypes.INT, description=f"Of the random order, 0 to {MOST_SEED}."),
    OpenApiParameter("after", OpenApiTypes.INT, description="What comes after the tile of this number."),
    OpenApiParameter("before", OpenApiTypes.INT, description="The last that come before it."),
    OpenApiParameter("from", OpenApiTypes.INT, description="This tile and what comes after it."),
    OpenApiParameter("limit", OpenApiTypes.INT, description=f"At most {selectors.PAGE_LIMIT}."),
]


class AreaTiles(APIView):
    """A page of the built tiles of an area, or of those that could not be built, in an order of one's choice."""

    permission = VIEW_DATA

    @extend_schema(
        operation_id="tiles_page",
        parameters=[*FILTER_PARAMETERS, *PAGE_PARAMETERS],
        responses=TilePageOut,
    )
    def get(self, request: Request, slug: str) -> Response:
        bounds = page_bounds(request)
        area = selectors.area_by_slug(slug)
        tile_filter = TileFilter(request.query_params, queryset=selectors.tiles_of(area=area), by=request.user)
        size = bounds.pop("limit", selectors.PAGE_SIZE)
        page = selectors.queue_page(tiles=tile_filter.checked(), size=size, order=tile_filter.chosen_order, **bounds)
        return Response(
            {
                "items": tiles_payload_queued(area=area, tiles=page.tiles, by=request.user),
                "has_before": page.has_before,
                "has_after": page.has_after,
                "counts": selectors.review_counts(area_id=area.pk),
            }
        )


class AreaTile(APIView):
    """One tile, whatever its state, and what was decided about it, newest first."""

    permission = VIEW_DATA

    @extend_schema(operation_id="tile", responses=TileWithLogOut)
    def get(self, request: Request, slug: str, index: int) -> Response:
        area = selectors.area_by_slug(slug)
        tile = selectors.tile_by_index(area=area, index=index)
        entries = selectors.decisions_of_tile(tile_id=tile.pk)
        (payload,) = tiles_payload_queued(area=area, tiles=[tile], by=request.user)
        return Response({**payload, "decisions": [decision_payload(entry) for entry in entries]})
