"""What is wanted of the captions of an area: its settings, and prompts composed anew when they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from tiles.core.errors import BadInput
from tiles.core.permissions import BUILD_AREA, require
from tiles.models import Area

from .components import line_clean, prompt_of
from .models import Caption, CaptionSettings
from .prompts import template_of

BATCH = 500
MOST_BANNED = 200
FIELDS = ("preset", "template", "dataset", "low_limit", "banned", "language", "second_reader")


def settings_of(area_ids: Iterable[int]) -> dict[int, CaptionSettings]:
    """area id -> its settings; the usual ones for an area that has none of its own."""
    wanted = set(area_ids)
    found = CaptionSettings.objects.in_bulk(wanted)
    return {area_id: found.get(area_id) or CaptionSettings(area_id=area_id) for area_id in wanted}


def settings_save(*, area: Area, by: Any, values: Mapping[str, Any]) -> CaptionSettings:
    """Change what is wanted of an area's captions. Prompts follow with `prompts_refresh`.

    Raises NotAllowed, and BadInput for a preset, template, limit or list that cannot be one.
    """
    require(by, BUILD_AREA)
    with transaction.atomic():
        wanted = CaptionSettings.objects.select_for_update().filter(area=area).first() or CaptionSettings(area=area)
        for name in FIELDS:
            if name in values:
                setattr(wanted, name, values[name])
        wanted.banned = _banned(wanted.banned)
        wanted.dataset = line_clean(wanted.dataset, "name of the dataset")
        template_of(preset=wanted.preset, own=wanted.template)
        if not 1 <= wanted.low_limit < 1e6:
            raise BadInput("The limit of the low resolutions is a number of metres a pixel, at least 1.")
        try:
            wanted.full_clean()
        except ValidationError as error:
            raise BadInput(" ".join(error.messages)) from error
        wanted.save()
    return wanted


def prompts_refresh(*, area: Area) -> int:
    """Compose the prompts of an area anew; returns how many changed. A batch a transaction, safe to repeat."""
    changed, last = 0, 0
    wanted = settings_of([area.pk])[area.pk]
    while True:
        with transaction.atomic():
            rows = Caption.objects.select_for_update(of=("self",)).select_related("tile__area")
            captions = list(rows.filter(area=area, pk__gt=last).order_by("pk")[:BATCH])
            moved = [caption for caption in captions if _prompt_moved(caption, wanted)]
            Caption.objects.bulk_update(moved, ["prompt"])
        if not captions:
            return changed
        changed, last = changed + len(moved), captions[-1].pk


def _prompt_moved(caption: Caption, wanted: CaptionSettings) -> bool:
    before = caption.prompt
    caption.prompt = prompt_of(text=caption.text, components=caption.components, tile=caption.tile, wanted=wanted)
    return caption.prompt != before


def _banned(words: Any) -> list[str]:
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise BadInput("Banned words are a list.")
    kept = list(dict.fromkeys(line_clean(word, "banned word").lower() for word in words))
    if len(kept) > MOST_BANNED:
        raise BadInput(f"At most {MOST_BANNED} words can be banned.")
    return [word for word in kept if word]
