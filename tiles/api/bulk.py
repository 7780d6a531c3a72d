"""JSON of what is done to many tiles: how many match, deciding about them, taking an action back."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.errors import BadInput
from tiles.core.permissions import REVIEW_TILES, VIEW_DATA
from tiles.models import Area, Job, TilePair
from tiles.review import actions, bulk, selectors, services
from tiles.review.checks import NOTE_LENGTH
from tiles.review.filters import TileFilter
from tiles.review.present import decision_payload
from tiles.review.recording import Outcome

from .review import DecisionOut
from .tiles import FILTER_PARAMETERS

MOST = 2**31 - 1
VERB_CHOICES = [(verb.value, verb.label) for verb in bulk.VERBS]


class CountOut(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    capped = serializers.BooleanField(help_text=f"There are more than {selectors.COUNT_LIMIT}.")
    at = serializers.DateTimeField(help_text="When it was counted; a decision about all of them names it as seen_at.")


class SeenIn(serializers.Serializer[Any]):
    index = serializers.IntegerField(min_value=0, max_value=MOST)
    version = serializers.IntegerField(min_value=0, max_value=MOST)


class BulkIn(serializers.Serializer[Any]):
    """Either `tiles` as they were seen, or `filter` and `seen_at`. `action` is made by the browser."""

    action = serializers.UUIDField()
    verb = serializers.ChoiceField(choices=VERB_CHOICES)
    reason = serializers.CharField(default="", allow_blank=True, max_length=32)
    note = serializers.CharField(default="", allow_blank=True, max_length=NOTE_LENGTH)
    tiles = serializers.ListField(child=SeenIn(), required=False, allow_empty=False, max_length=bulk.AT_ONCE)
    filter = serializers.CharField(required=False, allow_blank=True, max_length=4000)
    seen_at = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("tiles" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"tiles": "Give either tiles or a filter."})
        if "filter" in attrs and "seen_at" not in attrs:
            raise serializers.ValidationError({"seen_at": "This field is required with a filter."})
        return attrs


class UndoIn(serializers.Serializer[Any]):
    action = serializers.UUIDField(help_text="What is taken back.")
    undo = serializers.UUIDField(help_text="The id of this new action, made by the browser.")


class BulkOut(serializers.Serializer[Any]):
    """`job` is set, and the rest empty, while a job does it: see its own address for how far it is."""

    done = serializers.IntegerField()
    unchanged = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers of tiles that stood so.")
    stale = serializers.ListField(
        child=serializers.IntegerField(), help_text="Numbers of tiles that somebody changed since they were seen."
    )
    job = serializers.IntegerField(allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())


class ActionOut(serializers.Serializer[Any]):
    action = serializers.UUIDField(allow_null=True, help_text="Null: there is nothing of yours to take back.")
    verb = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField(help_text="Tiles about which it still stands.")
    capped = serializers.BooleanField(help_text="There may be more.")
    newest = DecisionOut(allow_null=True)


class AreaTilesCount(APIView):
    """How many tiles of an area match a filter."""

    permission = VIEW_DATA

    @extend_schema(
        operation_id="tiles_count",
        parameters=[
            *FILTER_PARAMETERS,
            OpenApiParameter("exact", OpenApiTypes.BOOL, description="Count on, however many there are."),
        ],
        responses=CountOut,
    )
    def get(self, request: Request, slug: str) -> Response:
        at = timezone.now()
        area = selectors.area_by_slug(slug)
        tiles = TileFilter(request.query_params, queryset=selectors.tiles_of(area=area), by=request.user).checked()
        exact = request.query_params.get("exact", "") in ("1", "true")
        count, capped = selectors.tiles_counted(tiles=tiles, exact=exact)
        return Response({"count": count, "capped": capped, "at": at})


class AreaBulk(APIView):
    """Decide about many tiles as one action."""

    permission = REVIEW_TILES

    @extend_schema(
        operation_id="tiles_decide",
        description=f"Up to {bulk.AT_ONCE} named tiles at once, or, as a job (202), all that match a filter. Tiles "
        "that changed since they were seen are left alone and named. Repeating an action changes nothing.",
        request=BulkIn,
        responses={200: BulkOut, 202: BulkOut},
    )
    def post(self, request: Request, slug: str) -> Response:
        bulk_in = BulkIn(data=request.data)
        bulk_in.is_valid(raise_exception=True)
        asked = bulk_in.validated_data
        area = selectors.area_by_slug(slug)
        what = {name: asked[name] for name in ("verb", "reason", "note", "action")}
        if "filter" in asked:
            job = bulk.bulk_start(area=area, query=asked["filter"], seen_at=asked["seen_at"], by=request.user, **what)
            return bulk_answer(area, job)
        seen = ids_of_seen(area, {tile["index"]: tile["version"] for tile in asked["tiles"]})
        return bulk_answer(area, services.tiles_decide(area=area, seen=seen, by=request.user, **what))


class AreaBulkUndo(APIView):
    """Take back all of an action that still stands; which one that would be."""

    permission = REVIEW_TILES

    @extend_schema(
        operation_id="action_newest",
        description="Your newest action of which something stands.",
        parameters=[OpenApiParameter("marks", OpenApiTypes.BOOL, description="Tags and assignments count too.")],
        responses=ActionOut,
    )
    def get(self, request: Request, slug: str) -> Response:
        marks = request.query_params.get("marks", "") in ("1", "true")
        found = actions.action_newest(area=selectors.area_by_slug(slug), by=request.user, marks=marks)
        if found is None:
            return Response({"action": None, "verb": "", "count": 0, "capped": False, "newest": None})
        newest = decision_payload(found.newest) if found.newest else None
        body = {"action": found.id, "verb": found.verb, "count": found.count, "capped": found.capped}
        return Response({**body, "newest": newest})

    @extend_schema(
        operation_id="action_undo",
        description="At once, or for a great action as a job (202). Tiles with a newer decision stay and are named.",
        request=UndoIn,
        responses={200: BulkOut, 202: BulkOut},
    )
    def post(self, request: Request, slug: str) -> Response:
        undo_in = UndoIn(data=request.data)
        undo_in.is_valid(raise_exception=True)
        area = selectors.area_by_slug(slug)
        return bulk_answer(area, bulk.action_undo(area=area, by=request.user, **undo_in.validated_data))


def ids_of_seen(area: Area, versions: dict[int, int]) -> dict[int, int]:
    """Numbers and versions as tile ids and versions."""
    ids = dict(TilePair.objects.filter(area=area, index__in=list(versions)).values_list("index", "pk"))
    missing = sorted(set(versions) - set(ids))
    if missing:
        raise BadInput(f"{area.name} has no tile {missing[0]}. Reload the page.", code="unknown_tile")
    return {ids[index]: version for index, version in versions.items()}


def bulk_answer(area: Area, result: Outcome | Job) -> Response:
    """What became of an action: at once, or the job that does it."""
    job = result.pk if isinstance(result, Job) else None
    outcome = Outcome() if isinstance(result, Job) else result
    body = {
        "done": outcome.done,
        "unchanged": outcome.unchanged,
        "stale": outcome.stale,
        "job": job,
        "counts": selectors.review_counts(area_id=area.pk),
    }
    return Response(body, status=202 if job else 200)
