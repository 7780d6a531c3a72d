"""Keeping the full-text index equal to the captions. Called by whoever writes captions, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.db import connection, transaction

from ..models import Caption
from .engines import TABLE, Words, engine

BATCH = 2000


def index_write(captions: Iterable[Caption]) -> None:
    """Index captions that were just written, written anew, or read."""
    engine().write([words_of_caption(caption) for caption in captions])


def index_rebuild(*, step: Callable[[int], None] = lambda _count: None) -> int:
    """Make the index anew from the captions, a batch a transaction; returns how many there are. Safe to interrupt.

    Searches meanwhile find what is indexed so far. step is told of every batch.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")
    total = 0
    for keys in _batches():
        with transaction.atomic():
            # Read under a lock: somebody may save one meanwhile.
            index_write(Caption.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
        total += len(keys)
        step(len(keys))
    return total


def index_differences() -> tuple[int, int]:
    """Captions that are not indexed, and indexed ones that are not there. Both are 0 unless the index was damaged."""
    key = engine().key
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM captions_caption WHERE id NOT IN (SELECT {key} FROM {TABLE})")
        (missing,) = cursor.fetchone()
        cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE {key} NOT IN (SELECT id FROM captions_caption)")
        (left,) = cursor.fetchone()
    return missing, left


def words_of_caption(caption: Caption) -> Words:
    """What is indexed of a caption."""
    terms = caption.components.get("terms") or ()
    words = tuple(str(term) for term in terms)
    return Words(caption.pk, caption.area_id, caption.origin, caption.text, words, caption.state)


def _batches() -> Iterator[list[int]]:
    last = 0
    while keys := list(Caption.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield keys
        last = keys[-1]
