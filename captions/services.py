"""Everything that is written about captions.

Every write locks the tile's row first, so that a tile's revisions are made one after the other, and then writes the
revision and the caption, its copy, together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from tiles.core.errors import BadInput, Conflict, NotFound, Stale
from tiles.core.permissions import RECTIFY_CAPTIONS, require
from tiles.models import AreaCounter, TilePair
from tiles.models.choices import BuildState

from .captioners.base import CaptionAnswer, Captioner, facts_of
from .captioners.rules import RulesCaptioner
from .checking import captions_check
from .checks.rivals import likeness_of
from .components import components_clean, prompt_of
from .diff import word_diff, words_changed
from .models import PERSON, Caption, CaptionDraft, CaptionRevision, CaptionSettings, Proposal, Reading
from .search.index import index_write
from .selectors import caption_facts
from .texts import text_clean
from .wanted import settings_of

BATCH = 200
# Ids of machines' revisions are worked out, not drawn: a rerun makes the same one and cannot double.
_MACHINES = UUID("6f1a4d5e-0c8e-5b0e-9f57-3a2b8c1d7e90")


def caption_rectify(
    *,
    tile_id: int,
    text: str,
    base_version: int,
    by: Any,
    client_id: UUID,
    components: Mapping[str, Any] | None = None,
    action: UUID | None = None,
) -> CaptionRevision:
    """Save a person's text over version `base_version` (0 where there is no caption yet).

    components: as `components_clean` takes them; None keeps those that stand. action: shared by the revisions of one
    bulk change. Repeating a client_id returns the first revision; what stands already changes nothing and returns its
    revision. Raises NotAllowed, NotFound, BadInput for a text that cannot be one, Conflict for a tile that is not
    built, and Stale when somebody saved since: `extra` then holds `current`, `yours` and the `diff` between them.
    """
    require(by, RECTIFY_CAPTIONS)
    text = text_clean(text)
    given = None if components is None else components_clean(components)
    with transaction.atomic():
        tile = _locked_tile(tile_id)
        repeated = _repeated(client_id, tile, by)
        if repeated:
            return repeated
        caption = _caption_of(tile)
        standing = caption.components if caption else {}
        if caption and caption.text == text and given in (None, _compared(standing)):
            return _newest(caption)
        _require_current(caption, base_version, text)
        _require_built(tile)
        return _write(
            tile,
            caption,
            text=text,
            components=standing if given is None else given,
            origin=PERSON,
            author=by,
            client_id=client_id,
            action=action,
        )


def caption_restore(
    *, tile_id: int, number: int, base_version: int, by: Any, client_id: UUID, action: UUID | None = None
) -> CaptionRevision:
    """Make the words of revision `number` the caption again, as a new revision by `by` of the old one's origin.

    Repeats, unchanged texts and failures as in caption_rectify; NotFound also for a number that never was.
    """
    require(by, RECTIFY_CAPTIONS)
    with transaction.atomic():
        tile = _locked_tile(tile_id)
        repeated = _repeated(client_id, tile, by)
        if repeated:
            return repeated
        caption = _caption_of(tile)
        old = caption and caption.revisions.filter(number=number).first()
        if not caption or not old:
            raise NotFound(f"{tile.name} has no caption revision {number}. Reload the history.")
        if (caption.text, caption.components) == (old.text, old.components):
            return _newest(caption)
        _require_current(caption, base_version, old.text)
        return _write(
            tile,
            caption,
            text=old.text,
            components=old.components,
            origin=old.origin,
            author=by,
            client_id=client_id,
            restores=old,
            action=action,
        )


def caption_write_machine(*, tile_id: int, captioner: Captioner | None = None) -> CaptionRevision | None:
    """Let a captioner (`rules` by default) write the caption of a built tile.

    Never touches a text that a person wrote or restored, nor another captioner's; writes again only where its own
    words changed with the tile. Returns the revision it wrote, or None where nothing was to be done. Safe to run
    twice, at once too.
    """
    captioner = captioner or RulesCaptioner()
    tile = TilePair.objects.select_related("area").filter(pk=tile_id, build_state=BuildState.BUILT).first()
    if tile is None or Caption.objects.filter(tile_id=tile_id, author__isnull=False).exists():
        return None
    answer = captioner.caption(facts_of(tile))
    with transaction.atomic():
        rows = TilePair.objects.select_for_update(of=("self",)).select_related("area")
        locked = rows.filter(pk=tile_id).first()
        return _write_answer(locked, captioner.name, answer) if locked else None


def caption_adopt(*, tile: TilePair, proposal: Proposal, action: UUID | None = None) -> CaptionRevision | None:
    """Make what a captioner proposed the caption of a tile that the caller holds locked, with its area loaded.

    Another machine's text gives way; what a person wrote, restored or accepted never does. action: shared by the
    revisions of one run. Returns the revision, or None where nothing was to be done.
    """
    if tile.build_state != BuildState.BUILT:
        return None
    caption = _caption_of(tile)
    if caption and (caption.author_id is not None or caption.state != Reading.UNREAD):
        return None
    said = proposal.text, proposal.components, proposal.captioner
    if caption and (caption.text, caption.components, caption.origin) == said:
        return None
    number = caption.version + 1 if caption else 1
    return _write(
        tile,
        caption,
        text=proposal.text,
        components=proposal.components,
        origin=proposal.captioner,
        provenance=proposal.provenance,
        proposal=proposal,
        client_id=_machine_id(tile.pk, number, proposal.captioner),
        action=action,
    )


def caption_put_back(*, revision: CaptionRevision, by: Any, client_id: UUID, action: UUID) -> CaptionRevision | None:
    """Make the machine's words that stood before a machine's revision the caption again, as unread as they were.

    Returns the new revision, or None where that is not to be done: somebody saved or accepted since, nothing stood
    before, or the tile is not built any more. The caller checks the permission and looks for repeats.
    """
    with transaction.atomic():
        tile = _locked_tile(revision.caption.tile_id)
        caption = _caption_of(tile)
        if not caption or caption.version != revision.number or caption.state != Reading.UNREAD or caption.author_id:
            return None
        old = caption.revisions.filter(number=revision.number - 1).first()
        if old is None or tile.build_state != BuildState.BUILT:
            return None
        return _write(
            tile,
            caption,
            text=old.text,
            components=old.components,
            origin=old.origin,
            provenance={**old.provenance, "put_back_by": by.get_username()},
            proposal=old.proposal,
            restores=old,
            client_id=client_id,
            action=action,
        )


def captions_write_machine(*, tile_ids: Sequence[int], captioner: Captioner | None = None) -> int:
    """`caption_write_machine` for many tiles, first captions in one transaction; returns how many were written."""
    captioner = captioner or RulesCaptioner()
    tiles = TilePair.objects.select_related("area").filter(pk__in=tile_ids, build_state=BuildState.BUILT)
    # An area's recipe names every file of its imagery: too much to decode for each tile.
    tiles = tiles.defer("area__recipe")
    fresh = [(tile, captioner.caption(facts_of(tile))) for tile in tiles if not tile.captioned]
    again = [caption_write_machine(tile_id=tile.pk, captioner=captioner) for tile in tiles if tile.captioned]
    return _write_answers(fresh, captioner.name) + sum(revision is not None for revision in again)


def captions_write_missing(*, area_id: int, captioner: Captioner | None = None) -> int:
    """Give every built tile of an area that has no caption its first one; returns how many were written."""
    captioner = captioner or RulesCaptioner()
    written, after = 0, -1
    while True:
        tiles = list(
            TilePair.objects.select_related("area")
            .filter(area_id=area_id, build_state=BuildState.BUILT, captioned=False, index__gt=after)
            .order_by("index")[:BATCH]
        )
        if not tiles:
            return written
        after = tiles[-1].index
        answers = [(tile, captioner.caption(facts_of(tile))) for tile in tiles]
        written += _write_answers(answers, captioner.name)


def _write_answers(answers: Sequence[tuple[TilePair, CaptionAnswer]], name: str) -> int:
    """First captions for many tiles in one transaction; how many there were still to write."""
    known = {tile.pk: tile for tile, _answer in answers}
    answered = {tile.pk: answer for tile, answer in answers}
    wanted = settings_of(tile.area_id for tile in known.values())
    with transaction.atomic():
        locked = TilePair.objects.select_for_update().filter(pk__in=answered, captioned=False).order_by("pk")
        locked = locked.only("area_id", "build_state")
        # What a prompt is made of was read with the tiles, before the lock; who changes it composes prompts anew.
        tiles = [known[tile.pk] for tile in locked if tile.build_state == BuildState.BUILT]
        now = timezone.now()
        captions = [_first(tile, answered[tile.pk], name, now, wanted[tile.area_id]) for tile in tiles]
        Caption.objects.bulk_create(captions)
        index_write(captions)
        CaptionRevision.objects.bulk_create(
            CaptionRevision(
                caption=caption,
                number=1,
                text=caption.text,
                components=caption.components,
                origin=name,
                provenance=answered[caption.tile_id].provenance,
                client_id=_machine_id(caption.tile_id, 1, name),
            )
            for caption in captions
        )
        captions_check(captions)
        TilePair.objects.filter(pk__in=[tile.pk for tile in tiles]).update(captioned=True)
        for area_id, number in Counter(tile.area_id for tile in tiles).items():
            AreaCounter.objects.add(area_id, {"captioned": number})
    return len(tiles)


def _first(tile: TilePair, answer: CaptionAnswer, name: str, now: datetime, wanted: CaptionSettings) -> Caption:
    text, components = text_clean(answer.description), answer.components()
    return Caption(
        tile=tile,
        area_id=tile.area_id,
        version=1,
        text=text,
        components=components,
        prompt=prompt_of(text=text, components=components, tile=tile, wanted=wanted),
        origin=name,
        updated_at=now,
        likeness=likeness_of(text),
    )


def _machine_id(tile_id: int, number: int, name: str) -> UUID:
    return uuid5(_MACHINES, f"{tile_id}/{number}/{name}")


def _write_answer(tile: TilePair, name: str, answer: CaptionAnswer) -> CaptionRevision | None:
    """The answer as the newest revision of a locked tile, unless a person's text or the same words stand there."""
    if tile.build_state != BuildState.BUILT:
        return None
    text = text_clean(answer.description)
    caption = _caption_of(tile)
    if caption and (caption.author_id is not None or caption.origin != name or caption.text == text):
        return None
    number = caption.version + 1 if caption else 1
    return _write(
        tile,
        caption,
        text=text,
        components=answer.components(),
        origin=name,
        provenance=answer.provenance,
        client_id=_machine_id(tile.pk, number, name),
    )


