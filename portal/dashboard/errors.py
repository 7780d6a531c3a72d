"""Failures outside any view of ours."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from portal.accounts.middleware import wants_json


def csrf_failure(request: HttpRequest, **_reason: str) -> HttpResponse:
    """A form that was open since before a sign-out: say so, instead of "CSRF"."""
    message = "This page is older than your sign-in. Go back, reload it, and try again."
    if wants_json(request):
        return JsonResponse({"code": "csrf", "message": message}, status=403)
    return render(request, "error.html", {"status": 403, "message": message}, status=403)
