"""JSON of rectifying: the queue, who has what before them, readings, drafts, and what a text would compose."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.api.queue import ClaimsOut, HeldOut, HolderIn, HoldIn, ReleasedOut
from tiles.core.errors import NotFound
from tiles.core.permissions import RECTIFY_CAPTIONS, VIEW_DATA
from tiles.review.selectors import area_by_slug

from . import selectors
from .api import ChangesField, StaleOut, body_checked
from .components import components_clean
from .models import MAX_LENGTH, CaptionReading
from .reading import NO_CAPTION, VERBS, caption_read, reading_undo
from .rectifying.claims import claims_hold, claims_release, claims_shown
from .rectifying.drafts import draft_drop, draft_keep
from .rectifying.present import captions_payload, machine_text, preview, reading_payload
from .rectifying.queue import PAGE_SIZE, RectifyFilter, captions_readable, left_to_read, queue_handed_out
from .wanted import settings_of

UNDO = CaptionReading.Verb.UNDO.value
QUEUE_PARAMETERS = [
    OpenApiParameter("state", OpenApiTypes.STR, description="unread, read or confirmed; empty: what is to be read."),
    OpenApiParameter("landform", OpenApiTypes.STR),
    OpenApiParameter("flagged", OpenApiTypes.STR, enum=["yes"]),
    OpenApiParameter("finding", OpenApiTypes.STR, description="The code of an open finding."),
    OpenApiParameter("after", OpenApiTypes.STR, description="From the page before."),
]


class ItemField(serializers.DictField):
    """A tile as in the review's queue, with its `caption` and all that is shown of it."""


class CaptionsHandedOut(serializers.Serializer[Any]):
    items = serializers.ListField(child=ItemField())
    after = serializers.CharField(allow_blank=True, help_text="`after` of the following page; empty at the end.")
    until = serializers.DateTimeField(allow_null=True, help_text="Yours until then.")
    left = serializers.IntegerField(help_text="Captions of the area that nobody has read.")
    left_capped = serializers.BooleanField(help_text="There are more than `left`.")


class ReadingIn(serializers.Serializer[Any]):
    verb = serializers.CharField(help_text=f"{', '.join(VERBS)} or {UNDO}.")
    base_version = serializers.IntegerField(min_value=1, required=False, help_text="The version that was read.")
    note = serializers.CharField(required=False, allow_blank=True)
    undoes = serializers.UUIDField(required=False, help_text="client_id of the entry to take back.")
    client_id = serializers.UUIDField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = "undoes" if attrs["verb"] == UNDO else "base_version"
        if needed not in attrs:
            raise serializers.ValidationError({needed: ["This field is required."]})
        return attrs


class ReadingOut(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    verb = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.CharField(help_text="The caption's, now.")
    flagged = serializers.BooleanField()


class PromptPreviewIn(serializers.Serializer[Any]):
    text = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=4 * MAX_LENGTH)
    components = serializers.DictField()


class PromptPreviewOut(serializers.Serializer[Any]):
    prompt = serializers.CharField(help_text="What would hold: the one by hand, or the composed one.")
    composed = serializers.CharField()
    stale = serializers.BooleanField(help_text="A prompt by hand does not hold any more.")
    diff = ChangesField(help_text="Word diff from the machine's text: [same | removed | added, text].")


class DraftIn(PromptPreviewIn):
    base_version = serializers.IntegerField(min_value=0)


class DraftOut(serializers.Serializer[Any]):
    kept = serializers.BooleanField()


class CaptionQueue(APIView):
    """The next captions to read, for nobody else."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(
        operation_id="caption_queue_hand_out",
        description="The most doubtful first. What others have before them is left out, the rest claimed for `page`.",
        parameters=QUEUE_PARAMETERS,
        request=HolderIn,
        responses=CaptionsHandedOut,
    )
    def post(self, request: Request, slug: str) -> Response:
        page = body_checked(HolderIn(data=request.data))["page"]
        area = area_by_slug(slug)
        asked = RectifyFilter(request.query_params, queryset=captions_readable(area=area))
        after = request.query_params.get("after", "")
        handed = queue_handed_out(area=area, asked=asked, by=request.user, page=page, after=after, size=PAGE_SIZE)
        left, capped = left_to_read(area=area)
        return Response(
            {
                "items": captions_payload(captions=handed.captions, area=area, by=request.user),
                "after": handed.after,
                "until": handed.until,
                "left": left,
                "left_capped": capped,
            }
        )


class CaptionOfQueue(APIView):
    """One caption with all that is shown of it, as it stands now; claims nothing."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(operation_id="caption_queue_one", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, slug: str, index: int) -> Response:
        area = area_by_slug(slug)
        captions = list(captions_readable(area=area).filter(tile__index=index))
        if not captions:
            raise NotFound(NO_CAPTION)
        [item] = captions_payload(captions=captions, area=area, by=request.user)
        return Response(item)


