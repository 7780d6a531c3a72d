"""JSON of captions: reading many, saving one, its history, restoring."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.api import PERSON_HEADER
from tiles.core.errors import BadInput
from tiles.core.permissions import RECTIFY_CAPTIONS, VIEW_DATA

from . import selectors, services
from .models import MAX_LENGTH, Reading


class FindingOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    title = serializers.CharField(help_text="What the code stands for.")
    words = serializers.CharField(allow_blank=True, help_text="Empty when it is about the caption as a whole.")
    start = serializers.IntegerField(allow_null=True, help_text="Where the words begin, in characters (code points).")
    message = serializers.CharField()
    severity = serializers.FloatField(help_text="0..1")
    dismissed_by = serializers.CharField(allow_null=True)
    dismissed_at = serializers.DateTimeField(allow_null=True)


class CaptionOut(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The tile's number in its area.")
    version = serializers.IntegerField(help_text="To be sent back as `base_version`; 0 where there is no caption yet.")
    text = serializers.CharField(allow_blank=True)
    origin = serializers.CharField(allow_blank=True, help_text="A captioner's name, or `person`.")
    author = serializers.CharField(allow_null=True, help_text="Who wrote or restored it; null for a machine's work.")
    at = serializers.DateTimeField(allow_null=True)
    components = serializers.JSONField(help_text="terms, category, weather, and a prompt written by hand.")
    prompt = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=Reading.choices)
    flagged = serializers.BooleanField()
    doubt = serializers.FloatField(help_text="How much it deserves a look, 0..1.")
    findings = FindingOut(many=True)


class CaptionsOut(serializers.Serializer[Any]):
    items = CaptionOut(many=True)


class ChangesField(serializers.ListField):
    """A word diff: pairs of `same`, `removed` or `added` and the text."""

    child = serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)


class RevisionOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    text = serializers.CharField()
    origin = serializers.CharField()
    author = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    restores = serializers.IntegerField(allow_null=True, help_text="The number whose words were brought back.")
    diff = ChangesField(help_text="Word diff from the revision before: [same | removed | added, text].")


class HistoryOut(serializers.Serializer[Any]):
    revisions = RevisionOut(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`below` of the following page.")


class StaleOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    current = CaptionOut(required=False)
    yours = serializers.CharField(required=False)
    diff = ChangesField(required=False, help_text="Word diff from `current` to `yours`.")


class RectifyIn(serializers.Serializer[Any]):
    # Length and emptiness are the service's rule, whose sentence a person reads.
    text = serializers.CharField(allow_blank=True, trim_whitespace=False, help_text=f"At most {MAX_LENGTH} characters.")
    components = serializers.DictField(
        required=False, help_text="terms, category, weather, and prompt {text, of}; left out: those that stand."
    )
    base_version = serializers.IntegerField(min_value=0, help_text="The version that was read.")
    client_id = serializers.UUIDField(help_text="New for each save; the same when a save is repeated.")


class RestoreIn(serializers.Serializer[Any]):
    number = serializers.IntegerField(min_value=1)
    base_version = serializers.IntegerField(min_value=0)
    client_id = serializers.UUIDField()


_SAVING = (
    "Repeating a client_id saves once. A stale `base_version` answers 409 `stale` with `current`, `yours` and `diff`. "
    f"A page that names its person in the header {PERSON_HEADER} gets 401 when somebody else is signed in meanwhile."
)


class AreaCaptions(APIView):
    """Captions of many tiles, for loading ahead."""

    permission = VIEW_DATA

    @extend_schema(
        operation_id="captions_of",
        parameters=[
            OpenApiParameter(
                "index", OpenApiTypes.STR, required=True, description=f"As in 1,2,3; at most {selectors.MOST_AT_ONCE}."
            )
        ],
        responses=CaptionsOut,
    )
    def get(self, request: Request, slug: str) -> Response:
        indexes = _indexes(request.query_params.get("index", ""))
        return Response({"items": selectors.captions_of(slug=slug, indexes=indexes)})


class TileCaption(APIView):
    """The caption of one tile."""

    @property
    def permission(self) -> str:
        return RECTIFY_CAPTIONS if self.request.method == "PUT" else VIEW_DATA

    @extend_schema(operation_id="caption", responses=CaptionOut)
    def get(self, request: Request, slug: str, index: int) -> Response:
        return Response(selectors.caption_of(selectors.tile_of(slug, index)))

    @extend_schema(
        operation_id="caption_rectify",
        description=_SAVING,
        request=RectifyIn,
        responses={200: CaptionOut, 409: StaleOut},
    )
    def put(self, request: Request, slug: str, index: int) -> Response:
        asked = body_checked(RectifyIn(data=request.data))
        tile = selectors.tile_of(slug, index)
        services.caption_rectify(tile_id=tile.pk, by=request.user, **asked)
        return Response(selectors.caption_of(tile))


class TileCaptionRevisions(APIView):
    """Every revision of a caption, newest first."""

    permission = VIEW_DATA

    @extend_schema(
        operation_id="caption_history",
        parameters=[OpenApiParameter("below", OpenApiTypes.INT, description="Only numbers smaller than this.")],
        responses=HistoryOut,
    )
    def get(self, request: Request, slug: str, index: int) -> Response:
        below = request.query_params.get("below", "")
        if below and not _is_number(below):
            raise BadInput("`below` is the number of a revision.")
        tile = selectors.tile_of(slug, index)
        return Response(selectors.caption_history(tile, below=int(below) if below else None))


class TileCaptionRestore(APIView):
    """Bring the words of an earlier revision back, as a new one."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(
        operation_id="caption_restore",
        description=_SAVING,
        request=RestoreIn,
        responses={200: CaptionOut, 409: StaleOut},
    )
    def post(self, request: Request, slug: str, index: int) -> Response:
        asked = body_checked(RestoreIn(data=request.data))
        tile = selectors.tile_of(slug, index)
        services.caption_restore(tile_id=tile.pk, by=request.user, **asked)
        return Response(selectors.caption_of(tile))


def body_checked(asked: serializers.Serializer[Any]) -> dict[str, Any]:
    """The body's fields. Raises ValidationError."""
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _indexes(text: str) -> list[int]:
    parts = [part for part in text.split(",") if part]
    if not parts or not all(_is_number(part) for part in parts):
        raise BadInput("Name the tiles by their numbers, as in ?index=1,2,3.")
    if len(parts) > selectors.MOST_AT_ONCE:
        raise BadInput(f"At most {selectors.MOST_AT_ONCE} captions at once.")
    return [int(part) for part in parts]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9
