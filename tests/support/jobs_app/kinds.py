"""`Writing`: plans, then writes one file and one row a step, then seals. The real kinds' shape, without rasters."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings

from tiles.core.errors import BadInput, DiskFull
from tiles.core.files import remove_temporary, written_whole
from tiles.jobs.leases import Lease
from tiles.jobs.services import job_start
from tiles.models import Job, JobChunk, JobEvent


def folder_of(job: Job) -> Path:
    return Path(settings.DEMETER_DATA) / "written" / str(job.pk)


def hold() -> Path:
    """While this file exists, whoever works waits in the middle of a step, beating."""
    return Path(settings.DEMETER_DATA) / "hold"


def writing_start(*, chunks: int, steps: int, background: bool = True, **trouble: Any) -> Job:
    """Start a job of `chunks` chunks with `steps` steps each. `trouble` makes it fail; see `Writing._trouble`."""
    plan = {"plan": [[chunk * steps + step for step in range(steps)] for chunk in range(chunks)], **trouble}
    subject = f"{chunks}x{steps}"
    return job_start(kind=Writing.name, title="Writing", subject=subject, chunks=[plan], background=background)


class Writing:
    name = "writing"

    def run(self, lease: Lease) -> None:
        if "plan" in lease.payload:
            self._plan(lease)
        elif "steps" in lease.payload:
            for step in lease.payload["steps"]:
                self._step(lease, step)
        else:
            self._seal(lease)

    def _plan(self, lease: Lease) -> None:
        plan = lease.payload["plan"]
        trouble = {name: value for name, value in lease.payload.items() if name != "plan"}
        with lease.fence():
            lease.expect(total=sum(len(steps) for steps in plan))
            lease.add_chunks([{"steps": steps, **trouble} for steps in plan], stage=1)
            lease.add_chunks([{}], stage=2)

    def _step(self, lease: Lease, step: int) -> None:
        lease.beat()
        if JobEvent.objects.filter(job=lease.job, message=f"step {step}").exists():
            return
        path = folder_of(lease.job) / f"step_{step}.txt"
        with written_whole(path, lease.owner) as file:
            file.write(f"step {step}\n".encode() * 500)
            self._trouble(lease, step)
            file.write(b"end\n")
        with lease.fence():
            lease.log(f"step {step}")
            lease.count(done=1)

    def _trouble(self, lease: Lease, step: int) -> None:
        while hold().exists():
            lease.beat()
            time.sleep(0.02)
        trouble = lease.payload
        if trouble.get("bad_input") == step:
            raise BadInput("The input is bad. Mend it.")
        if trouble.get("disk_full") == step and not (folder_of(lease.job) / "room").exists():
            raise DiskFull("The disk is full. Make room, then go on.")
        if trouble.get("crash") == step and lease.attempt <= trouble.get("times", 99):
            raise ValueError("a bug")

    def _seal(self, lease: Lease) -> None:
        folder = folder_of(lease.job)
        parts = sorted(folder.glob("step_*.txt"), key=lambda path: int(path.stem.partition("_")[2]))
        with written_whole(folder / "sealed.txt", lease.owner) as file:
            for part in parts:
                lease.beat()
                file.write(part.read_bytes())

    def discard(self, chunk: JobChunk) -> None:
        remove_temporary(folder_of(chunk.job), f"{chunk.pk}-*")

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        JobEvent.objects.create(job=chunk.job, message=f"gave up {chunk.number}")
        return False

    def ended(self, job: Job) -> None:
        JobEvent.objects.create(job=job, message=f"ended {job.state}")
