"""Waking workers through django-q2. A lost or doubled wake-up does no harm: the sweeper wakes again."""

from __future__ import annotations

from django_q.brokers import get_broker
from django_q.tasks import async_task


def wake(workers: int) -> None:
    """Ask up to `workers` workers to look for chunks."""
    for _ in range(workers):
        async_task("tiles.jobs.tasks.work")


def waiting_wakes() -> int:
    """How many wake-ups no cluster has taken yet."""
    return int(get_broker().queue_size())
