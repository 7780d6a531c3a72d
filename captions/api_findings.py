"""JSON of findings: saying that one is none, and taking that back."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.permissions import RECTIFY_CAPTIONS

from . import selectors
from .api import CaptionOut
from .checking import finding_dismiss, finding_restore


class FindingDismiss(APIView):
    """A person says that a finding is none. Repeating it changes nothing."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(operation_id="finding_dismiss", request=None, responses=CaptionOut)
    def post(self, request: Request, slug: str, index: int, finding: int) -> Response:
        tile = selectors.tile_of(slug, index)
        finding_dismiss(tile_id=tile.pk, finding_id=finding, by=request.user)
        return Response(selectors.caption_of(tile))


class FindingRestore(APIView):
    """A dismissed finding counts again. Repeating it changes nothing."""

    permission = RECTIFY_CAPTIONS

    @extend_schema(operation_id="finding_restore", request=None, responses=CaptionOut)
    def post(self, request: Request, slug: str, index: int, finding: int) -> Response:
        tile = selectors.tile_of(slug, index)
        finding_restore(tile_id=tile.pk, finding_id=finding, by=request.user)
        return Response(selectors.caption_of(tile))
