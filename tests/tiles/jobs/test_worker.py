"""`manage.py worker` with real processes: whoever is killed, the work ends the same, and nothing is left over."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.site import Process, Site, administer, on_postgres

CHUNKS, STEPS = 6, 4


@dataclass(frozen=True)
class Cluster:
    """The processes of a running worker."""

    supervisor: int
    leash: int
    main: int
    sentinel: int
    workers: list[int]
    helpers: list[int]

    @property
    def all(self) -> set[int]:
        return {self.supervisor, self.leash, self.main, self.sentinel, *self.workers, *self.helpers}


def cluster(site: Site, supervisor: int) -> Cluster | None:
    """The worker's processes, once they are all there: 2 workers, the monitor and the pusher, born in this order."""
    processes = site.processes()

    def children(pid: int) -> list[Process]:
        return [process for process in processes if process.parent == pid]

    chain = [supervisor]
    while len(chain) < 4:
        below = children(chain[-1])
        if len(below) != 1:
            return None
        chain.append(below[0].pid)
    pool = [process.pid for process in children(chain[-1])]
    return Cluster(*chain, pool[:2], pool[2:]) if len(pool) == 4 else None


def started(site: Site) -> Cluster:
    worker = site.start_worker()
    return site.wait_until(lambda: cluster(site, worker.pid), 60, "the cluster to stand")


def start_job(site: Site, **trouble: Any) -> int:
    return site.shell(
        "from tests.support.jobs_app.kinds import writing_start\n"
        f"print(writing_start(chunks={CHUNKS}, steps={STEPS}, **{trouble!r}).pk)"
    )


def job(site: Site, pk: int) -> dict[str, Any]:
    return site.shell(
        "from tiles.models import Job\n"
        f"job = Job.objects.get(pk={pk})\n"
        "chunks = [(c.state, c.owner, c.attempts) for c in job.chunks.all()]\n"
        "events = list(job.events.values_list('message', flat=True))\n"
        "print(json.dumps(dict(state=job.state, done=job.done, failed=job.failed, total=job.total, error=job.error,"
        " finished=bool(job.finished_at), chunks=chunks, events=events)))"
    )


def hold(site: Site) -> None:
    (site.data / "hold").touch()


def go_on(site: Site) -> None:
    (site.data / "hold").unlink()


def busy(site: Site, count: int = 1) -> list[int]:
    """Ids of the processes that hold a chunk and have begun to write, once there are `count`."""

    def holders() -> list[int]:
        if len(list((site.data / "written").rglob(".*.tmp-*"))) < count:
            return []
        owners = site.shell(
            "from tiles.models import JobChunk\n"
            "print(json.dumps(list(JobChunk.objects.filter(state='leased').values_list('owner', flat=True))))"
        )
        return [int(owner.rpartition("/")[2]) for owner in owners] if len(owners) >= count else []

    return site.wait_until(holders, 60, f"{count} busy workers")


def finished(site: Site, pk: int, timeout: float = 60) -> dict[str, Any]:
    return site.wait_until(lambda: (found := job(site, pk))["finished"] and found, timeout, "the job to end")


def assert_whole(site: Site, pk: int) -> dict[str, Any]:
    """The job is done, each step exactly once, the files are those of an undisturbed run, and nothing else."""
    found = finished(site, pk)
    steps = CHUNKS * STEPS
    assert (found["state"], found["done"], found["failed"], found["total"]) == ("done", steps, 0, steps), found
    for message in [*(f"step {step}" for step in range(steps)), "ended done"]:
        assert found["events"].count(message) == 1, (message, found["events"])
    folder = site.data / "written" / str(pk)
    expected = {f"step_{step}.txt": f"step {step}\n" * 500 + "end\n" for step in range(steps)}
    expected["sealed.txt"] = "".join(expected[f"step_{step}.txt"] for step in range(steps))
    assert {path.name: path.read_text() for path in folder.iterdir()} == expected
    return found


def stop(site: Site, supervisor: int) -> None:
    """SIGTERM to the supervisor leaves no process."""
    site.kill(supervisor, signal.SIGTERM)
    site.wait_until(lambda: not site.processes(), 60, "the worker to stop")
    assert list((site.data / "run").iterdir()) == [], "notes of dead supervisors"


def test_a_worker_works_and_stops(job_site: Site) -> None:
    worker = started(job_site)
    pk = start_job(job_site)
    assert_whole(job_site, pk)
    stop(job_site, worker.supervisor)


