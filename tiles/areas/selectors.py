"""Reading areas and their counters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import QuerySet

from tiles.models import Area, TilePair
from tiles.models.choices import REASON_BY_CODE, BuildState, Failure, ReviewState


@dataclass(frozen=True)
class Counts:
    """An area's maintained counts. Every tile is planned, built or failed; every built one is in one review state."""

    planned: int
    built: int
    failed: int
    pending: int
    approved: int
    rejected: int
    unsure: int
    second: int
    disputed: int
    captioned: int
    failures: dict[str, int]
    rejections: dict[str, int]

    @property
    def total(self) -> int:
        return self.planned + self.built + self.failed

    @property
    def waiting(self) -> int:
        """Tiles that somebody has to look at: for the first time, or after somebody else."""
        return self.pending + self.second + self.disputed

    @property
    def decided(self) -> int:
        return self.approved + self.rejected

    @property
    def bar(self) -> list[tuple[str, str, int, float]]:
        """(css class, label, number, percent of all tiles), for the stacked bar."""
        parts = (
            ("approved", "approved", self.approved),
            ("rejected", "rejected", self.rejected),
            ("unsure", "unsure", self.unsure),
            ("second", "second look", self.second),
            ("disputed", "disputed", self.disputed),
            ("pending", "pending", self.pending),
            ("planned", "planned", self.planned),
            ("not-built", "failed", self.failed),
        )
        return [(css, label, number, 100 * number / self.total) for css, label, number in parts if number]


def areas_listed() -> QuerySet[Area]:
    """All areas by name, with their counters at hand."""
    return Area.objects.prefetch_related("counters").order_by("name", "id")


def area_counts(area: Area) -> Counts:
    """The area's counts from its maintained counters; counts nothing."""
    value = {counter.name: counter.value for counter in area.counters.all()}
    plain = ("planned", "built", "failed", *ReviewState.values, "captioned")
    return Counts(
        **{name: value.get(name, 0) for name in plain},
        failures=_split(value, "failed:", {code: str(label) for code, label in Failure.choices}),
        rejections=_split(value, "rejected:", {code: reason.label for code, reason in REASON_BY_CODE.items()}),
    )


def area_samples(area: Area, number: int = 14) -> list[TilePair]:
    """A few built tiles spread over the area's numbers, for a glimpse; fewer where some of these were not built."""
    built = TilePair.objects.filter(area=area, build_state=BuildState.BUILT).only("index", "layers", "area_id")
    last = built.order_by("-index").values_list("index", flat=True).first()
    if last is None:
        return []
    numbers = {last * step // max(1, number - 1) for step in range(number)}
    return list(built.filter(index__in=numbers).order_by("index"))


def area_tile_bytes(samples: list[TilePair]) -> dict[str, int]:
    """Mean bytes a tile by layer, largest first, over some tiles: an estimate for an area, which is never summed up."""
    sizes: Counter[str] = Counter()
    for tile in samples:
        sizes.update({name: layer["bytes"] for name, layer in tile.layers.items()})
    return {name: size // len(samples) for name, size in sizes.most_common()}


def counters_recounted(area: Area) -> dict[str, int]:
    """What the counters should say, by looking at every tile. For checks only, never for a page."""
    counted: Counter[str] = Counter()
    for tile in TilePair.objects.filter(area=area).iterator():
        counted.update(tile.counted)
    return dict(counted)


def _split(value: dict[str, int], prefix: str, labels: dict[str, str]) -> dict[str, int]:
    found = {name.removeprefix(prefix): number for name, number in value.items() if name.startswith(prefix) and number}
    return {labels.get(code, code): found[code] for code in sorted(found, key=lambda code: -found[code])}
