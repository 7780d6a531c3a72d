"""Areas, what they are built from, and their counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F

from tiles.core.words import hidden_character

from .choices import REJECTION_REASONS, Policy

DESCRIPTION_LENGTH = 10_000
"""Characters of a description or an attribution: they travel into every release."""


def all_reasons() -> list[str]:
    return [reason.code for reason in REJECTION_REASONS]


class Area(models.Model):
    """A named set of tiles built from one place or one public dataset."""

    class Surface(models.TextChoices):
        DSM = "dsm", "Surface (DSM): treetops and roofs"
        DTM = "dtm", "Terrain (DTM): bare ground"
        UNKNOWN = "unknown", "Unknown"

    class HeightUnit(models.TextChoices):
        METRE = "m", "Metres"
        FOOT = "ft", "International feet"
        SURVEY_FOOT = "us-ft", "US survey feet"
        UNKNOWN = "unknown", "Unknown, taken as metres"

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    synthetic = models.BooleanField(default=False, help_text="Generated, not observed: said wherever it appears.")
    licence = models.CharField(max_length=200, default="unknown")
    attribution = models.TextField(blank=True)
    vertical_datum = models.CharField(max_length=100, default="unknown", help_text="EGM96, EGM2008, WGS 84 ellipsoid …")
    height_unit = models.CharField(max_length=8, choices=HeightUnit, default=HeightUnit.UNKNOWN)
    surface = models.CharField(max_length=8, choices=Surface, default=Surface.UNKNOWN)
    satellite = models.CharField(max_length=100, blank=True, help_text="What took the imagery, as in Sentinel-2.")
    dem_from = models.DateField(null=True, blank=True)
    dem_to = models.DateField(null=True, blank=True)
    imagery_from = models.DateField(null=True, blank=True)
    imagery_to = models.DateField(null=True, blank=True)
    dem_gsd = models.FloatField(null=True, blank=True, help_text="Native resolution of the heights in metres.")
    imagery_gsd = models.FloatField(null=True, blank=True, help_text="Native resolution of the imagery in metres.")
    tile_size = models.PositiveIntegerField(default=512, validators=[MinValueValidator(16), MaxValueValidator(4096)])
    void_limit = models.FloatField(
        default=0, validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="Percent of a tile."
    )
    uncovered_limit = models.FloatField(
        default=0, validators=[MinValueValidator(0), MaxValueValidator(100)], help_text="Percent of a tile."
    )
    recipe = models.JSONField(
        default=dict, blank=True, help_text="What a build needs to be repeated: inputs, bands, stretch."
    )
    reasons = models.JSONField(default=all_reasons, help_text="Codes of the reasons a reviewer may give, in key order.")
    policy = models.CharField(max_length=8, choices=Policy, default=Policy.ONE)
    second_look_percent = models.PositiveSmallIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="How much of the tiles gets a second look where only a sample does.",
    )
    second_look_seed = models.PositiveIntegerField(
        default=0, help_text="With the tile's number it says whether the tile is in the sample."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["name"]
        permissions: ClassVar = [("build_area", "Can build areas")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What no single field can say of itself, and resolutions that are none."""
        wrong = {}
        for what, words in (("dem", "elevation models"), ("imagery", "imagery")):
            first, last = getattr(self, f"{what}_from"), getattr(self, f"{what}_to")
            if first and last and last < first:
                wrong[f"{what}_to"] = f"The dates of the {words} cannot end before they begin."
            gsd = getattr(self, f"{what}_gsd")
            if gsd is not None and not 0 < gsd < 1e6:
                wrong[f"{what}_gsd"] = "A resolution is a number of metres above 0. Leave it empty when it is unknown."
        wrong |= self._wrong_words()
        if wrong:
            raise ValidationError(wrong)

    def _wrong_words(self) -> dict[str, str]:
        wrong = {}
        for name in ("name", "licence", "vertical_datum", "satellite", "description", "attribution"):
            long = name in ("description", "attribution")
            words, text = name.replace("_", " "), getattr(self, name)
            if hidden := hidden_character(text, lines=long):
                wrong[name] = f"The {words} holds an invisible character ({hidden}). Type it again without."
            elif long and len(text) > DESCRIPTION_LENGTH:
                wrong[name] = f"The {words} is too long: keep it below {DESCRIPTION_LENGTH:,} characters."
        return wrong


class AreaCounterManager(models.Manager["AreaCounter"]):
    def add(self, area_id: int, change: Mapping[str, int]) -> None:
        """Add to an area's counters, inside the transaction that changes what they count.

        Rows are touched in the order of their names, so that two writers cannot deadlock.
        """
        for name in sorted(name for name, by in change.items() if by):
            counter = self.filter(area_id=area_id, name=name)
            if not counter.update(value=F("value") + change[name]):
                self.get_or_create(area_id=area_id, name=name)
                counter.update(value=F("value") + change[name])

    def move(self, area_id: int, before: Counter[str], after: Counter[str]) -> None:
        """Count something that was counted as `before` as `after`."""
        change = Counter(after)
        change.subtract(before)
        self.add(area_id, change)


class AreaCounter(models.Model):
    """One maintained count of an area's tiles, named as `TilePair.counted` names it. Never counted on request."""

    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="counters")
    name = models.CharField(max_length=80)
    value = models.BigIntegerField(default=0)

    objects = AreaCounterManager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["area", "name"], name="one_counter_a_name")]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class DemFile(models.Model):
    """One elevation model an area is cut from. Its place in the order fixes the numbers of its tiles."""

    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="dem_files")
    position = models.PositiveIntegerField()
    path = models.TextField(help_text="On this machine; never shown to a browser.")
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    crs = models.TextField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    dtype = models.CharField(max_length=16)
    footprint = models.JSONField(default=list, help_text="Closed ring of longitude and latitude, EPSG:4326.")
    nodata = models.FloatField(null=True, blank=True, help_text="Absent when none is declared or it is NaN.")
    mosaic = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="The position of the first file of its mosaic; absent when it is cut by itself.",
    )

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["area", "position"], name="one_dem_file_a_position"),
            models.UniqueConstraint(fields=["area", "path"], name="a_dem_file_once_an_area"),
        ]

    def __str__(self) -> str:
        return self.name


class SkippedWindow(models.Model):
    """A window that took no number, and why."""

    class Reason(models.TextChoices):
        SEA = "sea", "All heights are zero"
        PARTIAL = "partial", "Cut off by the edge of the file"
        OUTSIDE = "outside", "Beyond the elevation models"
        AOI = "aoi", "Outside the area of interest"

    dem_file = models.ForeignKey(DemFile, on_delete=models.CASCADE, related_name="skipped")
    col = models.PositiveIntegerField()
    row = models.PositiveIntegerField()
    reason = models.CharField(max_length=16, choices=Reason)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["dem_file", "col", "row"], name="a_window_skipped_once")
        ]

    def __str__(self) -> str:
        return f"{self.dem_file} {self.col},{self.row}: {self.reason}"
