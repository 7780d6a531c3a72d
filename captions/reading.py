"""Reading captions: a person accepts one as it stands, another confirms it, anybody flags it. A log, like decisions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound, Stale
from tiles.core.permissions import RECTIFY_CAPTIONS, require

from .models import Caption, CaptionReading, Reading
from .search.index import index_write
from .selectors import caption_facts
from .wanted import settings_of

Verb = CaptionReading.Verb
VERBS = (Verb.ACCEPT, Verb.FLAG, Verb.UNFLAG)
NOTE_LENGTH = 2000
NO_CAPTION = "This tile has no caption yet. Write one, then it is yours."
SAVED_SINCE = "Somebody saved this caption since you read it. Read it again."
OTHER_ENTRY = "This id belongs to another entry. Reload the page and do it again."
NOT_ARRIVED = "What you want to undo never arrived here, so there is nothing to undo."
NOT_YOURS = "Only the person who read a caption can undo that."
UNDONE_ALREADY = "This was undone already."
UNDO_OF_UNDO = "An undo cannot be undone: read the caption again instead."
READ_SINCE = "Somebody read or changed this caption since, so this cannot be undone any more."


def caption_read(
    *, tile_id: int, verb: str, base_version: int, by: Any, client_id: UUID, note: str = ""
) -> CaptionReading:
    """Accept, flag or unflag a caption as it stands. Repeating a client_id returns the first entry.

    In an area with second readers, accepting what somebody else has read or written confirms it; accepting one's own
    again changes nothing. Raises NotAllowed, NotFound, BadInput for another verb, and Stale when it was saved since.
    """
    require(by, RECTIFY_CAPTIONS)
    if verb not in VERBS:
        raise BadInput(f"A caption cannot be read with {verb!r}. Use one of {', '.join(VERBS)}.")
    if len(note) > NOTE_LENGTH:
        raise BadInput(f"The note is too long: keep it below {NOTE_LENGTH} characters.", code="note_too_long")
    with transaction.atomic():
        caption = _locked(tile_id)
        entry = CaptionReading(caption=caption, version=base_version, verb=verb, by=by, client_id=client_id)
        if earlier := _earlier(entry):
            return earlier
        if caption.version != base_version:
            raise Stale(SAVED_SINCE, current=caption_facts(caption))
        entry.note = note.strip()
        return _record(caption, entry)


def reading_undo(*, undoes: UUID, by: Any, client_id: UUID) -> CaptionReading:
    """Take back one's own newest entry about a caption. Repeating a client_id returns the first entry.

    Raises NotAllowed, NotFound when it never arrived, Conflict when it is undone already, Stale when there is a newer
    entry or the text was saved since.
    """
    require(by, RECTIFY_CAPTIONS)
    with transaction.atomic():
        found = CaptionReading.objects.filter(client_id=undoes).first()
        if found is None:
            raise NotFound(NOT_ARRIVED, code="nothing_to_undo")
        caption = _locked_by_key(found.caption_id)
        entry = CaptionReading(
            caption=caption, version=caption.version, verb=Verb.UNDO, by=by, client_id=client_id, undoes=found
        )
        if earlier := _earlier(entry):
            return earlier
        _check_undo(caption, found, by)
        entry.from_state, entry.to_state = caption.state, found.from_state
        caption.state = found.from_state
        if caption.state == Reading.UNREAD:
            caption.read_by = None
        if found.verb in (Verb.FLAG, Verb.UNFLAG):
            caption.flagged = found.verb == Verb.UNFLAG
        return _save(caption, entry)


def _record(caption: Caption, entry: CaptionReading) -> CaptionReading:
    entry.from_state = caption.state
    if entry.verb == Verb.ACCEPT:
        if caption.state == Reading.UNREAD:
            caption.state, caption.read_by = Reading.READ, entry.by
        elif caption.state == Reading.READ and caption.read_by_id != entry.by_id and _second_reader(caption):
            caption.state = Reading.CONFIRMED
            entry.verb = Verb.CONFIRM
    else:
        caption.flagged = entry.verb == Verb.FLAG
    entry.to_state = caption.state
    return _save(caption, entry)


def _save(caption: Caption, entry: CaptionReading) -> CaptionReading:
    entry.save()
    caption.save(update_fields=["state", "read_by", "flagged"])
    if entry.from_state != entry.to_state:
        index_write([caption])
    return entry


def _second_reader(caption: Caption) -> bool:
    return settings_of([caption.area_id])[caption.area_id].second_reader


def _check_undo(caption: Caption, found: CaptionReading, by: Any) -> None:
    if found.by_id != by.pk:
        raise NotAllowed(NOT_YOURS, code="not_yours")
    if found.verb == Verb.UNDO:
        raise Conflict(UNDO_OF_UNDO, code="undo_of_undo")
    if CaptionReading.objects.filter(undoes=found).exists():
        raise Conflict(UNDONE_ALREADY, code="undone_already")
    newest = caption.readings.filter(undone_by__isnull=True).exclude(verb=Verb.UNDO).order_by("-id").first()
    if newest is None or newest.pk != found.pk or found.version != caption.version:
        raise Stale(READ_SINCE, current=caption_facts(caption))


def _earlier(entry: CaptionReading) -> CaptionReading | None:
    found = CaptionReading.objects.filter(client_id=entry.client_id).first()
    if found is None:
        return None
    # Accepting becomes confirming where somebody read it before, so these two are one request.
    kinds = {Verb.CONFIRM: Verb.ACCEPT}
    same = kinds.get(Verb(found.verb), found.verb) == entry.verb and found.undoes_id == entry.undoes_id
    if not same or (found.caption_id, found.by_id) != (entry.caption_id, entry.by_id):
        raise Conflict(OTHER_ENTRY, code="client_id_taken")
    return found


def _locked(tile_id: int) -> Caption:
    caption = Caption.objects.select_for_update(of=("self",)).filter(tile_id=tile_id).first()
    if caption is None:
        raise NotFound(NO_CAPTION)
    return caption


def _locked_by_key(key: int) -> Caption:
    return Caption.objects.select_for_update(of=("self",)).get(pk=key)
