"""JSON of releases."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import MAKE_RELEASES, VIEW_RELEASES

from . import selectors, services
from .api_plans import WantedIn, wanted_of
from .models import Release


class ReleaseIn(WantedIn):
    name = serializers.CharField(help_text="Small letters, digits and hyphens.")
    notes = serializers.CharField(default="", allow_blank=True)
    shard_megabytes = serializers.IntegerField(
        default=services.SHARD_MEGABYTES, help_text="A larger archive is cut into zip files of so much at the most."
    )
    named = serializers.BooleanField(
        default=False, help_text="The manifest says people's names; else pseudonyms. With names it can never be public."
    )
    client_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Repeating one answers with the first release."
    )


class ReleasedAreaOut(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    synthetic = serializers.BooleanField()
    licence = serializers.CharField()
    attribution = serializers.CharField(allow_blank=True)
    tiles = serializers.IntegerField()
    without_caption = serializers.IntegerField()
    with_void = serializers.IntegerField()
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="Reason -> number.")


class ReleaseJobOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.CharField()
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)


class ReleaseOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    layout = serializers.CharField()
    options = serializers.DictField(
        child=serializers.IntegerField(), help_text="Of the layout: those that were chosen."
    )
    state = serializers.ChoiceField(choices=Release.State.choices)
    notes = serializers.CharField(allow_blank=True)
    version = serializers.CharField()
    doi = serializers.CharField(allow_blank=True)
    authors = serializers.ListField(child=serializers.CharField())
    asked = serializers.JSONField(help_text="How tiles were chosen and split.")
    report = serializers.JSONField(help_text="By split: counts, landforms, heights; what leaks between splits.")
    statistics = serializers.JSONField(help_text="What the manifest says in numbers, once it is written.")
    tile_count = serializers.IntegerField()
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="Reason -> approved tiles not taken.")
    areas = ReleasedAreaOut(many=True, source="contents")
    shard_megabytes = serializers.IntegerField(help_text="A larger archive is cut into zip files of at most that.")
    size = serializers.IntegerField(allow_null=True, help_text="Bytes of the archive, all its files together.")
    sha256 = serializers.CharField(
        allow_blank=True,
        help_text="Of the archive; where it is cut, of the text that lists its files as sha256sum does.",
    )
    error = serializers.CharField(allow_blank=True)
    job = ReleaseJobOut(allow_null=True)
    created_by = serializers.CharField(source="created_by.shown_name", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)
    download = serializers.SerializerMethodField(help_text="Address of the archive, once it is ready.")
    named = serializers.BooleanField()
    public_since = serializers.DateTimeField(allow_null=True, help_text="Since when it needs no sign-in.")
    archive_removed_at = serializers.DateTimeField(allow_null=True, help_text="Its manifest is kept.")
    downloads = serializers.IntegerField(help_text="Of its archives, as often as one was begun.")

    def get_download(self, release: Release) -> str | None:
        if not release.has_archive:
            return None
        return reverse("release-download", args=[release.name, release.name])


class ReleasesOut(serializers.Serializer[Any]):
    items = ReleaseOut(many=True)
    before = serializers.CharField(allow_blank=True, help_text="Cursor of the page before; empty on the first.")
    after = serializers.CharField(allow_blank=True, help_text="Cursor of the page after; empty on the last.")


class Releases(APIView):
    """Releases, newest first, and making one."""

    @property
    def permission(self) -> str:
        return MAKE_RELEASES if self.request.method == "POST" else VIEW_RELEASES

    @extend_schema(
        operation_id="releases_page",
        parameters=[OpenApiParameter("after", OpenApiTypes.STR), OpenApiParameter("before", OpenApiTypes.STR)],
        responses=ReleasesOut,
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        page = selectors.releases_page(after=asked.get("after", ""), before=asked.get("before", ""))
        return Response(ReleasesOut({"items": page.rows, "before": page.before, "after": page.after}).data)

    @extend_schema(
        operation_id="release_make",
        description="Freezes what is approved now in the areas; a job then writes the archive.",
        request=ReleaseIn,
        responses={201: ReleaseOut},
    )
    def post(self, request: Request) -> Response:
        release_in = ReleaseIn(data=request.data)
        release_in.is_valid(raise_exception=True)
        asked = dict(release_in.validated_data)
        _areas, wanted, terms = wanted_of(asked, request.user)
        release = services.release_create(
            area_slugs=asked["areas"],
            **{
                name: asked[name]
                for name in ("name", "layout", "options", "notes", "shard_megabytes", "named", "client_id")
            },
            wanted=wanted,
            terms=terms,
            by=request.user,
        )
        return Response(ReleaseOut(release).data, status=201)


class OneRelease(APIView):
    """A release, and how far it is."""

    permission = VIEW_RELEASES

    @extend_schema(operation_id="release", responses=ReleaseOut)
    def get(self, request: Request, name: str) -> Response:
        return Response(ReleaseOut(selectors.release_by_name(name)).data)
