"""JSON of the files inside releases, and of links to them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import VIEW_RELEASES

from .links import HOURS, link_make, link_token, links_revoke
from .members import members_page
from .selectors import release_by_name
from .views_download import link_addresses


class MemberOut(serializers.Serializer[Any]):
    path = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    url = serializers.CharField()


class MembersOut(serializers.Serializer[Any]):
    items = MemberOut(many=True)
    after = serializers.CharField(allow_blank=True, help_text="Ask for the next page with it; empty on the last.")


class LinkIn(serializers.Serializer[Any]):
    hours = serializers.FloatField(default=HOURS, help_text="How long it holds, at most 30 days.")


class LinkOut(serializers.Serializer[Any]):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    url = serializers.CharField(help_text="A text with the addresses of all files, a line each, as wget -i reads it.")
    files = serializers.ListField(child=serializers.CharField(), help_text="The addresses themselves.")


class RevokedOut(serializers.Serializer[Any]):
    revoked = serializers.IntegerField()


class ReleaseMembers(APIView):
    """The files inside the archive of a release, by path."""

    permission = VIEW_RELEASES

    @extend_schema(
        operation_id="release_files",
        parameters=[
            OpenApiParameter("under", OpenApiTypes.STR, description="Only paths that begin so."),
            OpenApiParameter("after", OpenApiTypes.STR),
        ],
        responses=MembersOut,
    )
    def get(self, request: Request, name: str) -> Response:
        asked = request.query_params
        page = members_page(release_by_name(name), under=asked.get("under", ""), after=asked.get("after", ""))
        items = [
            {
                "path": one.path,
                "size": one.size,
                "sha256": one.sha256,
                "url": reverse("release-member", args=[name, one.path]),
            }
            for one in page.members
        ]
        return Response(MembersOut({"items": items, "after": page.after}).data)


class ReleaseLinks(APIView):
    """Links to a release that need no session."""

    permission = VIEW_RELEASES

    @extend_schema(operation_id="release_link_make", request=LinkIn, responses={201: LinkOut})
    def post(self, request: Request, name: str) -> Response:
        link_in = LinkIn(data=request.data)
        link_in.is_valid(raise_exception=True)
        hours = link_in.validated_data["hours"]
        link = link_make(release_id=release_by_name(name).pk, hours=hours, by=request.user)
        token = link_token(link)
        made = {
            "token": token,
            "expires_at": link.expires_at,
            "url": request.build_absolute_uri(reverse("link-list", args=[token])),
            "files": link_addresses(request._request, link),
        }
        return Response(LinkOut(made).data, status=201)

    @extend_schema(
        operation_id="release_links_revoke",
        description="Ends all of them; of who may not make releases, their own.",
        responses=RevokedOut,
    )
    def delete(self, request: Request, name: str) -> Response:
        revoked = links_revoke(release_id=release_by_name(name).pk, by=request.user)
        return Response(RevokedOut({"revoked": revoked}).data)
