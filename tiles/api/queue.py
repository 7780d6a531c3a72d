"""JSON of the queue: tiles handed out to one person, and who holds which."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import REVIEW_TILES, VIEW_DATA
from tiles.models.choices import ReviewState
from tiles.review import selectors
from tiles.review.claims import MOST_HELD, claim_payload, claims_hold, claims_release, claims_shown
from tiles.review.queue import QUEUE, QueueFilter, queue_handed_out, tiles_payload_queued

from .bulk import MOST
from .tiles import FILTER_PARAMETERS, PAGE_PARAMETERS, ClaimOut, TilePageOut, page_bounds

QUEUE_PARAMETERS = [
    OpenApiParameter(
        "state",
        OpenApiTypes.STR,
        enum=[QUEUE, *ReviewState.values],
        description=f"`{QUEUE}`: all that waits for your look.",
    ),
    OpenApiParameter("mine", OpenApiTypes.STR, enum=["1"], description="First looks at your own ranges only."),
    *(parameter for parameter in FILTER_PARAMETERS if parameter.name != "state"),
    *PAGE_PARAMETERS,
]


class HolderIn(serializers.Serializer[Any]):
    page = serializers.UUIDField(help_text="Names what holds the tiles; made anew for every page that is opened.")


class HoldIn(HolderIn):
    tiles = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MOST), max_length=MOST_HELD, help_text="Their numbers."
    )


class HandedOut(TilePageOut):
    until = serializers.DateTimeField(allow_null=True, help_text="Yours until then; null: they are not claimed.")


class LostOut(ClaimOut):
    index = serializers.IntegerField()


class HeldOut(serializers.Serializer[Any]):
    until = serializers.DateTimeField()
    lost = LostOut(many=True, help_text="Tiles that somebody else has before them.")


class ClaimsOfPersonOut(ClaimOut):
    tiles = serializers.ListField(child=serializers.IntegerField(), help_text="Their numbers.")


class ClaimsOut(serializers.Serializer[Any]):
    items = ClaimsOfPersonOut(many=True)


class ReleasedOut(serializers.Serializer[Any]):
    released = serializers.IntegerField()


class AreaQueue(APIView):
    """The next tiles of the queue, for nobody else."""

    permission = REVIEW_TILES

    @extend_schema(
        operation_id="queue_hand_out",
        description="Tiles that others have before them are left out. What waits for a look is claimed for `page`.",
        parameters=QUEUE_PARAMETERS,
        request=HolderIn,
        responses=HandedOut,
    )
    def post(self, request: Request, slug: str) -> Response:
        holder_in = HolderIn(data=request.data)
        holder_in.is_valid(raise_exception=True)
        bounds = page_bounds(request)
        area = selectors.area_by_slug(slug)
        asked = QueueFilter(request.query_params, queryset=selectors.queue(area=area))
        size = bounds.pop("limit", selectors.PAGE_SIZE)
        page = holder_in.validated_data["page"]
        handed = queue_handed_out(area=area, asked=asked, by=request.user, page=page, size=size, **bounds)
        claimed: dict[int, Any] | None = {} if handed.until else None
        return Response(
            {
                "items": tiles_payload_queued(area=area, tiles=handed.page.tiles, by=request.user, claimed=claimed),
                "has_before": handed.page.has_before,
                "has_after": handed.page.has_after,
                "counts": selectors.review_counts(area_id=area.pk),
                "until": handed.until,
            }
        )


class AreaClaims(APIView):
    """Who has which tiles of an area before them."""

    @property
    def permission(self) -> str:
        return VIEW_DATA if self.request.method == "GET" else REVIEW_TILES

    @extend_schema(operation_id="claims_list", responses=ClaimsOut)
    def get(self, request: Request, slug: str) -> Response:
        return Response({"items": claims_shown(area=selectors.area_by_slug(slug))})

    @extend_schema(
        operation_id="claims_hold",
        description="Renews what a page holds: just these tiles from now on. Those of others are answered as `lost`.",
        request=HoldIn,
        responses=HeldOut,
    )
    def put(self, request: Request, slug: str) -> Response:
        hold_in = HoldIn(data=request.data)
        hold_in.is_valid(raise_exception=True)
        asked = hold_in.validated_data
        area = selectors.area_by_slug(slug)
        held = claims_hold(area=area, numbers=asked["tiles"], by=request.user, page=asked["page"])
        lost = [{"index": claim.tile.index, **claim_payload(claim)} for claim in held.lost]
        return Response({"until": held.until, "lost": lost})

    @extend_schema(
        operation_id="claims_release",
        parameters=[OpenApiParameter("page", OpenApiTypes.UUID, required=True, description="What holds them.")],
        responses=ReleasedOut,
    )
    def delete(self, request: Request, slug: str) -> Response:
        holder_in = HolderIn(data=request.query_params)
        holder_in.is_valid(raise_exception=True)
        area = selectors.area_by_slug(slug)
        released = claims_release(area=area, by=request.user, page=holder_in.validated_data["page"])
        return Response({"released": released})
