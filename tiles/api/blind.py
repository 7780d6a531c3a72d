"""JSON of blind rounds: what is to be judged, and judging it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import REVIEW_TILES
from tiles.models import BlindAnswer, BlindRound
from tiles.review import blind, blinded
from tiles.review.checks import NOTE_LENGTH
from tiles.review.selectors import area_by_slug

from .tiles import TileOut

Verb = BlindAnswer.Verb


class BlindTileOut(TileOut):
    """A tile without anything that tells what was decided about it."""

    state = reason = version = marks = None  # type: ignore[assignment]


class BlindPageOut(serializers.Serializer[Any]):
    items = BlindTileOut(many=True)
    answered = serializers.IntegerField(help_text="By whom this is read.")
    size = serializers.IntegerField()


class BlindAnswerIn(serializers.Serializer[Any]):
    """`undoes` is the client_id of the answer that an undo takes back."""

    client_id = serializers.UUIDField()
    index = serializers.IntegerField(min_value=0)
    verb = serializers.ChoiceField(choices=Verb.choices)
    reason = serializers.CharField(default="", allow_blank=True, max_length=32)
    note = serializers.CharField(default="", allow_blank=True, max_length=NOTE_LENGTH)
    seen = serializers.DictField(child=serializers.IntegerField(), required=False)
    undoes = serializers.UUIDField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = "undoes" if attrs["verb"] == Verb.UNDO else "seen"
        if attrs.get(wanted) is None:
            raise serializers.ValidationError({wanted: "This field is required."})
        return attrs


class BlindAnswerOut(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    index = serializers.IntegerField()
    answered = serializers.IntegerField()
    size = serializers.IntegerField()


class BlindAnswers(APIView):
    """What of a blind round is still before you, and your judgement of it."""

    permission = REVIEW_TILES

    @extend_schema(
        operation_id="blind_tiles",
        parameters=[OpenApiParameter("after", OpenApiTypes.INT, description="What comes after this number.")],
        responses=BlindPageOut,
    )
    def get(self, request: Request, slug: str, round_id: int) -> Response:
        made = _round(slug, round_id, request.user)
        after = serializers.IntegerField(min_value=0).run_validation(request.query_params.get("after", "0"))
        bound = after if "after" in request.query_params else None
        items = blinded.tiles_to_answer(blind_round=made, by=request.user, after=bound)
        return Response({"items": items, **_progress(made, request.user)})

    @extend_schema(
        operation_id="blind_answer",
        description="The tile and its log stay as they are. Repeating a client_id answers with the first judgement.",
        request=BlindAnswerIn,
        responses={201: BlindAnswerOut},
    )
    def post(self, request: Request, slug: str, round_id: int) -> Response:
        answer_in = BlindAnswerIn(data=request.data)
        answer_in.is_valid(raise_exception=True)
        asked = answer_in.validated_data
        made = _round(slug, round_id, request.user)
        common = {"round_id": made.pk, "by": request.user, "index": asked["index"], "client_id": asked["client_id"]}
        if asked["verb"] == Verb.UNDO:
            blind.blind_undo(undoes=asked["undoes"], **common)
        else:
            said = {name: asked[name] for name in ("verb", "reason", "note", "seen")}
            blind.blind_answer(**said, **common)
        body = {"client_id": asked["client_id"], "index": asked["index"], **_progress(made, request.user)}
        return Response(body, status=201)


def _round(slug: str, round_id: int, by: Any) -> BlindRound:
    made = blind.round_of(area=area_by_slug(slug), round_id=round_id)
    blind.require_reviewer(blind_round=made, by=by)
    return made


def _progress(made: BlindRound, by: Any) -> dict[str, int]:
    return {"answered": blinded.answered_by(blind_round=made, by=by), "size": made.tiles.count()}
