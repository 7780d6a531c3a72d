"""The description of the JSON interface, and its page. For whoever may see the data."""

from __future__ import annotations

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from tiles.core.permissions import VIEW_DATA


class ApiSchema(SpectacularAPIView):
    """The OpenAPI document."""

    permission = VIEW_DATA


class ApiDocs(SpectacularSwaggerSplitView):
    """The OpenAPI document as a page. Split, since the content security policy allows no inline script."""

    permission = VIEW_DATA
    url_name = "api-schema"
