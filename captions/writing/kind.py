"""The job that lets a captioner write for an area: choose its tiles, then ask about a few of them at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from uuid import UUID

from tiles.core.errors import BadInput, NotFound, Suspended
from tiles.jobs.leases import Lease, LeaseLost, Stopped
from tiles.models import Area, Job, JobChunk, JobEvent, TilePair

from ..captioners import captioner_of
from ..captioners.base import Answered, CaptionAnswer, CaptionTask, Spent, Unanswered, Writer, facts_of
from ..captioners.pictures import depth_of, picture_of
from ..importing.stages import import_plan, import_write
from ..instructions import guide_of
from ..models import Instruction, Proposal
from .choosing import tiles_chosen
from .keeping import Said, answers_keep, proposal_id, proposals_adopt
from .options import KIND, Budget, Captioning, spent_add

PLAN, TILES = range(2)
SECONDS_A_WRITE = 0.5
DIED = "worker_died"


class CaptionKind:
    """Lets a captioner describe an area. A tile's id leaves its chunk's payload in the transaction that records it."""

    name = KIND

    def run(self, lease: Lease) -> None:
        stage = STAGES[lease.payload["do"]]
        stage(lease, area_of(lease.job))

    def discard(self, chunk: JobChunk) -> None:
        """Nothing is left behind: answers are rows, written in one transaction."""

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """The tiles at which workers died again and again count as failed; the others go on."""
        if chunk.payload["do"] != "tiles":
            return False
        job = Job.objects.select_for_update().get(pk=chunk.job_id)
        left = len(chunk.payload["tiles"])
        job.failed += left
        job.failures[DIED] = job.failures.get(DIED, 0) + left
        job.save(update_fields=["failed", "failures"])
        return True

    def ended(self, job: Job) -> None:
        """Nothing to do: what was said stays, whatever became of the job."""


def writer_of(asked: Captioning) -> Writer:
    """The captioner of a job, as it was when the job began. Raises Suspended where it is set up otherwise now."""
    try:
        writer = captioner_of(asked.captioner)
    except BadInput as error:
        raise Suspended(f"{error.message} Then resume this job.") from error
    if writer.model != asked.model:
        raise Suspended(
            f"The captioner {asked.captioner} has another model now: {writer.model or 'none'} instead of "
            f"{asked.model or 'none'}. Set it back and resume this job, or cancel it and start another one."
        )
    return writer


def area_of(job: Job) -> Area:
    """The area of a captioning."""
    if job.area is None:
        raise ValueError("a captioning has an area")
    return job.area


def _plan(lease: Lease, area: Area) -> None:
    asked = Captioning.of(lease.job.parameters)
    size = writer_of(asked).wants.at_once
    ids, wanted = tiles_chosen(area, asked, at=lease.job.created_at)
    with lease.fence():
        if lease.job.chunks.filter(stage=TILES).exists():
            return  # an earlier attempt came so far
        lease.expect(total=len(ids))
        chunks = [{"do": "tiles", "tiles": ids[start : start + size]} for start in range(0, len(ids), size)]
        lease.add_chunks(chunks, stage=TILES)
        if asked.trial:
            parameters = {**lease.job.parameters, "trial": ids, "wanted": wanted}
            Job.objects.filter(pk=lease.job.pk).update(parameters=parameters)
        lease.log(f"{len(ids):,} {'tile' if len(ids) == 1 else 'tiles'} to describe.")


def _describe(lease: Lease, area: Area) -> None:
    Desk(lease, area).work()


STAGES = {"plan": _plan, "tiles": _describe, "import": import_plan, "given": import_write}


class Desk:
    """Where the tiles of one chunk are described: what is answered, but not yet written down."""

    def __init__(self, lease: Lease, area: Area) -> None:
        self._lease = lease
        self._asked = Captioning.of(lease.job.parameters)
        self._writer = writer_of(self._asked)
        self._guide = guide_of(area, number=self._asked.told)
        self._instruction = Instruction.objects.filter(area=area, number=self._asked.told).first()
        self._left: list[int] = list(lease.payload["tiles"])
        self._tiles = TilePair.objects.select_related("area").in_bulk(self._left)
        self._ids: dict[int, UUID] = {
            key: proposal_id(
                tile,
                captioner=self._asked.captioner,
                model=self._asked.model,
                instruction=self._asked.told,
            )
            for key, tile in self._tiles.items()
        }
        self._known = Proposal.objects.in_bulk(list(self._ids.values()), field_name="client_id")
        self._made: list[Answered] = []
        self._kept: list[int] = []
        self._written_at = time.monotonic()
        parameters = Job.objects.values_list("parameters", flat=True).get(pk=lease.job.pk)
        self._budget = Budget(**parameters["budget"])
        self._spent: dict[str, float] = parameters["spent"]

    def work(self) -> None:
        """Describe what is left of the chunk. Raises Suspended when the budget is used up."""
        try:
            with closing(self._writer.answers(self._tasks(), self._lease.beat)) as answers:
                for answered in answers:
                    self._made.append(answered)
                    if time.monotonic() - self._written_at > SECONDS_A_WRITE:
                        self._write_down()
        except LeaseLost:
            raise
        except BaseException:
            # The first trouble is the one to tell of; what cannot be written down now is asked again.
            with suppress(Exception, LeaseLost, Stopped):
                self._write_down()
            raise
        self._write_down()
        if self._left:
            raise Suspended(
                f"The budget of {self._used_up()} is used up. Start the same captioning again with a larger one, "
                "and it goes on where it is."
            )

    def _tasks(self) -> Iterator[CaptionTask]:
        """The tiles that are still to be asked about, until the budget is used up."""
        for key in list(self._left):
            tile = self._tiles.get(key)
            if tile is None or self._ids[key] in self._known:
                self._kept.append(key)
                continue
            if self._used_up():
                return
            task = CaptionTask(tile.pk, facts_of(tile), self._guide)
            try:
                yield self._with_pictures(task, tile)
            except NotFound as error:
                self._made.append(Answered(task, Unanswered("no_picture", error.message)))

    def _used_up(self) -> str:
        """Which limit of the budget is reached, with what is not written down yet."""
        return self._budget.used_up(self._with(self._spent, self._made))

    def _with(self, spent: dict[str, float], made: list[Answered]) -> dict[str, float]:
        """What was spent, and these answers on top of it."""
        more = sum((answered.spent for answered in made), Spent())
        answers = sum(isinstance(answered.outcome, CaptionAnswer) for answered in made)
        return spent_add(spent, more, money=self._writer.cost(more), answers=answers)

    def _with_pictures(self, task: CaptionTask, tile: TilePair) -> CaptionTask:
        wants = self._writer.wants
        if not wants.size:
            return task
        depth = depth_of(tile, size=wants.size) if wants.depth else b""
        return CaptionTask(task.tile_id, task.facts, task.guide, picture=picture_of(tile, size=wants.size), depth=depth)

    def _write_down(self) -> None:
        made, self._made = self._made, []
        kept, self._kept = self._kept, []
        self._written_at = time.monotonic()
        if not made and not kept:
            return
        finished = {answered.task.tile_id for answered in made} | set(kept)
        left = [key for key in self._left if key not in finished]
        failures: Counter[str] = Counter()
        said: list[Said] = []
        for answered in made:
            if isinstance(answered.outcome, CaptionAnswer):
                said.append(self._said(answered.task.tile_id, answered.outcome))
            else:
                failures[answered.outcome.code] += 1
        adopt = self._asked.make_captions and not self._asked.trial
        with self._lease.fence():
            answers_keep(
                said,
                captioner=self._asked.captioner,
                instruction=self._instruction,
                job=self._lease.job,
                adopt=adopt,
            )
            if adopt:
                known = {key: self._known[self._ids[key]] for key in kept if key in self._ids}
                proposals_adopt(known, job=self._lease.job)
            self._log_examples(made)
            self._lease.count(done=len(said) + len(kept), failures=failures)
            JobChunk.objects.filter(pk=self._lease.chunk_id).update(payload={"do": "tiles", "tiles": left})
            self._spend(made)
        self._left = left

    def _said(self, key: int, answer: CaptionAnswer) -> Said:
        picture = (self._tiles[key].layer("png") or {}).get("v", 0)
        return Said(key, self._ids[key], picture, answer)

    def _log_examples(self, made: list[Answered]) -> None:
        """A line of the log for the first tile that fails for a reason."""
        seen = set(Job.objects.get(pk=self._lease.job.pk).failures)
        for answered in made:
            outcome = answered.outcome
            if isinstance(outcome, Unanswered) and outcome.code not in seen:
                seen.add(outcome.code)
                self._lease.log(f"tile_{answered.task.facts.index}: {outcome.message}", JobEvent.Level.WARNING)

    def _spend(self, made: list[Answered]) -> None:
        """Add to what the job has spent. Inside the fence, which holds the job's row: other workers spend too."""
        if not any(answered.spent.seconds for answered in made):
            return
        job = Job.objects.get(pk=self._lease.job.pk)
        self._spent = self._with(job.parameters["spent"], made)
        job.parameters = {**job.parameters, "spent": self._spent}
        job.save(update_fields=["parameters"])
