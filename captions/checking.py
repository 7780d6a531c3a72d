"""Running the checks over captions, keeping what they find, and people dismissing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from tiles.core.errors import NotFound
from tiles.core.permissions import RECTIFY_CAPTIONS, require
from tiles.models import Area

from .checks.base import MOST_WORDS, Checked, Found, Rival, check_facts_of
from .checks.catalogue import doubt_of, findings_of
from .checks.rivals import MANY, disagreement, likeness_of, rival_of
from .models import Caption, CaptionRevision, CaptionSettings, Finding, Proposal
from .wanted import settings_of

BATCH = 500
FINDING_GONE = "This finding is gone: the caption was changed or checked anew. Reload the page."
_SENTENCE_END = re.compile(r"[.!?;\n]")
_KEPT = ("start", "message", "severity", "around", "dismissed_by", "dismissed_at")


@dataclass(frozen=True)
class _Beside:
    """What is known beside a batch of captions, by their keys."""

    wanted: Mapping[int, CaptionSettings]
    alike: Mapping[int, int]
    rivals: Mapping[int, tuple[Rival, ...]]
    confidence: Mapping[int, float]
    standing: Mapping[int, dict[tuple[str, str], Finding]]


def captions_check(captions: Sequence[Caption]) -> None:
    """Check captions that were just written, keep their findings, and set their doubt.

    Inside the transaction that locked or made them, with `tile.area` loaded, after their newest revisions. The same
    few queries however many they are.
    """
    if not captions:
        return
    _likenesses_keep(captions)
    beside = _beside(captions)
    new: list[Finding] = []
    changed: list[Finding] = []
    gone: list[int] = []
    doubted = []
    for caption in captions:
        checked = _checked(caption, beside)
        standing = beside.standing.get(caption.pk, {})
        findings = [_merged(caption, found, standing) for found in findings_of(checked)]
        new += [finding for finding, _moved in findings if finding.pk is None]
        changed += [finding for finding, moved in findings if moved]
        held = {finding.pk for finding, _moved in findings}
        gone += [finding.pk for finding in standing.values() if finding.pk not in held]
        before, caption.doubt = (
            caption.doubt,
            _doubt(caption, checked, [finding for finding, _moved in findings], beside),
        )
        if caption.doubt != before:
            doubted.append(caption)
    # Gone ones first: another of the same words may take their place.
    if gone:
        Finding.objects.filter(pk__in=gone).delete()
    Finding.objects.bulk_create(new)
    Finding.objects.bulk_update(changed, _KEPT)
    Caption.objects.bulk_update(doubted, ["doubt"])


def caption_check(caption: Caption) -> list[Finding]:
    """`captions_check` of one; returns what was found, the most severe first, dismissed ones too."""
    captions_check([caption])
    return list(caption.findings.all())


def captions_check_tiles(*, tile_ids: Iterable[int]) -> int:
    """Check the captions of tiles whose measures changed; returns how many there are. Safe to repeat."""
    with transaction.atomic():
        captions = list(_locked().filter(tile_id__in=list(tile_ids)).order_by("pk"))
        captions_check(captions)
    return len(captions)


def captions_recheck(*, area: Area, step: Callable[[int], None] = lambda _count: None) -> int:
    """Check every caption of an area anew; returns how many there are. A batch a transaction, safe to repeat.

    step is told of every batch.
    """
    total, last = 0, 0
    while True:
        with transaction.atomic():
            captions = list(_locked().filter(area=area, pk__gt=last).order_by("pk")[:BATCH])
            captions_check(captions)
        if not captions:
            return total
        total, last = total + len(captions), captions[-1].pk
        step(len(captions))


def finding_dismiss(*, tile_id: int, finding_id: int, by: Any) -> Caption:
    """Say that a finding is none. It is not found again while its words and their sentence stay.

    Dismissing twice keeps the first. Raises NotAllowed, and NotFound when the finding is gone.
    """
    return _finding_mark(tile_id, finding_id, by, dismissed=True)


def finding_restore(*, tile_id: int, finding_id: int, by: Any) -> Caption:
    """Let a dismissed finding count again. Raises NotAllowed, and NotFound when the finding is gone."""
    return _finding_mark(tile_id, finding_id, by, dismissed=False)


def _finding_mark(tile_id: int, finding_id: int, by: Any, *, dismissed: bool) -> Caption:
    require(by, RECTIFY_CAPTIONS)
    with transaction.atomic():
        caption = _locked().filter(tile_id=tile_id).first()
        finding = caption and caption.findings.filter(pk=finding_id).first()
        if caption is None or finding is None:
            raise NotFound(FINDING_GONE, code="finding_gone")
        if dismissed != (finding.dismissed_at is not None):
            finding.dismissed_by, finding.dismissed_at = (by, timezone.now()) if dismissed else (None, None)
            finding.save(update_fields=["dismissed_by", "dismissed_at"])
            captions_check([caption])
    return caption


def _locked() -> Any:
    return Caption.objects.select_for_update(of=("self",)).select_related("tile__area")


def _likenesses_keep(captions: Sequence[Caption]) -> None:
    moved = []
    for caption in captions:
        before, caption.likeness = caption.likeness, likeness_of(caption.text)
        if caption.likeness != before:
            moved.append(caption)
    Caption.objects.bulk_update(moved, ["likeness"])


def _beside(captions: Sequence[Caption]) -> _Beside:
    keys = [caption.pk for caption in captions]
    # A person has the last word: rivals and confidence say something of machines' texts only.
    machines = [caption for caption in captions if caption.author_id is None]
    standing: dict[int, dict[tuple[str, str], Finding]] = {}
    for finding in Finding.objects.filter(caption_id__in=keys):
        standing.setdefault(finding.caption_id, {})[(finding.code, finding.words)] = finding
    return _Beside(
        wanted=settings_of(caption.area_id for caption in captions),
        alike=_alike(captions),
        rivals=_rivals(machines),
        confidence=_confidences(machines),
        standing=standing,
    )


def _alike(captions: Sequence[Caption]) -> dict[int, int]:
    """Caption -> how many others of its area say the same; counts no further than MANY."""
    wanted = sorted({(caption.area_id, caption.likeness) for caption in captions})
    counts: dict[tuple[int, int], int] = {}
    with connection.cursor() as cursor:
        for at in range(0, len(wanted), BATCH):
            pairs = wanted[at : at + BATCH]
            rows = " UNION ALL ".join(["SELECT %s AS area, %s AS likeness"] * len(pairs))
            cursor.execute(
                f"SELECT w.area, w.likeness, (SELECT count(*) FROM (SELECT 1 FROM captions_caption c "  # noqa: S608 - no text
                f"WHERE c.area_id = w.area AND c.likeness = w.likeness LIMIT {MANY + 1}) n) "
                f"FROM ({rows}) w",
                [value for pair in pairs for value in pair],
            )
            counts |= {(area, likeness): number for area, likeness, number in cursor.fetchall()}
    return {caption.pk: counts[caption.area_id, caption.likeness] - 1 for caption in captions}


def _rivals(captions: Sequence[Caption]) -> dict[int, tuple[Rival, ...]]:
    """Caption -> the newest proposal of every other captioner."""
    origins = {caption.tile_id: caption.origin for caption in captions}
    newest: dict[tuple[int, str], Proposal] = {}
    for proposal in (
        Proposal.objects.filter(tile_id__in=list(origins))
        .order_by("id")
        .only("tile_id", "captioner", "text", "components")
    ):
        newest[proposal.tile_id, proposal.captioner] = proposal
    rivals: dict[int, list[Rival]] = {}
    for (tile, captioner), proposal in newest.items():
        if captioner != origins[tile]:
            rival = rival_of(captioner, proposal.text, proposal.components.get("terms") or ())
            rivals.setdefault(tile, []).append(rival)
    return {caption.pk: tuple(rivals.get(caption.tile_id, ())) for caption in captions}


def _confidences(captions: Sequence[Caption]) -> dict[int, float]:
    """Caption -> what its captioner said of its own certainty, where it did."""
    rows = CaptionRevision.objects.filter(
        caption__in=[caption.pk for caption in captions], number=F("caption__version")
    )
    values = rows.values_list("caption_id", "proposal__confidence", "provenance__confidence")
    found = {key: proposed if proposed is not None else said for key, proposed, said in values}
    return {key: float(value) for key, value in found.items() if isinstance(value, int | float)}


def _checked(caption: Caption, beside: _Beside) -> Checked:
    wanted = beside.wanted[caption.area_id]
    return Checked(
        text=caption.text,
        facts=check_facts_of(caption.tile),
        prompt=caption.prompt,
        components=caption.components,
        low_limit=wanted.low_limit,
        banned=tuple(wanted.banned),
        language=wanted.language,
        rivals=beside.rivals.get(caption.pk, ()),
        alike=beside.alike[caption.pk],
    )


def _merged(caption: Caption, found: Found, standing: Mapping[tuple[str, str], Finding]) -> tuple[Finding, bool]:
    """The row of a finding, and whether it stood there and changes."""
    around = _around(caption.text, found)
    words = found.words[:MOST_WORDS]
    row = standing.get((found.code, words))
    if row is None:
        return Finding(
            caption=caption,
            area_id=caption.area_id,
            code=found.code,
            words=words,
            start=found.start,
            message=found.message,
            severity=found.severity,
            around=around,
        ), False
    before = [getattr(row, name) for name in _KEPT]
    if row.around != around:
        row.dismissed_by, row.dismissed_at = None, None
    row.start, row.message, row.severity, row.around = found.start, found.message, found.severity, around
    return row, before != [getattr(row, name) for name in _KEPT]


def _around(text: str, found: Found) -> str:
    """A short digest of the sentence that holds the words, or of the whole text."""
    sentence = text
    if found.start is not None:
        ends = [match.end() for match in _SENTENCE_END.finditer(text)]
        begin = max((end for end in ends if end <= found.start), default=0)
        until = min((end for end in ends if end >= found.start + len(found.words)), default=len(text))
        sentence = text[begin:until]
    return sha256(" ".join(sentence.lower().split()).encode()).hexdigest()[:16]


def _doubt(caption: Caption, checked: Checked, findings: Sequence[Finding], beside: _Beside) -> float:
    return doubt_of(
        (finding.severity for finding in findings if finding.dismissed_at is None),
        confidence=beside.confidence.get(caption.pk),
        disagreement=disagreement(checked),
    )
