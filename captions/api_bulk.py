"""JSON of changing many captions: a preview, how many, the change itself, and its undo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import RECTIFY_CAPTIONS
from tiles.models import Job
from tiles.review.layers import layer_url

from . import bulk
from .api import ChangesField, body_checked
from .changes import COUNT_LIMIT, Among, changes_counted, changes_page
from .edits import LONGEST, WAYS, edit_of
from .models import Caption

YES = ("1", "true", "on")
PARAMETERS = [
    OpenApiParameter("do", str, required=True, enum=WAYS),
    OpenApiParameter("find", str, description="Plain words, never a pattern; with `do=replace`."),
    OpenApiParameter("replace", str, description="What comes in their place; may be empty."),
    OpenApiParameter("whole_word", bool),
    OpenApiParameter("match_case", bool),
    OpenApiParameter("term", str, description="With `do=add_term` and `do=remove_term`."),
    OpenApiParameter("q", str, description="Among: words, as in the list of captions."),
    OpenApiParameter("area", str, description="Among: the slug of an area."),
    OpenApiParameter("origin", str, description="Among: whose words."),
    OpenApiParameter("state", str, description="Among: how far people have come."),
    OpenApiParameter("only", str, description="Among these captions by their keys, as in 3,7, and no others."),
]


class ChangeOut(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="The key of the caption.")
    version = serializers.IntegerField()
    area = serializers.CharField()
    area_name = serializers.CharField()
    index = serializers.IntegerField()
    picture = serializers.CharField(allow_blank=True)
    text = serializers.CharField(help_text="As it stands.")
    diff = ChangesField(help_text="Word diff of the text, or of the terms.")
    problem = serializers.CharField(allow_blank=True, help_text="Why it cannot be changed so; empty when it can.")


class PreviewOut(serializers.Serializer[Any]):
    items = ChangeOut(many=True)
    after = serializers.CharField(allow_blank=True, help_text="`after` of the following page; empty on the last one.")
    at = serializers.DateTimeField(help_text="When it was looked at; to be sent back as `seen_at`.")


class ChangesCountOut(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    capped = serializers.BooleanField(help_text=f"There may be more: it counts to {COUNT_LIMIT} unless asked to go on.")


class EditIn(serializers.Serializer[Any]):
    do = serializers.ChoiceField(choices=WAYS)
    find = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=LONGEST)
    replace = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=LONGEST)
    whole_word = serializers.BooleanField(default=False)
    match_case = serializers.BooleanField(default=False)
    term = serializers.CharField(default="", allow_blank=True, max_length=LONGEST)


class SeenCaptionIn(serializers.Serializer[Any]):
    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class CaptionsEditIn(serializers.Serializer[Any]):
    """Either `captions` as they were seen, or `filter` and `seen_at`. `action` is made by the browser."""

    action = serializers.UUIDField()
    edit = EditIn()
    captions = serializers.ListField(child=SeenCaptionIn(), required=False, allow_empty=False, max_length=bulk.AT_ONCE)
    filter = serializers.CharField(required=False, allow_blank=True, max_length=16_000, help_text="As a query.")
    seen_at = serializers.DateTimeField(required=False)
    left_out = serializers.ListField(
        child=serializers.IntegerField(min_value=1), default=list, help_text="Captions of the filter that stay."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("captions" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"captions": "Give either captions or a filter."})
        if "filter" in attrs and "seen_at" not in attrs:
            raise serializers.ValidationError({"seen_at": "This field is required with a filter."})
        return attrs


class EditUndoIn(serializers.Serializer[Any]):
    action = serializers.UUIDField(help_text="What is taken back.")
    undo = serializers.UUIDField(help_text="The id of this new action, made by the browser.")


class CaptionPlaceOut(serializers.Serializer[Any]):
    area = serializers.CharField()
    index = serializers.IntegerField()


class CaptionsEditOut(serializers.Serializer[Any]):
    """`job` is set, and the rest empty, while a job does it: see its own address for how far it is."""

    done = serializers.IntegerField()
    unchanged = CaptionPlaceOut(many=True)
    stale = CaptionPlaceOut(many=True, help_text="Somebody saved these since they were seen.")
    refused = CaptionPlaceOut(many=True, help_text="What would come out cannot be a caption.")
    job = serializers.IntegerField(allow_null=True)


class CaptionsPreview(APIView):
    """What an edit of many captions would change, caption by caption."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(
        operation_id="captions_edit_preview",
        parameters=[*PARAMETERS, OpenApiParameter("after", str, description="From the page before.")],
        responses=PreviewOut,
    )
    def get(self, request: Request) -> Response:
        at = timezone.now()
        among, edit = _asked(request.query_params)
        page = changes_page(among=among, edit=edit, after=request.query_params.get("after", ""))
        items = [{**_place(caption), "diff": edited.diff, "problem": edited.problem} for caption, edited in page.items]
        return Response({"items": items, "after": page.after, "at": at})


