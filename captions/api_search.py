"""JSON of captions found by their words."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import VIEW_DATA

from . import selectors
from .api import CaptionOut
from .filters import CaptionFilter
from .search.selectors import RANK_LIMIT, captions_search


class PartField(serializers.ListField):
    """A piece of the text, and whether it is one of the words looked for."""

    child = serializers.JSONField()


class HitOut(CaptionOut):
    area = serializers.CharField(help_text="The slug of the tile's area.")
    parts = serializers.ListField(child=PartField(), help_text="The text in pieces: [words, marked].")


class FoundOut(serializers.Serializer[Any]):
    items = HitOut(many=True)
    count = serializers.IntegerField()
    capped = serializers.BooleanField(help_text=f"There are more than {RANK_LIMIT:,}, and they come newest first.")
    after = serializers.CharField(allow_blank=True, help_text="`after` of the following page; empty on the last one.")


class CaptionsFound(APIView):
    """Captions that hold some words."""

    permission = VIEW_DATA

    @extend_schema(
        operation_id="captions_search",
        parameters=[
            OpenApiParameter("q", str, required=True, description='As in: river "steep slopes" -snow mount*'),
            OpenApiParameter("area", str, description="The slug of an area."),
            OpenApiParameter("origin", str, description="Whose words: a captioner's name, or `person`."),
            OpenApiParameter("after", str, description="From the page before."),
        ],
        responses=FoundOut,
    )
    def get(self, request: Request) -> Response:
        chosen = CaptionFilter(request.query_params, queryset=selectors.captions_listed())
        chosen.checked()
        found = captions_search(text=chosen.words, scope=chosen.scope, after=request.query_params.get("after", ""))
        items = [
            {
                "index": hit.caption.tile.index,
                **selectors.caption_facts(hit.caption),
                "area": hit.caption.area.slug,
                "parts": hit.parts,
            }
            for hit in found.hits
        ]
        return Response({"items": items, "count": found.count, "capped": found.capped, "after": found.after})
