"""The gallery of an area: its tiles as a grid of pairs, filtered, ordered, a page at a time; and the saved views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.forms import Select
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from tiles.core.errors import BadInput, Conflict
from tiles.core.permissions import REVIEW_TILES, VIEW_DATA
from tiles.models import Area, TileClaim, TilePair
from tiles.review import saved, selectors
from tiles.review.claims import claims_of_others
from tiles.review.filters import FROM, ME, NOBODY, ORDERING, TO, TileFilter
from tiles.review.layers import SMALL, layer_url
from tiles.review.marked import marks_of, people_to_assign, words_of
from tiles.review.measures import MEASURES
from tiles.review.present import problem_of, reasons_of

PAGE_SIZE = 60
CHOICES = ("state", "reason", "landform", "flag", "cause", "failure", "decided_by", "flagged", "tag", "assigned")
DAYS = (("Decided", "decided_from", "decided_to"), ("Built", "built_from", "built_to"))


@dataclass(frozen=True)
class Cell:
    """A tile as the grid shows it. preview, heights: addresses, empty where there is no such layer; claim: who else has
    it before them."""

    tile: TilePair
    preview: str
    heights: str
    problem: str
    marks: dict[str, Any]
    claim: TileClaim | None


@require_safe
@ensure_csrf_cookie
@permission_required(VIEW_DATA, raise_exception=True)
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    """One page: the filter's parameters, `order`, and `after` or `before`, the number of a tile."""
    area = selectors.area_by_slug(slug)
    tile_filter = TileFilter(request.GET, queryset=selectors.tiles_of(area=area), by=request.user)
    bounds = {name: _number(request.GET[name]) for name in ("after", "before") if request.GET.get(name)}
    page = selectors.queue_page(tiles=tile_filter.checked(), size=PAGE_SIZE, order=tile_filter.chosen_order, **bounds)
    asked = tile_filter.asked()
    words, people = words_of(area=area), people_to_assign()
    _offer(tile_filter, "tag", [("", "Any or none"), *((word, word) for word in words)])
    names = [(ME, "Me"), (NOBODY, "Nobody"), *((person.username, person.shown_name) for person in people)]
    _offer(tile_filter, "assigned", [("", "Anybody or nobody"), *names])
    marks = marks_of(tiles=page.tiles, by=request.user)
    claimed = claims_of_others(area=area, by=request.user, tile_ids=[tile.pk for tile in page.tiles])
    context: dict[str, Any] = {
        "section": "areas",
        "area": area,
        "filter": tile_filter,
        "chips": tile_filter.chips(),
        "choices": [tile_filter.form[name] for name in CHOICES],
        "days": [(words, tile_filter.form[start], tile_filter.form[end]) for words, start, end in DAYS],
        "measures": _measures(tile_filter),
        "asked": asked,
        "only_order": _only_order(tile_filter),
        "cells": [_cell(tile, slug, marks[tile.pk], claimed.get(tile.pk)) for tile in page.tiles],
        "words": words,
        "people": people,
        "failed": bool(tile_filter.form.cleaned_data.get("failure")),
        "views": saved.views_listed(by=request.user, area=area),
        "reasons": reasons_of(area),
        "can_decide": request.user.has_perm(REVIEW_TILES),
        "page": _page(request, area, tile_filter),
    }
    if page.tiles and page.has_before:
        context["before"] = f"?{asked}&before={page.tiles[0].index}"
    if page.tiles and page.has_after:
        context["after"] = f"?{asked}&after={page.tiles[-1].index}"
    return render(request, "tiles/gallery.html", context)


@require_POST
@permission_required(VIEW_DATA, raise_exception=True)
def views(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the filter and the order by name; answers with the list of views."""
    area = selectors.area_by_slug(slug)
    asked, problem = request.POST, ""
    try:
        saved.view_save(
            area=area,
            name=asked.get("name", ""),
            query=asked.get("query", ""),
            by=request.user,
            shared="shared" in asked,
            everywhere="everywhere" in asked,
        )
    except (BadInput, Conflict) as error:
        problem = error.message
    return _views(request, area, problem)


@require_POST
@permission_required(VIEW_DATA, raise_exception=True)
def view_remove(request: HttpRequest, slug: str, view_id: int) -> HttpResponse:
    """Forget a view of one's own; answers with the list of views."""
    area = selectors.area_by_slug(slug)
    saved.view_remove(view_id=view_id, by=request.user)
    return _views(request, area, "")


def _views(request: HttpRequest, area: Area, problem: str) -> HttpResponse:
    """The list for htmx; for a browser without scripts, the page that it came from."""
    if not request.headers.get("HX-Request"):
        if problem:
            messages.warning(request, problem)
        return redirect(f"{reverse('gallery', args=[area.slug])}?{request.POST.get('query', '')}")
    context = {
        "area": area,
        "views": saved.views_listed(by=request.user, area=area),
        "asked": request.POST.get("query", ""),
        "problem": problem,
    }
    return render(request, "tiles/_gallery_views.html", context)


def _offer(tile_filter: TileFilter, name: str, choices: list[tuple[str, str]]) -> None:
    """Let a field be chosen from a list; what is asked for and not in it, a word that is gone, can be chosen too."""
    asked = tile_filter.data.get(name, "")
    if asked not in dict(choices):
        choices.append((asked, asked))
    tile_filter.form.fields[name].widget = Select(choices=choices)


def _cell(tile: TilePair, slug: str, marks: dict[str, Any], claim: TileClaim | None) -> Cell:
    preview = next((layer_url(tile, name, slug) for name in ("preview", "png") if tile.layer(name)), "")
    heights = layer_url(tile, SMALL, slug) if tile.layer("dem255") else ""
    return Cell(tile, preview, heights, problem_of(tile), marks, claim)


def _measures(tile_filter: TileFilter) -> list[tuple[str, Any, Any]]:
    """(words, lower bound, upper bound) of every measure."""
    form = tile_filter.form
    return [(measure.words, form[measure.column + FROM], form[measure.column + TO]) for measure in MEASURES]


def _only_order(tile_filter: TileFilter) -> str:
    """What is left of the query string when the filter is cleared."""
    return urlencode({name: value for name, value in tile_filter.asked_fields().items() if name in ORDERING})


def _page(request: HttpRequest, area: Area, tile_filter: TileFilter) -> dict[str, Any]:
    """What the page's script needs."""
    user: Any = request.user
    return {
        "area": area.slug,
        "person": user.pk,
        "preferences": user.preferences,
        "filter": tile_filter.asked(order=False),
        "urls": {
            "count": reverse("api-tiles-count", args=[area.slug]),
            "bulk": reverse("api-bulk", args=[area.slug]),
            "marks": reverse("api-marks", args=[area.slug]),
            "undo": reverse("api-bulk-undo", args=[area.slug]),
            "jobs": reverse("api-jobs"),
            "preferences": reverse("api-preferences"),
            "review": reverse("review", args=[area.slug]),
        },
        "reasons": [reason._asdict() for reason in reasons_of(area)],
    }


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadInput(f"{text[:20]!r} is not the number of a tile.")
    return int(text)