@pytest.mark.slow
def test_stopping_a_busy_worker_gives_its_chunks_back_untried(job_site: Site) -> None:
    worker = started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    busy(job_site, 2)
    stop(job_site, worker.supervisor)
    found = job(job_site, pk)
    assert {state for state, _owner, _attempts in found["chunks"]} == {"done", "waiting"}
    assert {attempts for state, _owner, attempts in found["chunks"] if state == "waiting"} == {0}
    assert not list((job_site.data / "written").rglob(".*.tmp-*"))
    go_on(job_site)
    started(job_site)
    assert_whole(job_site, pk)


# Whom to SIGKILL, given the cluster and the ids of its busy workers.
VICTIMS: dict[str, Callable[[Cluster, list[int]], list[int]]] = {
    "a busy worker": lambda _found, working: working[:1],
    "both busy workers": lambda _found, working: working,
    "the sentinel": lambda found, _working: [found.sentinel],
    "qcluster": lambda found, _working: [found.main],
    "the leash": lambda found, _working: [found.leash],
    "the cluster's whole group": lambda found, _working: sorted(found.all - {found.supervisor}),
    "pusher and monitor": lambda found, _working: found.helpers,
}


@pytest.mark.slow
@pytest.mark.parametrize("who", VICTIMS)
def test_work_goes_on_by_itself_when_someone_at_work_is_killed(job_site: Site, who: str) -> None:
    worker = started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    victims = VICTIMS[who](worker, busy(job_site, 2))
    for pid in victims:
        job_site.kill(pid)
    go_on(job_site)
    assert_whole(job_site, pk)
    assert not {process.pid for process in job_site.processes()} & set(victims)
    stop(job_site, worker.supervisor)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["workers", "one worker", "sentinel", "main", "helpers"])
def test_work_is_taken_when_someone_idle_was_killed(job_site: Site, who: str) -> None:
    """One of the idle workers holds the lock of the queue: killed, it hangs the rest of its cluster."""
    worker = started(job_site)
    victims = {
        "workers": worker.workers,
        "one worker": worker.workers[:1],
        "sentinel": [worker.sentinel],
        "main": [worker.main],
        "helpers": worker.helpers,
    }[who]
    for pid in victims:
        job_site.kill(pid)
    pk = start_job(job_site)
    assert_whole(job_site, pk)
    stop(job_site, worker.supervisor)


@pytest.mark.slow
def test_nothing_outlives_a_killed_supervisor(job_site: Site) -> None:
    worker = started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    busy(job_site, 2)
    job_site.kill(worker.supervisor)
    job_site.wait_until(lambda: not job_site.processes(), 60, "its cluster to end")
    go_on(job_site)
    started(job_site)
    assert_whole(job_site, pk)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["at work", "idle"])
def test_nothing_outlives_supervisor_and_leash_killed_together(job_site: Site, state: str) -> None:
    worker = started(job_site)
    if state == "at work":
        hold(job_site)
        start_job(job_site)
        busy(job_site, 2)
    kill_together(job_site, worker, [])
    job_site.wait_until(lambda: not job_site.processes(), 60, "the cluster to end itself")


@pytest.mark.slow
def test_the_next_supervisor_ends_a_cluster_that_nobody_leads(job_site: Site) -> None:
    worker = started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    busy(job_site, 2)
    kill_together(job_site, worker, [worker.sentinel, *worker.workers])
    left = set(worker.helpers)  # they know of nobody else
    job_site.wait_until(lambda: {process.pid for process in job_site.processes()} == left, 60, "the rest to be gone")
    second = started(job_site)
    assert not left & {process.pid for process in job_site.processes()}
    go_on(job_site)
    assert_whole(job_site, pk)
    stop(job_site, second.supervisor)


def kill_together(site: Site, worker: Cluster, more: list[int]) -> None:
    """SIGKILL leash, supervisor and more, such that the leash can do nothing about the others' death."""
    site.kill(worker.leash, signal.SIGSTOP)
    for pid in (worker.supervisor, *more, worker.leash):
        site.kill(pid)


@pytest.mark.slow
def test_work_goes_on_after_everything_was_killed_at_once(job_site: Site) -> None:
    started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    busy(job_site, 2)
    job_site.kill_all()
    go_on(job_site)
    worker = started(job_site)
    found = assert_whole(job_site, pk)
    assert max(attempts for _state, _owner, attempts in found["chunks"]) >= 2
    stop(job_site, worker.supervisor)


