"""Words that have a label, a key and a colour wherever they are shown."""

from __future__ import annotations

from typing import NamedTuple

from django.db import models


class BuildState(models.TextChoices):
    PLANNED = "planned", "Planned"
    BUILT = "built", "Built"
    FAILED = "failed", "Failed"


class ReviewState(models.TextChoices):
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    UNSURE = "unsure", "Unsure"
    SECOND = "second", "Second look"
    DISPUTED = "disputed", "Disputed"


WAITING_STATES = (ReviewState.SECOND, ReviewState.DISPUTED)
"""Somebody gave a verdict, and the area's policy asks for one more person: a second, or a third after a dispute."""

SETTLED_STATES = (ReviewState.APPROVED, ReviewState.REJECTED)
"""Nobody's look is wanted any more."""


class Policy(models.TextChoices):
    """How many people it takes to settle a tile of an area."""

    ONE = "one", "One reviewer settles a tile"
    TWO = "two", "Two reviewers must agree; a third settles a disagreement"
    SAMPLED = "sampled", "One reviewer, and a sample of the tiles as with two"


class Failure(models.TextChoices):
    """Why a tile could not be built."""

    NONE = "", "None"
    VOID = "void", "Too many voids in the heights"
    NOT_COVERED = "not_covered", "Not covered by the imagery"
    BLANK = "blank", "The imagery is blank"
    UNREADABLE = "unreadable", "An input could not be read"
    SOURCE = "source", "The imagery source refused"
    CRASHED = "crashed", "The worker died again and again"


class Unstretched(models.TextChoices):
    """Why the picture of a built tile could not be stretched anew. It stays as it was."""

    DROPPED = "rgb_dropped", "The unstretched imagery was dropped"
    DAMAGED = "rgb_damaged", "The unstretched imagery is damaged or missing"
    DIED = "restretch_died", "The worker died again and again, the picture stays as it was"


class Modality(models.TextChoices):
    RGB = "rgb", "RGB"
    SAR = "sar", "SAR"
    NIR = "nir", "Near infrared"


class Scene(models.TextChoices):
    CLEAR = "", "Clear"
    FOG = "fog", "Fog"
    NIGHT = "night", "Night"
    SNOW = "snow", "Snow"


class Reason(NamedTuple):
    code: str
    label: str
    key: str
    needs_note: bool = False


REJECTION_REASONS = (
    Reason("cloud", "Cloud or haze", "c"),
    Reason("shadow", "Shadow", "s"),
    Reason("void", "Void", "v"),
    Reason("seam", "Seam or striping", "e"),
    Reason("dem_artefact", "DEM artefact", "d"),
    Reason("misaligned", "Misaligned", "m"),
    Reason("blank", "Blank or corrupt", "b"),
    Reason("flat", "Flat", "f"),
    Reason("duplicate", "Duplicate", "p"),
    Reason("outdated", "Outdated", "t"),
    Reason("other", "Other, with a note", "o", needs_note=True),
)
REASON_BY_CODE = {reason.code: reason for reason in REJECTION_REASONS}
