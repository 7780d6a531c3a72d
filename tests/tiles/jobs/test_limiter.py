"""One limit for all: leases never add up to more, expire with their holder, and come back."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.support.earthengine import StandIn
from tests.support.site import Site
from tiles.jobs import limiter as limits
from tiles.jobs.limiter import DatabaseLimiter, earthengine_limiter
from tiles.models import QuotaLease, ServiceQuota

REPOSITORY = Path(__file__).resolve().parents[3]


def limiter(slots: int = 10, per_second: int = 100, most: int = 10) -> DatabaseLimiter:
    return DatabaseLimiter("test", slots=slots, per_second=per_second, most=most)


def begun(one: DatabaseLimiter) -> int:
    """How many requests may start now."""
    number = 0
    while one.begin():
        number += 1
    return number


def asks_again(one: DatabaseLimiter) -> None:
    """As if half a second had gone by since it asked."""
    one._asked_at = float("-inf")


@pytest.mark.django_db
def test_two_share_and_never_exceed_the_limit() -> None:
    a, b = limiter(), limiter()
    flying = 0
    for _round in range(6):
        for one in (a, b):
            asks_again(one)
            one.refill(20)
            flying += begun(one)
            assert flying <= 10
            assert sum(QuotaLease.objects.values_list("slots", flat=True)) <= 10
            assert sum(QuotaLease.objects.values_list("per_second", flat=True)) <= 100
    assert flying == 10
    for _each in range(3):
        a.end()
    assert begun(a) == 3


@pytest.mark.django_db
def test_nothing_starts_without_a_lease() -> None:
    assert not limiter().begin()


@pytest.mark.django_db
def test_the_rate_is_shared_too() -> None:
    one = limiter(slots=10, per_second=3, most=10)
    one.refill(10)
    started = 0
    while one.begin():
        one.end()
        started += 1
    assert started <= 3
    other = limiter(slots=10, per_second=3, most=10)
    other.refill(10)
    more = 0
    while other.begin():
        other.end()
        more += 1
    assert started + more <= 3


@pytest.mark.django_db
def test_what_is_given_back_is_there_for_others() -> None:
    a, b = limiter(slots=2, most=2), limiter(slots=2, most=2)
    for _grow in range(2):
        asks_again(a)
        a.refill(5)
    assert begun(a) == 2
    b.refill(5)
    assert not b.begin()
    a.end()
    a.rest()
    assert QuotaLease.objects.get(slots__gt=0).slots == 1  # one is still on its way
    asks_again(b)
    b.refill(5)
    assert begun(b) == 1


@pytest.mark.django_db
def test_the_lease_of_a_dead_holder_expires() -> None:
    dead, heir = limiter(slots=1), limiter(slots=1)
    dead.refill(1)
    assert dead.begin()
    heir.refill(1)
    assert not heir.begin()
    QuotaLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    asks_again(heir)
    heir.refill(1)
    assert heir.begin()


@pytest.mark.django_db
@pytest.mark.parametrize(("workers", "most"), [(1, 40), (2, 20), (3, 14)])
def test_a_worker_may_have_its_part_of_all_slots(settings: Any, workers: int, most: int) -> None:
    settings.EARTHENGINE_MAX_CONCURRENT, settings.EARTHENGINE_MAX_PER_SECOND = 40, 1000
    settings.DEMETER_WORKERS = workers
    one = earthengine_limiter()
    ServiceQuota.objects.create(service="earthengine").leases.create(
        owner="another", slots=0, per_second=0, expires_at=timezone.now() + timedelta(seconds=60)
    )
    for _grow in range(8):
        asks_again(one)
        one.refill(100)
    assert begun(one) == most
    for _each in range(most):
        one.end()
    one.rest()


@pytest.mark.django_db
def test_whoever_is_alone_may_have_all_until_another_wants_its_part() -> None:
    alone, other = (DatabaseLimiter("test", slots=10, per_second=100, most=5, share=0.5) for _each in range(2))
    flying = {alone: 0, other: 0}

    def asked(one: DatabaseLimiter) -> int:
        asks_again(one)
        one.refill(20)
        flying[one] += begun(one)
        assert sum(flying.values()) <= 10
        assert sum(QuotaLease.objects.values_list("slots", flat=True)) <= 10
        assert sum(QuotaLease.objects.values_list("per_second", flat=True)) <= 100
        return flying[one]

    assert asked(alone) == 5
    assert asked(alone) == 10
    assert asked(other) == 0
    assert asked(alone) == 10
    for left in range(9, 4, -1):  # what is lent is not used again
        alone.end()
        flying[alone] -= 1
        assert asked(alone) == left
        asked(other)
    for _look in range(2):
        asked(other)
    assert flying == {alone: 5, other: 5}


def test_a_request_ends_before_its_lease_does() -> None:
    from tiles.imagery.ee_patience import PATIENT

    assert PATIENT.request + PATIENT.silence <= limits.REQUEST_SECONDS


FETCHING = """
import sys
import django
django.setup()
from tiles.imagery import imagery_survey
from tiles.imagery.ee_source import EarthEngineSource
from tiles.jobs.limiter import DatabaseLimiter
from tiles.raster.grid import Grid
whole = Grid("EPSG:32633", (30.0, 0, 500000.0, 0, -30.0, 4000000.0), 32 * 40, 32)
grids = [whole.window(32 * number, 0, 32, 32) for number in range(40)]
slots, per_second = int(sys.argv[1]), int(sys.argv[2])
limiter = DatabaseLimiter("earthengine", slots=slots, per_second=per_second, most=slots // 2, share=0.5)
with EarthEngineSource(imagery_survey("earthengine"), limiter=limiter) as source:
    source.expect(grids)
    for grid in grids:
        source.fetch(grid)
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("slots", "per_second"), [(6, 1000), (20, 12)], ids=["at once", "a second"])
def test_two_processes_stay_below_the_limits_together(site: Site, slots: int, per_second: int) -> None:
    """As the server sees it: how busy this machine is, or how slow the way, makes no difference."""
    with StandIn().running() as stand_in:
        stand_in.latency = 0.2
        environment = {**site.environment, **stand_in.environment(), "DJANGO_SETTINGS_MODULE": "portal.settings"}
        command = [sys.executable, "-c", FETCHING, str(slots), str(per_second)]
        processes = [
            subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE) for _each in range(2)
        ]
        outputs = [process.communicate(timeout=180)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert all(b"done" in output for output in outputs)
    assert len(stand_in.requests) == 80
    assert 2 <= stand_in.peak <= slots
    assert stand_in.most_in_a_second() <= per_second


@pytest.mark.django_db
def test_a_request_counts_against_the_rate_until_a_second_after_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it came to the server nobody knows: it may have been under way for long."""
    now = [0.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    one = limiter(per_second=4)  # for ten slots, and it gets five at first
    one.refill(10)
    assert begun(one) == 2
    now[0] = 20.0
    assert not one.begin()
    one.end()
    now[0] = 20.9
    assert not one.begin()
    now[0] = 21.1
    assert begun(one) == 1
