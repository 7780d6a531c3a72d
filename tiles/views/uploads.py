"""The page of elevation models that were uploaded and accepted."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from tiles.core.errors import Conflict
from tiles.core.paging import keyset_page
from tiles.core.permissions import BUILD_AREA
from tiles.uploads.removal import upload_remove, uploads_accepted, uploads_uses

PAGE_SIZE = 50


@require_safe
@permission_required(BUILD_AREA, raise_exception=True)
def uploads(request: HttpRequest) -> HttpResponse:
    """Name, size, date, sender, and what uses each; newest first."""
    asked = {name: request.GET.get(name, "") for name in ("after", "before")}
    page = keyset_page(uploads_accepted(), order=("-id",), size=PAGE_SIZE, **asked)
    uses = uploads_uses(page.rows)
    rows = [(upload, uses[upload.pk]) for upload in page.rows]
    return render(request, "tiles/uploads.html", {"section": "areas", "page": page, "rows": rows})


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def remove(request: HttpRequest, upload: UUID) -> HttpResponse:
    """Remove one, and say so; or say what still uses it."""
    try:
        removed = upload_remove(uuid=upload, by=request.user)
    except Conflict as error:  # an area took it while the page was open
        messages.warning(request, error.message)
    else:
        messages.success(request, f"{removed.name} is removed.")
    return redirect("uploads")
