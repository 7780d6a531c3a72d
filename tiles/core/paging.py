"""Keyset paging: the cost of a page does not grow with its number."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

from .errors import BadInput

M = TypeVar("M", bound=Model)
DAMAGED = "This page link is damaged. Go back to the first page."


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows of one page and the cursors around it; a cursor is empty where there is nothing more."""

    rows: list[M]
    before: str
    after: str


def keyset_page(rows: QuerySet[M], *, order: Sequence[str], size: int, after: str = "", before: str = "") -> Page[M]:
    """One page of `rows` in `order` (field names, `-` for descending, the last one unique).

    `after` and `before` are cursors of an earlier page. Fields must not be null. Reads `size` + 1
    rows and counts nothing. Raises BadInput for a cursor that is not one of ours.
    """
    backwards = bool(before)
    cursor = before or after
    direction = [_flip(name) for name in order] if backwards else list(order)
    if cursor:
        try:
            rows = rows.filter(_beyond(direction, _decode(cursor, len(order))))
        except (ValueError, TypeError, ValidationError) as error:  # not what the columns hold
            raise BadInput(DAMAGED) from error
    found = list(rows.order_by(*direction)[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    has_before = more if backwards else bool(cursor)
    has_after = True if backwards else more
    return Page(
        rows=found,
        before=_encode(found[0], order) if found and has_before else "",
        after=_encode(found[-1], order) if found and has_after else "",
    )


def cursor_behind(row: Model, order: Sequence[str]) -> str:
    """The `after` of a page that goes on behind this row."""
    return _encode(row, order)


def _flip(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _beyond(order: Sequence[str], values: Sequence[Any]) -> Q:
    """(a, b) > (x, y) spelled out, since fields may differ in direction."""
    condition = Q()
    equal: dict[str, Any] = {}
    for name, value in zip(order, values, strict=True):
        field = name.lstrip("-")
        step = {f"{field}__{'lt' if name.startswith('-') else 'gt'}": value}
        condition |= Q(**equal, **step)
        equal[field] = value
    return condition


def _encode(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, name.lstrip("-")) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def _decode(cursor: str, length: int) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        values = None
    if not isinstance(values, list) or len(values) != length or any(isinstance(v, list | dict) for v in values):
        raise BadInput(DAMAGED)
    return values
