"""What people noted about tiles, read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model

from tiles.core.permissions import REVIEW_TILES
from tiles.models import Area, Tag, TileComment, TileFlag, TilePair, TileTag

from .present import tiles_payload

COMMENTS_A_PAGE = 500


def tiles_payload_marked(*, tiles: Sequence[TilePair], slug: str, by: Any) -> list[dict[str, Any]]:
    """Tiles as the review page takes them, each with its `marks` as this person sees them; as many queries however
    many tiles there are. Comments come newest first, and of a page's tiles together at most COMMENTS_A_PAGE."""
    marks = marks_of(tiles=tiles, by=by)
    return [
        {**payload, "marks": marks[tile.pk]} for tile, payload in zip(tiles, tiles_payload(tiles, slug), strict=True)
    ]


def marks_of(*, tiles: Sequence[TilePair], by: Any) -> dict[int, dict[str, Any]]:
    """tile id -> {flagged, tags, assigned, comments}. `tile.assigned_to` is loaded."""
    ids = [tile.pk for tile in tiles]
    flagged = set(TileFlag.objects.filter(by=by, tile__in=ids).values_list("tile_id", flat=True))
    marks: dict[int, dict[str, Any]] = {
        tile.pk: {
            "flagged": tile.pk in flagged,
            "tags": [],
            "assigned": tile.assigned_to.shown_name if tile.assigned_to else "",
            "comments": [],
        }
        for tile in tiles
    }
    for tile_id, word in TileTag.objects.filter(tile__in=ids).order_by("tag__word").values_list("tile_id", "tag__word"):
        marks[tile_id]["tags"].append(word)
    comments = TileComment.objects.filter(tile__in=ids).select_related("by").order_by("-id")
    for comment in comments[:COMMENTS_A_PAGE]:
        marks[comment.tile_id]["comments"].append(comment_payload(comment))
    return marks


def comment_payload(comment: TileComment) -> dict[str, Any]:
    return {"by": comment.by.shown_name, "at": comment.at.isoformat(), "text": comment.text}


def words_of(*, area: Area) -> list[str]:
    """The tags of an area; there are never many."""
    return list(Tag.objects.filter(area=area).order_by("word").values_list("word", flat=True))


def people_to_assign() -> list[Any]:
    """Who may review, by name."""
    people = get_user_model().objects.with_perm(
        REVIEW_TILES, backend="django.contrib.auth.backends.ModelBackend", include_superusers=True
    )
    return list(people.filter(is_active=True).order_by("username"))
