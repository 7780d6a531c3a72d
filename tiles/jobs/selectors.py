"""Reading jobs."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from django.db.models import QuerySet

from tiles.models import Job, JobChunk, JobEvent, TilePair
from tiles.models.choices import BuildState, Failure

from .pace import recent_rate
from .words import chunk_words, failures_listed


@dataclass(frozen=True)
class Progress:
    """How far a job is. `share` is 0..1; `rate` in steps a second lately and `seconds_left` are None while unknown."""

    done: int
    failed: int
    total: int
    share: float
    rate: float | None
    seconds_left: float | None

    @property
    def left(self) -> int:
        """Steps that are neither done nor failed."""
        return max(0, self.total - self.done - self.failed)


def job_progress(job: Job) -> Progress:
    """A job's progress from its own counters."""
    steps = job.done + job.failed
    share = 1.0 if job.state == Job.State.DONE else steps / job.total if job.total else 0.0
    rate = recent_rate(job) if job.state in Job.WORKABLE else None
    seconds_left = max(0, job.total - steps) / rate if rate and job.total else None
    return Progress(job.done, job.failed, job.total, min(share, 1.0), rate, seconds_left)


def jobs_listed() -> QuerySet[Job]:
    """Jobs, newest first, with what a list shows."""
    return Job.objects.select_related("area", "started_by").order_by("-id")


def job_open(*, kind: str, subject: str) -> Job | None:
    """The open job of this kind on this subject, if any."""
    return Job.objects.filter(kind=kind, subject=subject, state__in=Job.OPEN).first()


CHUNKS_LOOKED_AT = 1000


@dataclass(frozen=True)
class ChunkTimes:
    """How long the chunks took that were finished last, seconds; `number` of them, CHUNKS_LOOKED_AT at most."""

    number: int
    median: float
    slowest: float

    @property
    def words(self) -> str:
        return chunk_words(self.number, self.median, self.slowest)


def job_chunk_times(job: Job) -> ChunkTimes | None:
    """How long a job's chunks take, so much being done again after a worker's death; None before any has ended.

    Chunks that another took over into its own took no time of their own and are not among them.
    """
    ended = job.chunks.filter(state=JobChunk.State.DONE).order_by("-stage", "-number")
    known = ended.values_list("seconds", flat=True)[:CHUNKS_LOOKED_AT]
    seconds = [each for each in known if each is not None]
    return ChunkTimes(len(seconds), median(seconds), max(seconds)) if seconds else None


@dataclass(frozen=True)
class FailureLine:
    """How many steps of a job failed for one reason, and the first of them as an example.

    is_tiles: whether the area's page lists the tiles that failed for it.
    """

    code: str
    label: str
    number: int
    example: str
    is_tiles: bool


def job_failures(job: Job) -> list[FailureLine]:
    """A job's failures by reason, the most frequent first."""
    return [
        FailureLine(code, label, number, _example(job, code), job.area_id is not None and code in Failure.values)
        for code, label, number in failures_listed(job.failures)
    ]


def _example(job: Job, code: str) -> str:
    if job.area_id is None or code not in Failure.values:
        return ""
    failed = TilePair.objects.filter(area_id=job.area_id, build_state=BuildState.FAILED, failure=code)
    tile = failed.only("index", "failure_detail").order_by("index").first()
    return f"{tile.name}: {tile.failure_detail}" if tile else ""


def job_log(job: Job, *, lines: int = 100) -> list[JobEvent]:
    """The last lines of a job's log, the newest first."""
    return list(job.events.order_by("-id")[:lines])
