"""The tile pair: one sample, pixel-aligned layers on one grid."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast

from .area import Area, DemFile
from .choices import WAITING_STATES, BuildState, Failure, Modality, ReviewState, Scene
from .tile_manager import TileQuerySet

BUCKETS = 4096
_PRIME = 2**31 - 1


def _bucket() -> Any:
    """A number below BUCKETS that follows from a tile's own and looks random: a square modulo a prime."""
    number: Any = Cast(F("index"), models.BigIntegerField())
    mixed = (number * 73_244_475 + 12_345_701) % _PRIME
    return (mixed * mixed) % _PRIME % BUCKETS


class TilePair(models.Model):
    """One sample of an area, `tile_<index>`.

    Layers go by name in `layers`: `{"png": {"v": 1, "sha256": "...", "bytes": 123, ...}, ...}`, where `v` grows
    whenever the layer's content changes. The heights may be absent. `version` grows with every change
    that a reviewer must not overwrite unseen.
    """

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="tiles")
    index = models.PositiveIntegerField()
    version = models.PositiveIntegerField(default=0)

    build_state = models.CharField(max_length=8, choices=BuildState, default=BuildState.PLANNED)
    failure = models.CharField(max_length=16, choices=Failure, default=Failure.NONE, blank=True)
    failure_detail = models.TextField(blank=True)
    review_state = models.CharField(max_length=8, choices=ReviewState, default=ReviewState.PENDING)
    reason = models.CharField(max_length=32, blank=True, help_text="Why it is rejected.")
    captioned = models.BooleanField(default=False)
    decided_by = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Of the newest entry about it; nobody when a rule made it.",
    )
    decided_at = models.DateTimeField(null=True, blank=True, help_text="Of the newest entry about it.")
    first_by = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Whose verdict waits for a second look, or is disputed.",
    )
    second_by = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Who disagreed; a third person settles it.",
    )

    modality = models.CharField(max_length=8, choices=Modality, default=Modality.RGB)
    native_gsd = models.FloatField(
        null=True, blank=True, help_text="The imagery's own resolution in metres, not the grid's."
    )
    satellite = models.CharField(max_length=100, blank=True)
    scene = models.CharField(max_length=8, choices=Scene, default=Scene.CLEAR, blank=True)
    category = models.CharField(max_length=100, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="variants")
    group = models.CharField(max_length=200, blank=True, help_text="Samples of one place that need not be aligned.")

    dem_file = models.ForeignKey(DemFile, null=True, blank=True, on_delete=models.PROTECT, related_name="tiles")
    window_col = models.PositiveIntegerField(null=True, blank=True)
    window_row = models.PositiveIntegerField(null=True, blank=True)
    grid = models.JSONField(null=True, blank=True, help_text="crs, affine, width, height.")
    footprint = models.JSONField(null=True, blank=True, help_text="Closed ring of longitude and latitude, EPSG:4326.")
    lon = models.FloatField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    gsd = models.FloatField(null=True, blank=True, help_text="The grid's pixel size in metres.")

    layers = models.JSONField(default=dict, blank=True)
    imagery = models.JSONField(default=dict, blank=True, help_text="Where the imagery came from.")
    parameters = models.JSONField(default=dict, blank=True, help_text="How the layers were made.")
    flags = models.JSONField(default=list, blank=True)
    measures = models.JSONField(default=dict, blank=True, help_text="Measures that are shown but not sorted by.")

    dem_min = models.FloatField(null=True, blank=True)
    dem_max = models.FloatField(null=True, blank=True)
    relief = models.FloatField(null=True, blank=True)
    slope = models.FloatField(null=True, blank=True, help_text="Mean, in degrees.")
    landform = models.CharField(max_length=24, blank=True)
    water_share = models.FloatField(null=True, blank=True)
    void_share = models.FloatField(null=True, blank=True)
    uncovered_share = models.FloatField(null=True, blank=True)
    distinct_heights = models.PositiveIntegerField(null=True, blank=True)
    built_at = models.DateTimeField(null=True, blank=True)

    score = models.FloatField(default=0, help_text="How much it deserves a look, 0..1.")
    causes = models.JSONField(default=list, blank=True, help_text="Of the score: code, severity and value.")
    cloud_share = models.FloatField(null=True, blank=True)
    saturated_share = models.FloatField(null=True, blank=True)
    sharpness = models.FloatField(null=True, blank=True)
    shift_px = models.FloatField(
        null=True, blank=True, help_text="By how much the imagery lies off the heights; absent when unknown."
    )
    duplicate_of = models.PositiveIntegerField(
        null=True, blank=True, help_text="The number of an earlier tile of the area that shows the same."
    )

    bucket = models.GeneratedField(
        expression=_bucket(), output_field=models.PositiveSmallIntegerField(), db_persist=True, editable=False
    )
    space = models.BigIntegerField(
        null=True, blank=True, help_text="Where its centre comes along a curve through all the world."
    )
    twins = models.PositiveIntegerField(
        null=True, blank=True, help_text="The lowest number among the near-duplicates that it is one of."
    )
    assigned_to = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects = TileQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["area_id", "index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["area", "index"], name="one_tile_a_number"),
            models.UniqueConstraint(fields=["dem_file", "window_col", "window_row"], name="one_tile_a_window"),
            models.CheckConstraint(
                condition=Q(build_state=BuildState.FAILED) ^ Q(failure=""), name="failed_exactly_with_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(review_state=ReviewState.REJECTED) ^ Q(reason=""), name="rejected_exactly_with_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(build_state=BuildState.BUILT) | Q(review_state=ReviewState.PENDING),
                name="only_built_tiles_are_judged",
            ),
            models.CheckConstraint(
                condition=Q(review_state__in=WAITING_STATES) ^ Q(first_by=None), name="waits_exactly_with_a_verdict"
            ),
            models.CheckConstraint(
                condition=Q(review_state=ReviewState.DISPUTED) ^ Q(second_by=None), name="disputed_exactly_by_two"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["area", "build_state", "review_state", "index"], name="tile_queue"),
            models.Index(fields=["area", "build_state", "failure", "index"], name="tile_failures"),
            models.Index(fields=["area", "reason", "index"], name="tile_reasons"),
            models.Index(fields=["area", "build_state", "review_state", "-score", "index"], name="tile_queue_by_score"),
            models.Index(fields=["area", "build_state", "-score", "index"], name="tile_by_score"),
            models.Index(fields=["area", "reason", "-score", "index"], name="tile_reasons_by_score"),
            *[
                models.Index(fields=["area", "build_state", f"-{column}", "index"], name=f"tile_by_{column}")
                for column in ("dem_max", "relief", "slope", "cloud_share", "shift_px", "built_at", "decided_at")
            ],
            models.Index(fields=["area", "decided_by", "index"], name="tile_by_person"),
            models.Index(fields=["area", "assigned_to", "index"], name="tile_by_assignee"),
            models.Index(fields=["area", "build_state", "space", "index"], name="tile_by_space"),
            models.Index(fields=["area", "build_state", "twins", "index"], name="tile_by_twins"),
            models.Index(fields=["area", "build_state", "review_state", "bucket", "index"], name="tile_by_bucket"),
            models.Index(fields=["area", "build_state", "dem_min"], name="tile_by_dem_min"),
        ]
        permissions: ClassVar = [("review_tilepair", "Can approve and reject tiles")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return f"tile_{self.index}"

    @property
    def counted(self) -> Counter[str]:
        """Under which names this tile counts in its area's counters."""
        names = [self.build_state]
        if self.build_state == BuildState.FAILED:
            names.append(f"failed:{self.failure}")
        if self.build_state == BuildState.BUILT:
            names.append(self.review_state)
        if self.review_state == ReviewState.REJECTED:
            names.append(f"rejected:{self.reason}")
        if self.captioned:
            names.append("captioned")
        return Counter(names)

    def layer_versions(self) -> dict[str, int]:
        """What a decision or a release saw: layer name -> content version."""
        return {name: int(layer["v"]) for name, layer in sorted(self.layers.items())}

    def layer(self, name: str) -> dict[str, Any] | None:
        return self.layers.get(name)
