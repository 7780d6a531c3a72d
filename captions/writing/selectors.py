"""Reading captionings: what a trial said, and what the rest would take."""

from __future__ import annotations

from dataclasses import dataclass

from tiles.models import Area, Job

from ..captioners import captioner_of
from ..captioners.base import Spent
from ..captioners.openai import OpenAICaptioner
from ..changes import COUNT_LIMIT, Among
from ..models import CaptionRevision, Proposal
from .choosing import UNTOUCHED, captions_selected
from .keeping import action_of, undo_of
from .options import KIND, Captioning

SHOWN = 50


@dataclass(frozen=True)
class TrialLine:
    """What was said of one tile, what stands there, and what it took."""

    proposal: Proposal
    stands: str
    tokens: int
    seconds: float
    money: float


@dataclass(frozen=True)
class Trial:
    """What a few tiles took, and what all of `tiles` would: seconds by the clock, tokens, money by the prices."""

    lines: list[TrialLine]
    failures: dict[str, int]
    tiles: int
    tokens: int
    seconds: float
    money: float


def trial_of(job: Job) -> Trial:
    """What the tiles of a trial say, with an estimate for all that it was tried for."""
    asked = Captioning.of(job.parameters)
    said = Proposal.objects.filter(tile__in=job.parameters.get("trial", []), captioner=asked.captioner)
    newest = {row.tile_id: row for row in said.select_related("tile__area", "tile__caption").order_by("id")}
    writer = captioner_of(asked.captioner)
    rows = sorted(newest.values(), key=lambda row: row.tile.index)[:SHOWN]
    lines = [_line(row, writer.cost(_spent(row))) for row in rows]
    tiles = job.parameters.get("wanted", 0)
    each = tiles / len(lines) if lines else 0.0
    at_once = writer.endpoint.concurrent if isinstance(writer, OpenAICaptioner) else 1
    return Trial(
        lines=lines,
        failures=job.failures,
        tiles=tiles,
        tokens=round(sum(line.tokens for line in lines) * each),
        seconds=sum(line.seconds for line in lines) * each / at_once,
        money=sum(line.money for line in lines) * each,
    )


def captionings_of(area: Area) -> list[Job]:
    """The newest captionings of an area."""
    return list(Job.objects.filter(area=area, kind=KIND).select_related("started_by").order_by("-id")[:10])


@dataclass(frozen=True)
class Run:
    """A captioning of an area. undoable: it replaced texts; undone: they were brought back, or are being so."""

    job: Job
    undoable: bool
    undone: bool


def runs_of(area: Area) -> list[Run]:
    """The newest captionings of an area, and whether what they wrote can be taken back."""
    return [_run(job) for job in captionings_of(area)]


def _run(job: Job) -> Run:
    replaced = CaptionRevision.objects.filter(action=action_of(job), number__gt=1).exists()
    undo = undo_of(job)
    undone = replaced and (
        CaptionRevision.objects.filter(action=undo).exists() or Job.objects.filter(subject=str(undo)).exists()
    )
    return Run(job, undoable=replaced and not undone, undone=undone)


@dataclass(frozen=True)
class Selected:
    """How many captions a selection holds, and how many of them no person wrote or accepted. capped: there are more."""

    number: int
    writable: int
    capped: bool


def selection_counted(*, area: Area, among: Among) -> Selected:
    """Count a selection to COUNT_LIMIT. Raises BadInput for words that cannot be looked for."""
    number = writable = 0
    for captions in captions_selected(area=area, among=among):
        rows = captions.order_by().values("pk")
        number += rows[: COUNT_LIMIT + 1].count()
        writable += rows.filter(UNTOUCHED)[: COUNT_LIMIT + 1].count()
        if number > COUNT_LIMIT:
            break
    return Selected(min(number, COUNT_LIMIT), min(writable, COUNT_LIMIT), number > COUNT_LIMIT)


def _line(proposal: Proposal, money: float) -> TrialLine:
    spent = _spent(proposal)
    standing = getattr(proposal.tile, "caption", None)
    return TrialLine(proposal, standing.text if standing else "", spent.tokens, spent.seconds, money)


def _spent(proposal: Proposal) -> Spent:
    tokens = proposal.provenance.get("tokens", {})
    return Spent(tokens.get("asked", 0), tokens.get("answered", 0), proposal.provenance.get("seconds", 0.0))
