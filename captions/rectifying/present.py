"""Captions as the page shows them on which they are rectified: all that a key may ask for comes ahead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from captions.components import composed, override_is_stale, prompt_of
from captions.diff import word_diff
from captions.models import Caption, CaptionReading, CaptionRevision, CaptionSettings, Finding, Instruction, Proposal
from captions.wanted import settings_of
from tiles.models import Area, TilePair
from tiles.review.present import tile_payload

from .drafts import drafts_of

EMPTY: dict[str, Any] = {"terms": [], "category": "", "weather": ""}


def captions_payload(*, captions: Sequence[Caption], area: Area, by: Any) -> list[dict[str, Any]]:
    """Captions of one area with their tiles, findings, rivals, machine's texts and this person's drafts.

    The same few queries however many they are; `captions_readable` loads what they need.
    """
    keys, tile_ids = [caption.pk for caption in captions], [caption.tile_id for caption in captions]
    wanted = settings_of([area.pk])[area.pk]
    machines, findings = _machines(keys), _findings(keys)
    rivals, drafts = _rivals(tile_ids), drafts_of(tile_ids=tile_ids, by=by)
    payloads = []
    for caption in captions:
        machine = machines.get(caption.pk)
        payloads.append(
            {
                **tile_payload(caption.tile, area.slug),
                "caption": {
                    **_facts(caption, by),
                    **preview(
                        tile=caption.tile,
                        wanted=wanted,
                        text=caption.text,
                        components=caption.components,
                        machine=machine["text"] if machine else None,
                    ),
                    "findings": findings[caption.pk],
                    "machine": machine,
                    "rivals": [rival for rival in rivals[caption.tile_id] if rival["text"] != caption.text],
                    "draft": drafts.get(caption.tile_id),
                },
            }
        )
    return payloads


def preview(
    *, tile: TilePair, wanted: CaptionSettings, text: str, components: Mapping[str, Any], machine: str | None
) -> dict[str, Any]:
    """What a text and components would compose, whether a prompt by hand holds, the diff from the machine's."""
    made = composed(text=text, components=components, tile=tile, wanted=wanted)
    stale = override_is_stale(text=text, components=components, tile=tile, wanted=wanted)
    return {
        "prompt": prompt_of(text=text, components=components, tile=tile, wanted=wanted),
        "composed": made,
        "stale": stale,
        "diff": [] if machine is None else word_diff(machine, text),
    }


def machine_text(*, tile_id: int) -> str | None:
    """The newest words that no person wrote or restored, or None."""
    rows = CaptionRevision.objects.filter(caption__tile_id=tile_id, author__isnull=True)
    return rows.order_by("-number").values_list("text", flat=True).first()


def reading_payload(entry: CaptionReading) -> dict[str, Any]:
    """What became of a caption by an entry of the log. `entry.caption` is loaded."""
    return {
        "client_id": str(entry.client_id),
        "verb": entry.verb,
        "version": entry.version,
        "state": entry.caption.state,
        "flagged": entry.caption.flagged,
    }


def terms_offered(*, area: Area) -> list[str]:
    """The terms that the area's newest instruction lets an answer choose from."""
    terms = Instruction.objects.filter(area=area).order_by("-number").values_list("terms", flat=True).first()
    return list(terms or ())


def _facts(caption: Caption, by: Any) -> dict[str, Any]:
    return {
        "index": caption.tile.index,
        "version": caption.version,
        "text": caption.text,
        "components": EMPTY | caption.components,
        "origin": caption.origin,
        "author": caption.author.shown_name if caption.author else None,
        "at": caption.updated_at,
        "state": caption.state,
        "read_by": caption.read_by.shown_name if caption.read_by else None,
        "own": caption.read_by_id == by.pk,
        "flagged": caption.flagged,
        "doubt": caption.doubt,
    }


def _machines(keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    rows = CaptionRevision.objects.filter(caption__in=list(keys), author__isnull=True).order_by("caption", "number")
    return {row.caption_id: {"text": row.text, "origin": row.origin} for row in rows.only("caption", "text", "origin")}


def _findings(keys: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in Finding.objects.filter(caption__in=list(keys), dismissed_at__isnull=True):
        found[row.caption_id].append(
            {"id": row.pk, "code": row.code, "words": row.words, "start": row.start, "message": row.message}
        )
    return found


def _rivals(tile_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """tile id -> the newest proposal of each captioner."""
    rows = Proposal.objects.filter(tile__in=list(tile_ids)).order_by("captioner", "id")
    newest = {(row.tile_id, row.captioner): row for row in rows.defer("provenance")}
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for (tile_id, captioner), row in newest.items():
        found[tile_id].append(
            {
                "captioner": captioner,
                "text": row.text,
                "components": EMPTY | row.components,
                "confidence": row.confidence,
            }
        )
    return found
