"""Shares of 0..1 as people read them."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """`12 %`, `0.4 %` where whole ones would hide it, `–` where it is unknown."""
    if share is None:
        return "–"
    value = round(100 * share, 1)
    return f"{value} %" if 0 < value < 1 or 99 < value < 100 else f"{value:.0f} %"
