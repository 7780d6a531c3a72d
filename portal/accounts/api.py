"""JSON of what the pages remember of a person."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tiles.core.errors import BadInput
from tiles.core.permissions import VIEW_DATA

from .services import preferences_update


class Preferences(APIView):
    """One's own keys, layers and other habits. Each person sees and changes only their own."""

    permission = VIEW_DATA

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        person: Any = request.user
        return Response(person.preferences)

    @extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
    def patch(self, request: Request) -> Response:
        """Change some by name; null forgets one."""
        changes: Any = request.data
        if not isinstance(changes, dict):
            raise BadInput("Send an object: name of the preference, and its new value.")
        person: Any = request.user
        return Response(preferences_update(user=person, changes=changes))
