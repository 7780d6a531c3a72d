"""Comments, flags, tags and assignments: every write of what people note about tiles beside their verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Count

from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound
from tiles.core.permissions import REVIEW_TILES, VIEW_DATA, require
from tiles.core.words import hidden_character
from tiles.models import Area, Tag, TileComment, TileFlag, TileMark, TilePair, TileTag
from tiles.models.marks import COMMENT_LENGTH

from .checks import NOT_YOURS, OTHER_ENTRY, UNDO_OF_UNDO, UNKNOWN_TILE
from .recording import Outcome
from .words import word_checked

Kind = TileMark.Kind
MOST_WORDS_AN_AREA = 500
MOST_TAGS_A_TILE = 20
NOT_YOURS_TO_REVIEW = "may not review tiles: give them the role of a reviewer first."


@dataclass(frozen=True)
class Mark:
    """What is to be noted about tiles: a tag put on or taken off, or whose they are, by a person's key or empty."""

    kind: str
    value: str
    on: bool = True


def comment_add(*, tile_id: int, text: str, by: Any, client_id: UUID) -> TileComment:
    """Say something about a tile. Repeating a client_id returns the first comment.

    Raises NotAllowed, NotFound, BadInput for a text that is empty, too long or holds invisible characters.
    """
    require(by, REVIEW_TILES)
    text = text.strip()
    if not text:
        raise BadInput("Write something first.", code="empty_comment")
    if len(text) > COMMENT_LENGTH:
        raise BadInput(f"The comment is too long: keep it below {COMMENT_LENGTH} characters.", code="comment_too_long")
    if hidden := hidden_character(text, lines=True):
        raise BadInput(f"The comment holds an invisible character ({hidden}). Type it again without.")
    if not TilePair.objects.filter(pk=tile_id).exists():
        raise NotFound(UNKNOWN_TILE)
    earlier = TileComment.objects.filter(client_id=client_id).first()
    if earlier is None:
        try:
            with transaction.atomic():
                return TileComment.objects.create(tile_id=tile_id, text=text, by=by, client_id=client_id)
        except IntegrityError:  # the same request twice at once
            earlier = TileComment.objects.get(client_id=client_id)
    if (earlier.tile_id, earlier.by_id, earlier.text) != (tile_id, by.pk, text):
        raise Conflict(OTHER_ENTRY, code="client_id_taken")
    return earlier


def flag_set(*, tile_id: int, flagged: bool, by: Any) -> None:
    """Flag a tile for oneself, to come back to it, or no longer. Raises NotAllowed, NotFound."""
    require(by, VIEW_DATA)
    if not TilePair.objects.filter(pk=tile_id).exists():
        raise NotFound(UNKNOWN_TILE)
    if flagged:
        TileFlag.objects.bulk_create([TileFlag(tile_id=tile_id, by=by)], ignore_conflicts=True)
    else:
        TileFlag.objects.filter(tile_id=tile_id, by=by).delete()


def mark_checked(*, mark: Mark) -> Mark:
    """The mark as it is kept. Raises BadInput for a word or a person that is none."""
    if mark.kind == Kind.TAG:
        return Mark(Kind.TAG, word_checked(mark.value), mark.on)
    if mark.value:
        person = _person(mark.value)
        if not person.has_perm(REVIEW_TILES):
            raise BadInput(f"{person.shown_name} {NOT_YOURS_TO_REVIEW}", code="bad_person")
    return Mark(Kind.ASSIGN, mark.value)


def tiles_mark(*, area: Area, tile_ids: Iterable[int], mark: Mark, by: Any, action: UUID) -> Outcome:
    """Put a tag on some tiles of an area, take it off, or say whose they are: one action that can be undone as one.

    What stood so already is `unchanged`. A repeated call adds nothing and returns the same. Raises NotAllowed, BadInput
    for a word or person that is none or one tag too many, NotFound, Conflict when the action was another one.
    """
    require(by, REVIEW_TILES)
    mark = mark_checked(mark=mark)
    with transaction.atomic():
        if mark.kind == Kind.TAG:
            _tag(area, mark.value, make=mark.on)
        tiles = _locked(area, tile_ids)
        earlier = {entry.tile_id: entry for entry in TileMark.objects.filter(action=action, tile__in=tiles)}
        for entry in earlier.values():
            _require_same(entry, mark, by)
        standing = _standing(area, tiles, mark)
        wanted = mark.value if mark.on else ""
        new = [tile for tile in tiles if tile.pk not in earlier]
        entries = [
            TileMark(tile=tile, kind=mark.kind, before=standing[tile.pk], after=wanted, by=by, action=action)
            for tile in new
            if standing[tile.pk] != wanted
        ]
        unchanged = [tile.index for tile in new if standing[tile.pk] == wanted]
        _record(area, entries)
    return Outcome(len(earlier) + len(entries), unchanged)