def _write(
    tile: TilePair, caption: Caption | None, *, text: str, origin: str, client_id: UUID, **fields: Any
) -> CaptionRevision:
    """One more revision, the caption as its copy, and with the first of them the tile's flag and its counter."""
    components, author = fields.get("components") or {}, fields.get("author")
    first = caption is None
    if caption and author:
        machine = caption.revisions.filter(author__isnull=True).order_by("-number").first()
        fields["words_changed"] = words_changed(machine.text, text) if machine else None
    caption = caption or Caption(tile=tile, area_id=tile.area_id, version=0)
    caption.version += 1
    caption.text, caption.components, caption.origin, caption.author = text, components, origin, author
    caption.tile, caption.likeness, caption.updated_at = tile, likeness_of(text), timezone.now()
    wanted = settings_of([tile.area_id])[tile.area_id]
    caption.prompt = prompt_of(text=text, components=components, tile=tile, wanted=wanted)
    if not fields.get("action"):  # who changes many at once has not looked at each
        # Who writes has read; a machine's new words nobody has.
        caption.state, caption.read_by = (Reading.READ, author) if author else (Reading.UNREAD, None)
    caption.save()
    index_write([caption])
    revision = CaptionRevision(
        caption=caption, number=caption.version, text=text, origin=origin, client_id=client_id, **fields
    )
    revision.save()
    if author:
        CaptionDraft.objects.filter(tile=tile, by=author).delete()
    captions_check([caption])
    if first and not tile.captioned:
        before = tile.counted
        tile.captioned = True
        tile.save(update_fields=["captioned"])
        AreaCounter.objects.move(tile.area_id, before, tile.counted)
    return revision


