"""Failures outside any view of ours: a page for a person, JSON for a script."""

from __future__ import annotations

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults

from portal.accounts.middleware import no_room, wants_json
from tiles.core.database import disk_full

BAD_REQUEST = "The server could not make sense of this. Go back, reload the page, and try again."
NOT_ALLOWED = "You are not allowed to do this. Ask an administrator for the role that may."
NOT_FOUND = "There is nothing at this address. It may have been renamed or removed."
BROKEN = "Something broke here. What was confirmed is stored. Try again; when it breaks again, tell who runs this site."


def csrf_failure(request: HttpRequest, **_reason: str) -> HttpResponse:
    """A form that was open since before a sign-out: say so, instead of "CSRF"."""
    message = "This page is older than your sign-in. Go back, reload it, and try again."
    if wants_json(request):
        return _json("csrf", message, 403)
    return render(request, "error.html", {"status": 403, "message": message}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 Django names it
    """What Django refuses to read: too large, or too many fields."""
    if wants_json(request):
        return _json("bad_request", BAD_REQUEST, 400)
    return render(request, "error.html", {"status": 400, "message": BAD_REQUEST}, status=400)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page's `permission_required` said no."""
    if wants_json(request):
        return _json("not_allowed", NOT_ALLOWED, 403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such address, or no such thing at it."""
    if wants_json(request):
        return _json("not_found", NOT_FOUND, 404)
    return defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    """A fault of ours. The traceback is in the log. Or a full disk, where no view was under way."""
    full = disk_full(sys.exc_info()[1])
    if full:
        return no_room(request, full)
    if wants_json(request):
        return _json("broken", BROKEN, 500)
    return defaults.server_error(request)


def _json(code: str, message: str, status: int) -> JsonResponse:
    body: dict[str, Any] = {"code": code, "message": message}
    return JsonResponse(body, status=status)