class CaptionsPreviewCount(APIView):
    """How many captions an edit would change."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(
        operation_id="captions_edit_count",
        parameters=[*PARAMETERS, OpenApiParameter("exact", OpenApiTypes.BOOL, description="Count on.")],
        responses=ChangesCountOut,
    )
    def get(self, request: Request) -> Response:
        among, edit = _asked(request.query_params)
        exact = request.query_params.get("exact", "") in YES
        count, capped = changes_counted(among=among, edit=edit, exact=exact)
        return Response({"count": count, "capped": capped})


class CaptionsEdit(APIView):
    """Change many captions as one action."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(
        operation_id="captions_edit",
        description=f"Up to {bulk.AT_ONCE} named captions at once, or, as a job (202), all of a filter. Captions saved "
        "since they were seen are left alone and named. Repeating an action changes nothing.",
        request=CaptionsEditIn,
        responses={200: CaptionsEditOut, 202: CaptionsEditOut},
    )
    def post(self, request: Request) -> Response:
        asked = body_checked(CaptionsEditIn(data=request.data))
        what = {"edit": edit_of(asked["edit"]), "by": request.user, "action": asked["action"]}
        if "captions" in asked:
            seen = {caption["id"]: caption["version"] for caption in asked["captions"]}
            return _answer(bulk.captions_edit(seen=seen, **what))
        among = Among.of(QueryDict(asked["filter"]))
        return _answer(
            bulk.captions_edit_start(among=among, seen_at=asked["seen_at"], left_out=asked["left_out"], **what)
        )


class CaptionsEditUndo(APIView):
    """Take back all of an action that still stands."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(
        operation_id="captions_edit_undo",
        description="At once, or for a great action as a job (202). Captions saved since stay and are named.",
        request=EditUndoIn,
        responses={200: CaptionsEditOut, 202: CaptionsEditOut},
    )
    def post(self, request: Request) -> Response:
        return _answer(bulk.captions_edit_undo(by=request.user, **body_checked(EditUndoIn(data=request.data))))


def _asked(given: QueryDict) -> tuple[Among, Any]:
    """Raises BadInput."""
    names = ("do", "find", "replace", "term")
    wanted = {name: given.get(name, "") for name in names}
    flags = {name: given.get(name, "") in YES for name in ("whole_word", "match_case")}
    return Among.of(given), edit_of(wanted | flags)


def _place(caption: Caption) -> dict[str, Any]:
    tile, area = caption.tile, caption.area
    return {
        "id": caption.pk,
        "version": caption.version,
        "area": area.slug,
        "area_name": area.name,
        "index": tile.index,
        "text": caption.text,
        "picture": layer_url(tile, "preview", area.slug) if tile.layer("preview") else "",
    }


def _places(places: Sequence[bulk.Place]) -> list[dict[str, Any]]:
    return [{"area": slug, "index": index} for slug, index in places]


def _answer(result: bulk.Outcome | Job) -> Response:
    job = result.pk if isinstance(result, Job) else None
    outcome = bulk.Outcome() if isinstance(result, Job) else result
    body = {
        "done": outcome.done,
        "unchanged": _places(outcome.unchanged),
        "stale": _places(outcome.stale),
        "refused": _places(outcome.refused),
        "job": job,
    }
    return Response(body, status=202 if job else 200)
