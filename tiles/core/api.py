"""What every JSON endpoint shares: sign-in answers, errors as JSON, keyset pages."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework import authentication, exceptions, parsers, views
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from .errors import ApplicationError

PERSON_HEADER = "X-Demeter-Person"
OTHER_PERSON = "Somebody else is signed in on this browser now. Sign in as yourself to send what you did."


class OtherPerson(ApplicationError):
    """The session belongs to somebody else than the page that sends."""

    code = "other_person"
    status = 401


class SessionAuthentication(authentication.SessionAuthentication):
    """Sessions, with 401 and not 403 for someone who is not signed in."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class JSONParser(parsers.JSONParser):
    """JSON, with 400 for a body that is nested deeper than Python follows."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("JSON parse error - nested too deeply.") from error


class HasPermission(BasePermission):
    """Needs the permission that the view names in `permission`. A view without one lets nobody in.

    What a page names its person with must be sent by that person: work that one left unsent is not recorded as
    another's who signed in on the same browser. Raises OtherPerson.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        named = request.headers.get(PERSON_HEADER, "")
        signed_in = request.user.is_authenticated and request.method not in SAFE_METHODS
        if named and signed_in and named != str(request.user.pk):
            raise OtherPerson(OTHER_PERSON)
        needed = getattr(view, "permission", None)
        return bool(needed and request.user.is_authenticated and request.user.has_perm(needed))


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every failure as `{"code", "message", ...}`."""
    if isinstance(error, ApplicationError):
        return Response({"code": error.code, "message": error.message, **error.extra}, status=error.status)
    response = views.exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        body = {"code": "bad_input", "message": "Some fields are wrong.", "fields": response.data}
    elif isinstance(error, exceptions.NotAuthenticated):
        body = {"code": "not_authenticated", "message": "You are signed out. Sign in again."}
    elif isinstance(error, Http404):
        body = {"code": "not_found", "message": "There is no such thing here."}
    else:
        detail = getattr(error, "detail", "")
        body = {"code": getattr(detail, "code", "error"), "message": str(detail)}
    response.data = body
    return response
