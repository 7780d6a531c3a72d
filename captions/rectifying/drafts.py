"""Drafts on the server: behind what somebody writes, so that another computer has it too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from captions.components import components_clean
from captions.models import MAX_LENGTH, CaptionDraft
from captions.texts import TOO_LONG
from tiles.core.errors import BadInput
from tiles.core.permissions import RECTIFY_CAPTIONS, require


def draft_keep(*, tile_id: int, text: str, components: Mapping[str, Any], base_version: int, by: Any) -> CaptionDraft:
    """Keep what a person has written of a tile, in place of what was kept before.

    Half a text is a draft too, so that only its length is checked. Raises NotAllowed, and BadInput for components that
    cannot be any.
    """
    require(by, RECTIFY_CAPTIONS)
    if len(text) > 4 * MAX_LENGTH:
        raise BadInput(TOO_LONG, code="too_long")
    kept, _new = CaptionDraft.objects.update_or_create(
        tile_id=tile_id,
        by=by,
        defaults={"text": text, "components": components_clean(components), "base_version": base_version},
    )
    return kept


def draft_drop(*, tile_id: int, by: Any) -> None:
    """Forget a draft; nothing happens where there is none. Raises NotAllowed."""
    require(by, RECTIFY_CAPTIONS)
    CaptionDraft.objects.filter(tile_id=tile_id, by=by).delete()


def drafts_of(*, tile_ids: Iterable[int], by: Any) -> dict[int, dict[str, Any]]:
    """tile id -> this person's draft as the page shows it."""
    kept = CaptionDraft.objects.filter(tile_id__in=list(tile_ids), by=by)
    return {
        draft.tile_id: {"text": draft.text, "components": draft.components, "base": draft.base_version}
        for draft in kept
    }