@pytest.mark.slow
def test_a_slow_worker_that_lost_its_lease_writes_nothing(job_site: Site) -> None:
    worker = started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    slow = busy(job_site, 2)[0]
    job_site.kill(slow, signal.SIGSTOP)
    go_on(job_site)
    job_site.wait_until(lambda: job(job_site, pk)["finished"], 60, "others to do its work")
    job_site.kill(slow, signal.SIGCONT)
    job_site.wait_until(lambda: not list((job_site.data / "written").rglob(".*.tmp-*")), 60, "the slow one to clean up")
    assert_whole(job_site, pk)
    stop(job_site, worker.supervisor)


@pytest.mark.slow
def test_two_supervisors_share_the_work(job_site: Site) -> None:
    first, second = started(job_site), started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    working = busy(job_site, 4)
    assert set(working) == {*first.workers, *second.workers}
    job_site.kill(first.supervisor)
    go_on(job_site)
    assert_whole(job_site, pk)
    stop(job_site, second.supervisor)


@pytest.mark.slow
def test_cancelling_ends_what_is_under_way(job_site: Site) -> None:
    started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    busy(job_site, 2)
    job_site.manage("jobs", "cancel", pk)
    found = finished(job_site, pk)
    assert found["state"] == "cancelled"
    assert {state for state, _owner, _attempts in found["chunks"]} == {"done", "cancelled"}
    assert found["events"].count("ended cancelled") == 1
    assert not list((job_site.data / "written").rglob(".*.tmp-*"))


@pytest.mark.slow
def test_cancelling_ends_what_a_dead_worker_holds(job_site: Site) -> None:
    started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    busy(job_site, 2)
    job_site.kill_all()
    job_site.manage("jobs", "cancel", pk)
    assert not job(job_site, pk)["finished"]
    started(job_site)
    assert finished(job_site, pk)["state"] == "cancelled"
    assert not list((job_site.data / "written").rglob(".*.tmp-*"))


@pytest.mark.slow
def test_pause_and_resume(job_site: Site) -> None:
    started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    busy(job_site, 2)
    job_site.manage("jobs", "pause", pk)

    def nobody_at_work() -> bool:
        return "leased" not in {state for state, _owner, _attempts in job(job_site, pk)["chunks"]}

    job_site.wait_until(nobody_at_work, 60, "the workers to stop")
    assert job(job_site, pk)["state"] == "paused"
    assert not list((job_site.data / "written").rglob(".*.tmp-*"))
    go_on(job_site)
    job_site.manage("jobs", "resume", pk)
    assert_whole(job_site, pk)


def test_a_worker_asks_for_the_migration_first(job_site: Site, tmp_path: Any) -> None:
    empty = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    refused = job_site.manage("worker", check=False, env={"DATABASE_URL": empty})
    assert refused.returncode == 1
    assert "manage.py migrate" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.slow
@pytest.mark.skipif(not on_postgres(), reason="a file is never away")
def test_work_goes_on_when_the_database_was_away(job_site: Site) -> None:
    worker = started(job_site)
    hold(job_site)
    pk = start_job(job_site)
    busy(job_site, 2)
    name = urlsplit(job_site.environment["DATABASE_URL"]).path.lstrip("/")
    administer(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
    administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608  our name
    job_site.wait_until(lambda: "The database is away" in job_site.logs(), 60, "the supervisor to notice")
    go_on(job_site)
    administer(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
    assert_whole(job_site, pk)
    stop(job_site, worker.supervisor)


@pytest.mark.slow
def test_a_cluster_that_cannot_start_is_tried_ever_more_slowly(job_site: Site) -> None:
    settings = job_site.folder / "site_settings.py"
    whole = settings.read_text()
    settings.write_text(whole + "\nimport sys\nif 'qcluster' in sys.argv:\n    sys.exit('broken settings')\n")
    worker = job_site.start_worker()
    for delay in ("0.5", "1.5", "3.5"):
        job_site.wait_until(lambda line=f"in {delay} s": line in job_site.logs(), 60, f"a try after {delay} s")
    settings.write_text(whole)
    assert_whole(job_site, start_job(job_site))
    stop(job_site, worker.pid)