def _compared(components: Mapping[str, Any]) -> dict[str, Any]:
    """Components as they would be given: a machine may have left some out."""
    return {"terms": [], "category": "", "weather": "", **components}


def _locked_tile(tile_id: int) -> TilePair:
    tile = TilePair.objects.select_for_update(of=("self",)).select_related("area").filter(pk=tile_id).first()
    if tile is None:
        raise NotFound("There is no such tile. It may have been removed; go back to its area.")
    return tile


def _caption_of(tile: TilePair) -> Caption | None:
    return Caption.objects.select_for_update(of=("self",)).select_related("author").filter(tile=tile).first()


def _newest(caption: Caption) -> CaptionRevision:
    return caption.revisions.get(number=caption.version)


def _repeated(client_id: UUID, tile: TilePair, by: Any) -> CaptionRevision | None:
    """The revision an earlier request with this id made."""
    revision = CaptionRevision.objects.select_related("caption").filter(client_id=client_id).first()
    if revision and (revision.caption.tile_id != tile.pk or revision.author_id != by.pk):
        raise BadInput("This save carries the id of another one. Reload the page and save again.", code="id_taken")
    return revision


def _require_current(caption: Caption | None, base_version: int, yours: str) -> None:
    if (caption.version if caption else 0) == base_version:
        return
    text = caption.text if caption else ""
    raise Stale(
        "Somebody saved this caption since you opened it. Compare the two texts, then keep one or merge them.",
        current=caption_facts(caption),
        yours=yours,
        diff=word_diff(text, yours),
    )


def _require_built(tile: TilePair) -> None:
    if tile.build_state != BuildState.BUILT:
        raise Conflict(f"{tile.name} is not built, so there is nothing to describe. Build its area.", code="not_built")
