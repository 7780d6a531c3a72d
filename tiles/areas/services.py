"""Writing areas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from tiles.core.errors import BadInput
from tiles.core.permissions import BUILD_AREA, require
from tiles.models import Area, AreaCounter
from tiles.models.choices import REASON_BY_CODE

from .selectors import counters_recounted

DESCRIBED = (
    "name",
    "description",
    "licence",
    "attribution",
    "vertical_datum",
    "surface",
    "satellite",
    "dem_from",
    "dem_to",
    "imagery_from",
    "imagery_to",
    "dem_gsd",
    "imagery_gsd",
    "reasons",
)
"""What may be changed after a build. Not what pixels depend on: tile size, limits, the height unit."""


@transaction.atomic
def area_describe(*, area_id: int, changes: Mapping[str, Any], by: Any) -> Area:
    """Change what an area says of itself. Raises NotAllowed, BadInput."""
    require(by, BUILD_AREA)
    area = Area.objects.select_for_update().get(pk=area_id)
    for name, value in changes.items():
        if name not in DESCRIBED:
            raise BadInput(f"{name} cannot be changed after the build.")
        setattr(area, name, value)
    unknown = set(area.reasons) - set(REASON_BY_CODE)
    if unknown or not area.reasons:
        raise BadInput("An area needs at least one reason to reject, from the list.")
    try:
        area.full_clean()
    except ValidationError as error:
        raise BadInput(" ".join(error.messages)) from error
    area.save()
    return area


@transaction.atomic
def area_recount(*, area: Area) -> dict[str, tuple[int, int]]:
    """Set the counters to what the tiles say. Returns what was wrong: name -> (counter, tiles)."""
    Area.objects.select_for_update().get(pk=area.pk)
    said = {counter.name: counter.value for counter in AreaCounter.objects.filter(area=area)}
    true = counters_recounted(area)
    wrong = {
        name: (said.get(name, 0), true.get(name, 0))
        for name in sorted({*said, *true})
        if said.get(name, 0) != true.get(name, 0)
    }
    AreaCounter.objects.add(area.pk, {name: now - before for name, (before, now) in wrong.items()})
    return wrong
