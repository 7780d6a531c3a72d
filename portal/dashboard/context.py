"""What the header of every page shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from tiles.models import Job


def header(request: HttpRequest) -> dict[str, Any]:
    """`running_jobs`: how many jobs run or wait. One indexed count, only for those who see the header."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    return {"running_jobs": Job.objects.filter(state__in=Job.WORKABLE).count}
