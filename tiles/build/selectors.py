"""What became of a build."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count

from tiles.models import Area, SkippedWindow
from tiles.models.choices import BuildState, Failure


@dataclass(frozen=True)
class BuildSummary:
    """The tiles of an area after a build.

    failed, skipped: number by reason code, without zeros. layer_bytes: bytes of all tiles, by layer.
    """

    built: int
    planned: int
    failed: dict[str, int]
    skipped: dict[str, int]
    layer_bytes: dict[str, int]

    @property
    def bytes_per_tile(self) -> int:
        return sum(self.layer_bytes.values()) // self.built if self.built else 0


def build_summary(area: Area) -> BuildSummary:
    """Count what an area has. Reads every built tile's row, so it is for commands, not for pages."""
    counted = dict(area.counters.values_list("name", "value"))
    skipped = SkippedWindow.objects.filter(dem_file__area=area).values_list("reason").annotate(Count("id"))
    sizes: Counter[str] = Counter()
    for layers in area.tiles.filter(build_state=BuildState.BUILT).values_list("layers", flat=True).iterator():
        sizes.update({name: layer["bytes"] for name, layer in layers.items()})
    return BuildSummary(
        built=counted.get(BuildState.BUILT, 0),
        planned=counted.get(BuildState.PLANNED, 0),
        failed={code: number for code in Failure.values if (number := counted.get(f"failed:{code}", 0))},
        skipped=dict(sorted(skipped)),
        layer_bytes=dict(sorted(sizes.items())),
    )
