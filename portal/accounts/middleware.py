"""Private by default, and expected failures as answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from tiles.core.database import disk_full
from tiles.core.errors import ApplicationError, DiskFull

logger = logging.getLogger(__name__)


def wants_json(request: HttpRequest) -> bool:
    """Whether a script asked: it must never get a page, or a redirect to one, that looks like success."""
    return (
        request.path.startswith("/api/")
        or bool(request.headers.get("HX-Request"))
        or request.headers.get("X-Requested-With") == "fetch"
        or request.headers.get("Accept", "").startswith("application/json")
    )


class SignInRequired(LoginRequiredMiddleware):
    """Every view needs sign-in unless it is marked `login_not_required`; a script gets 401."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        if wants_json(request):
            return JsonResponse(
                {"code": "not_authenticated", "message": "You are signed out. Sign in again."}, status=401
            )
        return super().handle_no_permission(request, view_func)


def no_room(request: HttpRequest, error: DiskFull) -> HttpResponse:
    """The database's disk is full. A page that asks the database for nothing, for it may not answer at all."""
    logger.error("The disk under the database is full: %s was not answered.", request.path)
    if wants_json(request):
        return JsonResponse({"code": error.code, "message": error.message}, status=error.status)
    return HttpResponse(render_to_string("507.html", {"message": error.message}), status=error.status)


class ExpectedErrors:
    """An `ApplicationError` out of a page's view becomes that page's error, or JSON for a script.

    So does a full disk under the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        full = disk_full(error)
        if full:
            return no_room(request, full)
        if not isinstance(error, ApplicationError):
            return None
        headers = {"Retry-After": str(error.extra["retry_after"])} if "retry_after" in error.extra else {}
        if wants_json(request):
            body = {"code": error.code, "message": error.message, **error.extra}
            return JsonResponse(body, status=error.status, headers=headers)
        answer = render(request, "error.html", {"status": error.status, "message": error.message}, status=error.status)
        for name, value in headers.items():
            answer[name] = value
        return answer