class CaptionClaims(APIView):
    """Who has which captions of an area before them."""

    @property
    def permission(self) -> str:
        return VIEW_DATA if self.request.method == "GET" else RECTIFY_CAPTIONS

    @extend_schema(operation_id="caption_claims_list", responses=ClaimsOut)
    def get(self, request: Request, slug: str) -> Response:
        return Response({"items": claims_shown(area=area_by_slug(slug))})

    @extend_schema(
        operation_id="caption_claims_hold",
        description="Renews what a page holds: just these from now on. Those of others are answered as `lost`.",
        request=HoldIn,
        responses=HeldOut,
    )
    def put(self, request: Request, slug: str) -> Response:
        asked = body_checked(HoldIn(data=request.data))
        held = claims_hold(area=area_by_slug(slug), numbers=asked["tiles"], by=request.user, page=asked["page"])
        lost = [
            {"index": claim.caption.tile.index, "by": claim.by.shown_name, "until": claim.until} for claim in held.lost
        ]
        return Response({"until": held.until, "lost": lost})

    @extend_schema(
        operation_id="caption_claims_release",
        parameters=[OpenApiParameter("page", OpenApiTypes.UUID, required=True, description="What holds them.")],
        responses=ReleasedOut,
    )
    def delete(self, request: Request, slug: str) -> Response:
        holder = HolderIn(data=request.query_params)
        holder.is_valid(raise_exception=True)
        released = claims_release(area=area_by_slug(slug), by=request.user, page=holder.validated_data["page"])
        return Response({"released": released})


class CaptionReadings(APIView):
    """Accepting a caption as it stands, flagging it, and taking that back."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(
        operation_id="caption_read",
        description="Repeating a client_id counts once. A stale `base_version` answers 409 `stale` with `current`.",
        request=ReadingIn,
        responses={200: ReadingOut, 409: StaleOut},
    )
    def post(self, request: Request, slug: str, index: int) -> Response:
        asked = body_checked(ReadingIn(data=request.data))
        tile = selectors.tile_of(slug, index)
        client_id, verb = asked["client_id"], asked["verb"]
        if verb == UNDO:
            entry = reading_undo(undoes=asked["undoes"], by=request.user, client_id=client_id)
        else:
            entry = caption_read(
                tile_id=tile.pk,
                verb=verb,
                base_version=asked["base_version"],
                by=request.user,
                client_id=client_id,
                note=asked.get("note", ""),
            )
        return Response(reading_payload(entry))


class CaptionPreview(APIView):
    """What a text and its components would compose, saving nothing."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(operation_id="caption_preview", request=PromptPreviewIn, responses=PromptPreviewOut)
    def post(self, request: Request, slug: str, index: int) -> Response:
        asked = body_checked(PromptPreviewIn(data=request.data))
        tile = selectors.tile_of(slug, index)
        made = preview(
            tile=tile,
            wanted=settings_of([tile.area_id])[tile.area_id],
            text=asked["text"],
            components=components_clean(asked["components"]),
            machine=machine_text(tile_id=tile.pk),
        )
        return Response(made)


class TileCaptionDraft(APIView):
    """What a person has written of a tile and not saved."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(operation_id="caption_draft_keep", request=DraftIn, responses=DraftOut)
    def put(self, request: Request, slug: str, index: int) -> Response:
        asked = body_checked(DraftIn(data=request.data))
        draft_keep(tile_id=selectors.tile_of(slug, index).pk, by=request.user, **asked)
        return Response({"kept": True})

    @extend_schema(operation_id="caption_draft_drop", responses=DraftOut)
    def delete(self, request: Request, slug: str, index: int) -> Response:
        draft_drop(tile_id=selectors.tile_of(slug, index).pk, by=request.user)
        return Response({"kept": False})
