"""The description of the JSON interface, and its page. For whoever may see the data."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from tiles.core.permissions import VIEW_DATA


class SessionCookie(OpenApiAuthenticationExtension):
    """How the document says that one is signed in: by the session's cookie."""

    target_class = "tiles.core.api.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class ApiSchema(SpectacularAPIView):
    """The OpenAPI document."""

    permission = VIEW_DATA


class ApiDocs(SpectacularSwaggerSplitView):
    """The OpenAPI document as a page. Split, since the content security policy allows no inline script."""

    permission = VIEW_DATA
    url_name = "api-schema"
