"""Reading captionings: what a trial said, and what the rest would take."""

from __future__ import annotations

from dataclasses import dataclass

from tiles.models import Area, Job

from ..captioners import captioner_of
from ..captioners.base import Spent
from ..captioners.openai import OpenAICaptioner
from ..models import Proposal
from .options import KIND, Captioning

SHOWN = 50


@dataclass(frozen=True)
class TrialLine:
    """What was said of one tile, and what it took."""

    proposal: Proposal
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
    newest = {row.tile_id: row for row in said.select_related("tile__area").order_by("id")}
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


def _line(proposal: Proposal, money: float) -> TrialLine:
    spent = _spent(proposal)
    return TrialLine(proposal, spent.tokens, spent.seconds, money)


def _spent(proposal: Proposal) -> Spent:
    tokens = proposal.provenance.get("tokens", {})
    return Spent(tokens.get("asked", 0), tokens.get("answered", 0), proposal.provenance.get("seconds", 0.0))
