"""The dry run of a release: what it would hold, how large it would be and how long it would take. Keeps nothing."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from captions.models import Finding
from tiles.core.errors import DiskFull
from tiles.core.paths import data_folder, layer_path
from tiles.models import Area

from .layouts import Layout, options_of
from .models import Release
from .planning import BATCH, Picked, Plan, Taken, release_plan
from .reporting import leaks_in_words, report_of
from .selection import FEW_HEIGHTS, FLAT, REASONS
from .services import planned_size, require_room_for
from .splitting.blocks import SPLITS
from .wanted import UNKNOWN, Terms, Wanted, terms_missing

PAST = 5
"""So many of the newest releases say how fast one is written."""
TRIAL_SECONDS, TRIAL_TILES, BLOCK = 0.5, 40, 1 << 20


class Problem(NamedTuple):
    """stops: the release would be refused."""

    code: str
    words: str
    stops: bool = False


@dataclass(frozen=True)
class OfArea:
    """What would be taken of one area, under which terms."""

    area: Area
    taken: Taken
    licence: str
    attribution: str

    @property
    def splits(self) -> dict[str, int]:
        return dict(sorted(self.taken.splits.items()))

    @property
    def left_out_sentences(self) -> list[str]:
        return [f"{number:,} {REASONS[reason]}" for reason, number in sorted(self.taken.left_out.items())]


@dataclass(frozen=True)
class Rehearsal:
    """size: bytes of the archive, about. seconds: to write it, None when nothing is known; `basis` says how it is."""

    plan: Plan
    areas: list[OfArea]
    report: dict[str, Any]
    problems: list[Problem]
    size: int
    seconds: float | None
    basis: str
    splits: dict[str, int] = field(default_factory=dict)
    options: dict[str, int] = field(default_factory=dict)
    """Of the layout, all of them."""
    layout: Layout | None = None

    @property
    def layout_in_words(self) -> str:
        if self.layout is None:
            return ""
        chosen = [option.in_words(self.options[option.name]) for option in self.layout.options]
        return ", ".join([self.layout.label, *chosen])

    @property
    def tiles(self) -> int:
        return len(self.plan.kept)


def release_rehearse(
    *,
    areas: Sequence[Area],
    layout: Layout,
    wanted: Wanted,
    terms: Terms | None = None,
    options: Mapping[str, int] | None = None,
    by: Any = None,
) -> Rehearsal:
    """Do all of a release but the writing. Raises BadInput for wishes that make no sense."""
    terms = terms or Terms()
    all_options = options_of(layout, options or {})
    plan = release_plan(areas=areas, layout=layout, wanted=wanted, by=by)
    taken = plan.taken()
    by_area = [
        OfArea(
            area,
            taken[area.pk],
            terms.licences.get(area.slug, area.licence),
            terms.attributions.get(area.slug, area.attribution),
        )
        for area in areas
    ]
    report = report_of(plan)
    size = planned_size(plan, layout)
    rate, basis = _rate(plan.kept, layout)
    return Rehearsal(
        plan=plan,
        areas=by_area,
        report=report,
        problems=list(_problems(plan, by_area, report, size)),
        size=size,
        seconds=size / rate if rate else None,
        basis=basis,
        splits={name: facts["tiles"] for name, facts in report.get("splits", {}).items()},
        options=all_options,
        layout=layout,
    )


def mixed_words(areas: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """(code, sentence) each for what should not be mixed; areas: slug, vertical datum and surface of each."""
    datums: dict[str, list[str]] = {}
    surfaces: dict[str, list[str]] = {}
    for slug, datum, surface in areas:
        datums.setdefault(datum, []).append(slug)
        surfaces.setdefault(surface, []).append(slug)
    found = []
    if len(datums) > 1:
        found.append(("mixed_datums", f"Heights of different vertical datums are mixed: {_listed(datums)}."))
    if len(surfaces) > 1:
        words = {"dsm": "surface (DSM)", "dtm": "terrain (DTM)", UNKNOWN: UNKNOWN}
        named = {words.get(kind, kind): slugs for kind, slugs in surfaces.items()}
        found.append(("mixed_surfaces", f"Surface and terrain models are mixed: {_listed(named)}."))
    return found


def _problems(plan: Plan, areas: Sequence[OfArea], report: dict[str, Any], size: int) -> Iterable[Problem]:
    if not plan.kept:
        yield Problem("nothing", "No tile would be taken: approve some, or choose otherwise.", stops=True)
    held = [one for one in areas if one.taken.tiles]
    for one in held:
        if missing := terms_missing(one.licence, one.attribution):
            yield Problem("terms_missing", f"{one.area.slug} has no {missing}: give it here or with the area.", True)
    try:
        require_room_for(size)
    except DiskFull as error:
        yield Problem("disk_full", error.message, stops=True)
    yield from _doubts(plan, held)
    for words in leaks_in_words(report):
        yield Problem("leakage", words)
    empty = [name for name in SPLITS if report and not report["splits"][name]["tiles"]]
    if empty:
        yield Problem("empty_split", f"No tile is in {' and '.join(empty)}: try another seed, or smaller blocks.")


def _doubts(plan: Plan, held: Sequence[OfArea]) -> Iterable[Problem]:
    """What is wrong with tiles or odd about areas, and stops nothing."""
    reasons = plan.reasons()
    flat = reasons.get(FLAT, 0) + reasons.get(FEW_HEIGHTS, 0)
    if flat:
        yield Problem("flat", f"{flat:,} approved tiles are flat, or as good as flat, and are left out.")
    wordless = sum(one.taken.without_caption for one in held)
    if wordless:
        yield Problem("no_caption", f"{wordless:,} tiles have no caption and go without a text.")
    if doubtful := _with_findings(plan):
        yield Problem("findings", f"{doubtful:,} tiles have texts with open findings. Look at them before they go out.")
    for code, words in mixed_words((one.area.slug, one.area.vertical_datum, one.area.surface) for one in held):
        yield Problem(code, words)


def _with_findings(plan: Plan) -> int:
    """How many tiles have a text about which the checks found something that nobody dismissed."""
    kept = {picked.tile_id for picked in plan.kept}
    found = Finding.objects.filter(area__in=plan.areas, dismissed_at=None).values_list("caption__tile_id", flat=True)
    return len(kept.intersection(found.iterator(chunk_size=BATCH)))


def _listed(kinds: dict[str, list[str]]) -> str:
    return "; ".join(f"{kind} in {', '.join(slugs)}" for kind, slugs in sorted(kinds.items()))


def _rate(kept: Sequence[Picked], layout: Layout) -> tuple[float, str]:
    """Bytes a second, and how that is known; 0 for nothing known."""
    rates = []
    done = Release.objects.filter(state=Release.State.READY, layout=layout.name, job__started_at__isnull=False)
    for size, started, ready in done.values_list("size", "job__started_at", "ready_at")[:PAST]:
        if size and started and ready and ready > started:
            rates.append(size / (ready - started).total_seconds())
    if rates:
        return statistics.median(rates), f"as fast as the last {len(rates)} release{'s' * (len(rates) > 1)}"
    rate = _trial(kept, layout)
    return rate, "by copying and hashing a few of its files" if rate else ""


def _trial(kept: Sequence[Picked], layout: Layout) -> float:
    """Bytes a second of copying and hashing files of a few tiles into a nameless file, which is gone at once."""
    started, size = time.perf_counter(), 0
    step = max(len(kept) // TRIAL_TILES, 1)
    with tempfile.TemporaryFile(dir=data_folder()) as copy:
        for one in kept[::step]:
            slug, _, index = one.key.partition("/")
            for layer in layout.required:
                if time.perf_counter() - started > TRIAL_SECONDS:
                    break
                try:
                    content = layer_path(slug, layer, int(index)).read_bytes()
                except OSError:  # the release itself will say so
                    continue
                hashlib.sha256(content)
                copy.write(content)
                size += len(content)
    return size / max(time.perf_counter() - started, 1e-9)


def rehearsal_record(found: Rehearsal) -> dict[str, Any]:
    """As JSON."""
    return {
        "tiles": found.tiles,
        "bytes": found.size,
        "seconds": None if found.seconds is None else round(found.seconds, 1),
        "basis": found.basis,
        "splits": found.splits,
        "options": found.options,
        "areas": [_area_record(one) for one in found.areas],
        "left_out": found.plan.reasons(),
        "problems": [problem._asdict() for problem in found.problems],
        "report": found.report,
    }


def _area_record(one: OfArea) -> dict[str, Any]:
    return {
        "slug": one.area.slug,
        "tiles": one.taken.tiles,
        "bytes": one.taken.size,
        "splits": one.splits,
        "without_caption": one.taken.without_caption,
        "left_out": dict(sorted(one.taken.left_out.items())),
        "licence": one.licence,
        "attribution": one.attribution,
    }
