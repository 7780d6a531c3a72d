"""Every read of captions that is more than one row by its key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Prefetch, QuerySet

from tiles.core.paging import Page, keyset_page
from tiles.models import TilePair
from tiles.models.choices import BuildState
from tiles.review.selectors import area_by_slug, tile_by_index

from .checks.catalogue import LABELS
from .diff import word_diff
from .models import Caption, CaptionRevision, Finding, Reading

MOST_AT_ONCE = 100
PAGE_SIZE = 50
HISTORY_SIZE = 20
_FINDINGS = Prefetch("findings", queryset=Finding.objects.select_related("dismissed_by"))


def tile_of(slug: str, index: int) -> TilePair:
    """A tile by its area and number, with its area. Raises NotFound."""
    area = area_by_slug(slug)
    tile = tile_by_index(area=area, index=index)
    tile.area = area
    return tile


def caption_facts(caption: Caption | None) -> dict[str, Any]:
    """What a page shows of a caption, its findings too. Version 0 where there is none yet."""
    if caption is None:
        return {
            "version": 0,
            "text": "",
            "origin": "",
            "author": None,
            "at": None,
            "components": {},
            "prompt": "",
            "state": Reading.UNREAD.value,
            "flagged": False,
            "doubt": 0.0,
            "findings": [],
        }
    return {
        "version": caption.version,
        "text": caption.text,
        "origin": caption.origin,
        "author": caption.author.shown_name if caption.author else None,
        "at": caption.updated_at,
        "components": caption.components,
        "prompt": caption.prompt,
        "state": caption.state,
        "flagged": caption.flagged,
        "doubt": caption.doubt,
        "findings": [_finding_facts(finding) for finding in caption.findings.all()],
    }


def _finding_facts(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.pk,
        "code": finding.code,
        "title": LABELS.get(finding.code, finding.code),
        "words": finding.words,
        "start": finding.start,
        "message": finding.message,
        "severity": finding.severity,
        "dismissed_by": finding.dismissed_by.shown_name if finding.dismissed_by else None,
        "dismissed_at": finding.dismissed_at,
    }


def caption_of(tile: TilePair) -> dict[str, Any]:
    """`caption_facts` of one tile, with its index."""
    caption = _with_findings().filter(tile=tile).first()
    return {"index": tile.index, **caption_facts(caption)}


def captions_of(*, slug: str, indexes: Iterable[int]) -> list[dict[str, Any]]:
    """`caption_of` for many tiles of one area; tiles that do not exist are left out. Raises NotFound for the area."""
    wanted = list(indexes)
    tiles = TilePair.objects.filter(area=area_by_slug(slug), index__in=wanted)
    index_of = dict(tiles.order_by("index").values_list("pk", "index"))
    captions = {caption.tile_id: caption for caption in _with_findings().filter(tile_id__in=list(index_of))}
    return [{"index": index, **caption_facts(captions.get(pk))} for pk, index in index_of.items()]


def _with_findings() -> QuerySet[Caption]:
    return Caption.objects.select_related("author").prefetch_related(_FINDINGS)


def newest_revisions(tile_ids: Iterable[int]) -> dict[int, CaptionRevision]:
    """tile id -> the revision that is its caption now; for freezing into a release."""
    revisions = CaptionRevision.objects.filter(caption__tile_id__in=list(tile_ids), number=F("caption__version"))
    return {revision.caption.tile_id: revision for revision in revisions.select_related("caption")}


def captions_listed() -> QuerySet[Caption]:
    """All captions with what a list shows of them; to be filtered, then paged by `captions_page`."""
    rows = Caption.objects.select_related("area", "author", "tile").prefetch_related(_FINDINGS)
    return rows.only(
        "text",
        "components",
        "prompt",
        "state",
        "flagged",
        "doubt",
        "version",
        "origin",
        "updated_at",
        "area__slug",
        "area__name",
        "area__synthetic",
        "author__username",
        "author__display_name",
        "author__first_name",
        "author__last_name",
        "tile__index",
        "tile__area_id",
        "tile__layers",
    )


def captions_page(rows: QuerySet[Caption], *, after: str = "", before: str = "") -> Page[Caption]:
    """A page of captions, newest first. Counts nothing."""
    return keyset_page(rows, order=("-updated_at", "-id"), size=PAGE_SIZE, after=after, before=before)


def findings_page(
    *, code: str, area: int | None = None, state: str = "", after: str = "", before: str = ""
) -> Page[Finding]:
    """A page of the findings of one code that nobody dismissed, the newest captions first. Counts nothing.

    Findings rather than captions, since these are what the index holds: however rare a code is, no caption without it
    is looked at.
    """
    rows = Finding.objects.filter(code=code, dismissed_at__isnull=True)
    if area is not None:
        rows = rows.filter(area_id=area)
    if state:
        rows = rows.filter(caption__state=state)
    rows = rows.prefetch_related(Prefetch("caption", queryset=captions_listed()))
    return keyset_page(rows, order=("-caption_id", "-id"), size=PAGE_SIZE, after=after, before=before)


def caption_history(tile: TilePair, *, below: int | None = None) -> dict[str, Any]:
    """Revisions of a tile's caption, newest first, each with the word diff from the one before it.

    `below`: only numbers smaller than this; the answer's `next` is the value for the following page, or None.
    """
    rows = CaptionRevision.objects.filter(caption__tile=tile).select_related("author", "restores").order_by("-number")
    if below is not None:
        rows = rows.filter(number__lt=below)
    found = list(rows[: HISTORY_SIZE + 1])
    shown = list(zip(found, [*found[1:], None], strict=False))[:HISTORY_SIZE]
    return {
        "revisions": [_revision_facts(revision, earlier) for revision, earlier in shown],
        "next": shown[-1][0].number if len(found) > HISTORY_SIZE else None,
    }


def _revision_facts(revision: CaptionRevision, earlier: CaptionRevision | None) -> dict[str, Any]:
    return {
        "number": revision.number,
        "text": revision.text,
        "origin": revision.origin,
        "author": revision.author.shown_name if revision.author else None,
        "at": revision.at,
        "restores": revision.restores.number if revision.restores else None,
        "diff": word_diff(earlier.text if earlier else "", revision.text),
    }


def neighbours(tile: TilePair) -> tuple[int | None, int | None]:
    """Indexes of the built tiles before and after this one in its area."""
    built = TilePair.objects.filter(area_id=tile.area_id, build_state=BuildState.BUILT)
    before = built.filter(index__lt=tile.index).order_by("-index").values_list("index", flat=True).first()
    after = built.filter(index__gt=tile.index).order_by("index").values_list("index", flat=True).first()
    return before, after
