"""JSON of comments, flags, tags and assignments."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import REVIEW_TILES, VIEW_DATA
from tiles.models import TileMark
from tiles.models.marks import COMMENT_LENGTH, WORD_LENGTH
from tiles.review import bulk, marks, selectors
from tiles.review.marked import comment_payload, marks_of

from .bulk import BulkOut, SeenIn, bulk_answer, ids_of_seen
from .tiles import CommentOut, MarksOut


class CommentIn(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    text = serializers.CharField(max_length=COMMENT_LENGTH)


class FlagIn(serializers.Serializer[Any]):
    flagged = serializers.BooleanField()


class MarkIn(serializers.Serializer[Any]):
    """Either `tiles` or `filter`. Of a tag, `value` is the word; of an assignment, a person's key, or empty: nobody."""

    action = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=TileMark.Kind.choices)
    value = serializers.CharField(max_length=4 * WORD_LENGTH, allow_blank=True)
    on = serializers.BooleanField(default=True)
    tiles = serializers.ListField(child=SeenIn(), required=False, allow_empty=False, max_length=bulk.AT_ONCE)
    filter = serializers.CharField(required=False, allow_blank=True, max_length=4000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("tiles" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"tiles": "Give either tiles or a filter."})
        return attrs


class TileComments(APIView):
    """Say something about a tile."""

    permission = REVIEW_TILES

    @extend_schema(
        operation_id="comment_add",
        description="Comments are never changed. Repeating a client_id answers with the first one.",
        request=CommentIn,
        responses={201: CommentOut},
    )
    def post(self, request: Request, slug: str, index: int) -> Response:
        comment_in = CommentIn(data=request.data)
        comment_in.is_valid(raise_exception=True)
        tile = selectors.tile_by_index(area=selectors.area_by_slug(slug), index=index)
        comment = marks.comment_add(tile_id=tile.pk, by=request.user, **comment_in.validated_data)
        return Response(comment_payload(comment), status=201)


class TileFlagged(APIView):
    """Flag a tile for oneself, to come back to it."""

    permission = VIEW_DATA

    @extend_schema(operation_id="flag_set", request=FlagIn, responses=MarksOut)
    def put(self, request: Request, slug: str, index: int) -> Response:
        flag_in = FlagIn(data=request.data)
        flag_in.is_valid(raise_exception=True)
        tile = selectors.tile_by_index(area=selectors.area_by_slug(slug), index=index)
        marks.flag_set(tile_id=tile.pk, by=request.user, **flag_in.validated_data)
        return Response(marks_of(tiles=[tile], by=request.user)[tile.pk])


class AreaMarks(APIView):
    """Put a tag on many tiles, take it off, or assign them to a person, as one action."""

    permission = REVIEW_TILES

    @extend_schema(
        operation_id="tiles_mark",
        description=f"Up to {bulk.AT_ONCE} named tiles at once, or, as a job (202), all that match a filter. It is "
        "taken back as a decision about many tiles is, by its action.",
        request=MarkIn,
        responses={200: BulkOut, 202: BulkOut},
    )
    def post(self, request: Request, slug: str) -> Response:
        mark_in = MarkIn(data=request.data)
        mark_in.is_valid(raise_exception=True)
        asked = mark_in.validated_data
        area = selectors.area_by_slug(slug)
        what: dict[str, Any] = {
            "mark": marks.Mark(asked["kind"], asked["value"], asked["on"]),
            "by": request.user,
            "action": asked["action"],
        }
        if "filter" in asked:
            return bulk_answer(area, bulk.bulk_mark_start(area=area, query=asked["filter"], **what))
        ids = ids_of_seen(area, {tile["index"]: tile["version"] for tile in asked["tiles"]})
        return bulk_answer(area, marks.tiles_mark(area=area, tile_ids=ids, **what))
