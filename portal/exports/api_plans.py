"""JSON of what a release would hold, and of what changed between two."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import MAKE_RELEASES, VIEW_RELEASES
from tiles.models import Area

from .differences import ADDED, KINDS, differences_page
from .layouts import LAYOUTS, layout_of
from .rehearsal import rehearsal_record, release_rehearse
from .selection import query_normal, view_query
from .selectors import release_by_name
from .services import areas_chosen
from .splitting.blocks import SPLITS
from .wanted import SHARES, WAYS, Split, Terms, Wanted


class SharesIn(serializers.Serializer[Any]):
    train = serializers.FloatField(default=SHARES["train"])
    val = serializers.FloatField(default=SHARES["val"])
    test = serializers.FloatField(default=SHARES["test"])


class SplitIn(serializers.Serializer[Any]):
    way = serializers.ChoiceField(choices=WAYS)
    shares = SharesIn(required=False, help_text="Of the tiles, 1 together; for blocks and random.")
    seed = serializers.IntegerField(default=Split.seed)
    block_km = serializers.FloatField(default=Split.block_km, help_text="Width of a spatial block.")
    buffer_km = serializers.FloatField(
        default=Split.buffer_km, help_text="Tiles nearer than this to another split are left out."
    )
    of_area = serializers.DictField(
        child=serializers.ChoiceField(choices=SPLITS), default=dict, help_text="Slug -> split; for area."
    )
    lists = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        default=dict,
        help_text="Split -> tiles as in coast/42; for files.",
    )


class AreaTermsIn(serializers.Serializer[Any]):
    area = serializers.CharField(help_text="Slug.")
    licence = serializers.CharField(default="", allow_blank=True)
    attribution = serializers.CharField(default="", allow_blank=True)


class WantedIn(serializers.Serializer[Any]):
    areas = serializers.ListField(child=serializers.CharField(), help_text="Slugs.")
    layout = serializers.CharField(default="rs3dbench", help_text=f"One of {', '.join(LAYOUTS)}.")
    filter = serializers.CharField(
        default="", allow_blank=True, help_text="Query string of the gallery, asked of every area."
    )
    view = serializers.CharField(default="", allow_blank=True, help_text="Number or name of a saved view instead.")
    tiles = serializers.ListField(
        child=serializers.CharField(), default=list, help_text="Only these tiles, as in coast/42; empty for all."
    )
    unique = serializers.BooleanField(default=False, help_text="Leave out near-duplicates.")
    split = SplitIn(required=False, allow_null=True, default=None)
    terms = AreaTermsIn(many=True, required=False, help_text="Instead of what areas say of themselves.")
    version = serializers.CharField(default=Terms.version, help_text="Semantic, as in 1.2.0.")
    doi = serializers.CharField(default="", allow_blank=True)
    authors = serializers.ListField(child=serializers.CharField(), default=list)


def wanted_of(asked: dict[str, Any], by: Any) -> tuple[list[Area], Wanted, Terms]:
    """What the fields of WantedIn ask for. Raises BadInput, NotFound."""
    areas = areas_chosen(asked["areas"])
    query = view_query(view=asked["view"], areas=areas, by=by) if asked["view"] else asked["filter"]
    split = dict(asked["split"] or {})
    if split:
        split["lists"] = {name: "\n".join(lines) for name, lines in split["lists"].items()}
    terms = asked.get("terms", ())
    return (
        areas,
        Wanted(
            query=query_normal(query, areas=areas, by=by),
            tiles="\n".join(asked["tiles"]),
            unique=asked["unique"],
            split=Split(**split),
        ),
        Terms(
            version=asked["version"],
            doi=asked["doi"],
            authors=asked["authors"],
            licences={one["area"]: one["licence"] for one in terms if one["licence"]},
            attributions={one["area"]: one["attribution"] for one in terms if one["attribution"]},
        ),
    )


class DryAreaOut(serializers.Serializer[Any]):
    slug = serializers.CharField()
    tiles = serializers.IntegerField()
    bytes = serializers.IntegerField()
    splits = serializers.DictField(child=serializers.IntegerField())
    without_caption = serializers.IntegerField()
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="Reason -> number.")
    licence = serializers.CharField()
    attribution = serializers.CharField(allow_blank=True)


class ProblemOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    words = serializers.CharField()
    stops = serializers.BooleanField(help_text="The release would be refused.")


class DryRunOut(serializers.Serializer[Any]):
    tiles = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="Of the archive, about.")
    seconds = serializers.FloatField(allow_null=True, help_text="To write it, about; null when nothing is known.")
    basis = serializers.CharField(allow_blank=True, help_text="How that is known.")
    splits = serializers.DictField(child=serializers.IntegerField())
    areas = DryAreaOut(many=True)
    left_out = serializers.DictField(child=serializers.IntegerField())
    problems = ProblemOut(many=True)
    report = serializers.JSONField(help_text="By split: counts, landforms, heights; what leaks between splits.")


class DryRun(APIView):
    """What a release would hold, without making it."""

    permission = MAKE_RELEASES

    @extend_schema(operation_id="release_dry_run", request=WantedIn, responses=DryRunOut)
    def post(self, request: Request) -> Response:
        wanted_in = WantedIn(data=request.data)
        wanted_in.is_valid(raise_exception=True)
        asked = wanted_in.validated_data
        areas, wanted, terms = wanted_of(asked, request.user)
        layout = layout_of(asked["layout"])
        found = release_rehearse(areas=areas, layout=layout, wanted=wanted, terms=terms, by=request.user)
        return Response(DryRunOut(rehearsal_record(found)).data)


class WasAndIsOut(serializers.Serializer[Any]):
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)


class DifferenceOut(serializers.Serializer[Any]):
    area = serializers.CharField()
    index = serializers.IntegerField()
    caption = serializers.SerializerMethodField()
    prompt = serializers.SerializerMethodField()
    split = serializers.SerializerMethodField()
    pixels = serializers.BooleanField(help_text="A layer is another one.")

    @extend_schema_field(WasAndIsOut)
    def get_caption(self, row: Any) -> dict[str, str]:
        return dict(zip(("before", "after"), row.caption, strict=True))

    @extend_schema_field(WasAndIsOut)
    def get_prompt(self, row: Any) -> dict[str, str]:
        return dict(zip(("before", "after"), row.prompt, strict=True))

    @extend_schema_field(WasAndIsOut)
    def get_split(self, row: Any) -> dict[str, str]:
        return dict(zip(("before", "after"), row.split, strict=True))


class DifferencesOut(serializers.Serializer[Any]):
    items = DifferenceOut(many=True)
    before = serializers.CharField(allow_blank=True, help_text="Cursor of the page before; empty on the first.")
    after = serializers.CharField(allow_blank=True, help_text="Cursor of the page after; empty on the last.")


class Differences(APIView):
    """What changed from one release to another."""

    permission = VIEW_RELEASES

    @extend_schema(
        operation_id="release_diff",
        parameters=[
            OpenApiParameter("kind", OpenApiTypes.STR, enum=KINDS),
            OpenApiParameter("after", OpenApiTypes.STR),
            OpenApiParameter("before", OpenApiTypes.STR),
        ],
        responses=DifferencesOut,
    )
    def get(self, request: Request, name: str, other: str) -> Response:
        asked = request.query_params
        rows, page = differences_page(
            before=release_by_name(name),
            after=release_by_name(other),
            kind=asked.get("kind", ADDED),
            after_cursor=asked.get("after", ""),
            before_cursor=asked.get("before", ""),
        )
        return Response(DifferencesOut({"items": rows, "before": page.before, "after": page.after}).data)
