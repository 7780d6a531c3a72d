"""Every address of the site. Each app brings its pages and its JSON; JSON lies under /api/v1/."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

import captions.urls
import portal.accounts.urls
import portal.dashboard.urls
import portal.exports.urls
import tiles.urls

APPS = (portal.accounts.urls, portal.dashboard.urls, tiles.urls, captions.urls, portal.exports.urls)

urlpatterns = [
    path("admin/", admin.site.urls),
    *[pattern for app in APPS for pattern in app.urlpatterns],
    path("api/v1/", include([pattern for app in APPS for pattern in app.api_urlpatterns])),
]

handler400 = "portal.dashboard.errors.bad_request"
handler403 = "portal.dashboard.errors.not_allowed"
handler404 = "portal.dashboard.errors.not_found"
handler500 = "portal.dashboard.errors.broken"
