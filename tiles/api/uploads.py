"""JSON of uploads: an elevation model comes in chunks, and goes on where it was cut off."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import UnreadablePostError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.errors import BadInput
from tiles.core.paging import keyset_page
from tiles.core.permissions import BUILD_AREA
from tiles.models import DemUpload
from tiles.uploads import removal, selectors, services

OFFSET = "Upload-Offset"
PIECE = 256 * 1024
PAGE_SIZE = 50


class UploadIn(serializers.Serializer[Any]):
    id = serializers.UUIDField(required=False, help_text="Chosen by the client; repeating it begins nothing anew.")
    name = serializers.CharField(max_length=255)
    size = serializers.IntegerField(min_value=0, max_value=2**62, help_text="Bytes of the whole file.")
    sha256 = serializers.RegexField(r"^(?:[0-9a-fA-F]{64})?$", required=False, default="", allow_blank=True)


class TailOut(serializers.Serializer[Any]):
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    crc32 = serializers.CharField(help_text="Of the bytes from start to before end, 8 hexadecimal digits.")


class UploadOut(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    size = serializers.IntegerField()
    offset = serializers.IntegerField(source="received", help_text="Bytes that are here for good; go on from there.")
    state = serializers.ChoiceField(choices=DemUpload.State.choices)
    problem = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField(allow_blank=True, help_text="As measured by the check.")
    owner = serializers.CharField(source="owner.shown_name")
    job = serializers.IntegerField(source="job_id", allow_null=True, help_text="What checks it.")
    chunk_size = serializers.SerializerMethodField(help_text="The most bytes that may be sent at once.")

    def get_chunk_size(self, _upload: DemUpload) -> int:
        return services.CHUNK_BYTES


class UploadWithTailOut(UploadOut):
    tail = TailOut(allow_null=True, help_text="The last bytes that came, to compare a file with that is chosen again.")


class UploadsOut(serializers.Serializer[Any]):
    items = UploadOut(many=True)
    max_size = serializers.IntegerField()
    chunk_size = serializers.IntegerField()


class Uploads(APIView):
    """Begin an upload, or see your own that are not accepted yet."""

    permission = BUILD_AREA

    @extend_schema(operation_id="uploads_mine", responses=UploadsOut)
    def get(self, request: Request) -> Response:
        items = UploadOut(selectors.uploads_of(request.user), many=True).data
        return Response({"items": items, "max_size": settings.DEMETER_MAX_UPLOAD, "chunk_size": services.CHUNK_BYTES})

    @extend_schema(
        operation_id="upload_start",
        description="409 `name_taken` and 400 `bad_name` carry a `suggestion`, a name that is free. 507 `disk_full`.",
        request=UploadIn,
        responses={201: UploadOut},
    )
    def post(self, request: Request) -> Response:
        upload_in = UploadIn(data=request.data)
        upload_in.is_valid(raise_exception=True)
        asked = dict(upload_in.validated_data)
        upload = services.upload_start(uuid=asked.pop("id", None), by=request.user, **asked)
        return Response(UploadOut(upload).data, status=201)


class Upload(APIView):
    """One upload: how far it is, the next chunk, or giving it up. Any curator may go on with it."""

    permission = BUILD_AREA

    @extend_schema(operation_id="upload", responses=UploadWithTailOut)
    def get(self, request: Request, upload: UUID) -> Response:
        found = selectors.upload_by_uuid(upload)
        return Response({**UploadOut(found).data, "tail": _tail(found)})

    @extend_schema(
        operation_id="upload_write",
        description=f"The bytes from {OFFSET} on, as the body. When this answers they are on the disk for good. "
        "409 `wrong_offset` carries the `offset` to go on from; 507 `disk_full` loses nothing.",
        parameters=[OpenApiParameter(OFFSET, OpenApiTypes.INT, OpenApiParameter.HEADER, required=True)],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=UploadOut,
    )
    def patch(self, request: Request, upload: UUID) -> Response:
        selectors.upload_by_uuid(upload)
        offset, content = _offset(request), _body(request)
        written = services.upload_write(uuid=upload, offset=offset, content=content, by=request.user)
        return Response(UploadOut(written).data)

    @extend_schema(operation_id="upload_cancel", responses=UploadOut)
    def delete(self, request: Request, upload: UUID) -> Response:
        return Response(UploadOut(services.upload_cancel(uuid=upload, by=request.user)).data)


class UploadFinish(APIView):
    """All is sent: have it checked. Ask for the upload until it is accepted or refused."""

    permission = BUILD_AREA

    @extend_schema(operation_id="upload_finish", request=None, responses={202: UploadOut})
    def post(self, request: Request, upload: UUID) -> Response:
        return Response(UploadOut(services.upload_finish(uuid=upload, by=request.user)).data, status=202)


class UseOut(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    job = serializers.IntegerField(allow_null=True, help_text="The open job on the area, if any.")


class AcceptedOut(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="uuid")
    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    owner = serializers.CharField(source="owner.shown_name")
    accepted_at = serializers.DateTimeField(source="finished_at")
    used_by = serializers.SerializerMethodField(help_text="Areas cut from it, or about to be.")

    @extend_schema_field(UseOut(many=True))
    def get_used_by(self, upload: DemUpload) -> list[dict[str, Any]]:
        return [asdict(use) for use in self.context["uses"][upload.pk]]


class AcceptedPageOut(serializers.Serializer[Any]):
    items = AcceptedOut(many=True)
    before = serializers.CharField(allow_blank=True, help_text="Cursor of the newer page; empty when there is none.")
    after = serializers.CharField(allow_blank=True, help_text="Cursor of the older page.")


class UploadsAccepted(APIView):
    """What was uploaded and accepted, by anybody, newest first, and what uses it."""

    permission = BUILD_AREA

    @extend_schema(
        operation_id="uploads_accepted",
        parameters=[OpenApiParameter("after", OpenApiTypes.STR), OpenApiParameter("before", OpenApiTypes.STR)],
        responses=AcceptedPageOut,
    )
    def get(self, request: Request) -> Response:
        asked = {name: request.query_params.get(name, "") for name in ("after", "before")}
        page = keyset_page(removal.uploads_accepted(), order=("-id",), size=PAGE_SIZE, **asked)
        items = AcceptedOut(page.rows, many=True, context={"uses": removal.uploads_uses(page.rows)}).data
        return Response({"items": items, "before": page.before, "after": page.after})


class UploadAccepted(APIView):
    """Remove an accepted upload for good."""

    permission = BUILD_AREA

    @extend_schema(
        operation_id="upload_remove",
        description="409 `in_use` carries the `areas` that are cut from it. Repeating it changes nothing.",
        responses=UploadOut,
    )
    def delete(self, request: Request, upload: UUID) -> Response:
        return Response(UploadOut(removal.upload_remove(uuid=upload, by=request.user)).data)


def _tail(upload: DemUpload) -> dict[str, Any] | None:
    tail = selectors.upload_tail(upload)
    return TailOut(tail).data if tail else None


def _offset(request: Request) -> int:
    given = request.headers.get(OFFSET, "")
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise BadInput(f"Say in the header {OFFSET} where in the file the bytes begin.", code="no_offset")
    return int(given)


def _body(request: Request) -> bytes:
    """The whole body of a chunk. Raises BadInput, before anything is read, for one that is too long or of no length."""
    given = request.META.get("CONTENT_LENGTH") or ""
    if not given.isdecimal() or not 0 < int(given) <= services.CHUNK_BYTES:
        raise BadInput(
            f"Send between 1 and {services.CHUNK_BYTES:,} bytes at once, with their length.", code="chunk_size"
        )
    pieces = bytearray()
    with contextlib.suppress(UnreadablePostError):
        while piece := request.stream.read(min(PIECE, int(given) - len(pieces))):
            pieces += piece
    if len(pieces) != int(given):
        raise BadInput("The connection was cut within a chunk. Send it again.", code="cut_short")
    return bytes(pieces)