def marks_undo(*, area: Area, undoes: Sequence[int], by: Any, action: UUID) -> Outcome:
    """Take back some of one's own entries about tags or assignments, given by their keys, as one action.

    What is undone already is `unchanged`, what somebody changed since is `stale` and stays. A repeated call adds
    nothing and returns the same. Raises NotAllowed, and Conflict for an undo.
    """
    require(by, REVIEW_TILES)
    with transaction.atomic():
        found = list(TileMark.objects.filter(pk__in=undoes, tile__area=area).order_by("tile_id"))
        tiles = {tile.pk: tile for tile in _locked(area, {entry.tile_id for entry in found})}
        undone = dict(TileMark.objects.filter(undoes__in=found).values_list("undoes_id", "action"))
        outcome = Outcome(done=sum(made == action for made in undone.values()))
        entries: list[TileMark] = []
        standing = {_mark_of(entry): _standing(area, list(tiles.values()), _mark_of(entry)) for entry in found}
        for old in found:
            if old.by_id != by.pk:
                raise NotAllowed(NOT_YOURS, code="not_yours")
            if old.undoes_id:
                raise Conflict(UNDO_OF_UNDO, code="undo_of_undo")
            tile = tiles[old.tile_id]
            if old.pk in undone:
                if undone[old.pk] != action:
                    outcome.unchanged.append(tile.index)
            elif standing[_mark_of(old)][tile.pk] != old.after:
                outcome.stale.append(tile.index)
            else:
                entry = TileMark(tile=tile, kind=old.kind, before=old.after, after=old.before, undoes=old)
                entry.by, entry.action = by, action
                entries.append(entry)
        _record(area, entries)
    return Outcome(outcome.done + len(entries), outcome.unchanged, outcome.stale)


def _person(key: str) -> Any:
    found = get_user_model().objects.filter(pk=key, is_active=True).first() if key.isascii() and key.isdigit() else None
    if found is None:
        raise BadInput("There is no such person. Reload the page and choose again.", code="bad_person")
    return found


def _locked(area: Area, tile_ids: Iterable[int]) -> list[TilePair]:
    wanted = set(tile_ids)
    found = list(TilePair.objects.select_for_update().filter(pk__in=wanted, area=area).order_by("pk"))
    if len(found) < len(wanted):
        raise NotFound(UNKNOWN_TILE)
    return found


def _tag(area: Area, word: str, *, make: bool) -> None:
    """Words of an area are few, so that they can be chosen from: those that no tile bears make room for new ones."""
    Area.objects.select_for_update().get(pk=area.pk)
    words = Tag.objects.filter(area=area)
    if not make or words.filter(word=word).exists():
        return
    if words.count() >= MOST_WORDS_AN_AREA:
        words.filter(on__isnull=True).delete()
    if words.count() >= MOST_WORDS_AN_AREA:
        raise BadInput(f"{area.name} has {MOST_WORDS_AN_AREA} tags already. Use one of them.", code="too_many_tags")
    Tag.objects.create(area=area, word=word)


def _require_same(entry: TileMark, mark: Mark, by: Any) -> None:
    if (entry.by_id, entry.kind, entry.undoes_id) != (by.pk, mark.kind, None) or _mark_of(entry) != mark:
        raise Conflict(OTHER_ENTRY, code="client_id_taken")


def _mark_of(entry: TileMark) -> Mark:
    """What was asked for when this was written."""
    if entry.kind == Kind.TAG:
        return Mark(Kind.TAG, entry.after or entry.before, bool(entry.after))
    return Mark(Kind.ASSIGN, entry.after)


def _standing(area: Area, tiles: Sequence[TilePair], mark: Mark) -> dict[int, str]:
    """What a mark of this kind says of each tile now."""
    if mark.kind == Kind.ASSIGN:
        return {tile.pk: str(tile.assigned_to_id or "") for tile in tiles}
    tagged = TileTag.objects.filter(tag__area=area, tag__word=mark.value, tile__in=tiles)
    bearing = set(tagged.values_list("tile_id", flat=True))
    return {tile.pk: mark.value if tile.pk in bearing else "" for tile in tiles}


def _record(area: Area, entries: Sequence[TileMark]) -> None:
    """Append entries about different tiles, which the caller has locked, and make it so."""
    TileMark.objects.bulk_create(entries)
    tags = [entry for entry in entries if entry.kind == Kind.TAG]
    if tags:
        _put_tags(area, tags)
    for person in {entry.after for entry in entries if entry.kind == Kind.ASSIGN}:
        theirs = [entry.tile_id for entry in entries if entry.kind == Kind.ASSIGN and entry.after == person]
        TilePair.objects.filter(pk__in=theirs).update(assigned_to=int(person) if person else None)


def _put_tags(area: Area, entries: Sequence[TileMark]) -> None:
    """All entries are about one word."""
    word = entries[0].after or entries[0].before
    tag, _made = Tag.objects.get_or_create(area=area, word=word)
    off = [entry.tile_id for entry in entries if not entry.after]
    on = [entry.tile_id for entry in entries if entry.after]
    TileTag.objects.filter(tag=tag, tile__in=off).delete()
    TileTag.objects.bulk_create([TileTag(tag=tag, tile_id=tile_id) for tile_id in on], ignore_conflicts=True)
    full = TilePair.objects.filter(pk__in=on).annotate(tags=Count("tagged")).filter(tags__gt=MOST_TAGS_A_TILE).first()
    if full:
        raise BadInput(
            f"{full.name} would bear more than {MOST_TAGS_A_TILE} tags. Take one off first.", code="too_many_tags"
        )
