"""Releases: immutable, versioned exports of approved tiles."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from captions.models import CaptionRevision
from tiles.models import Area, Job, ReviewDecision, TilePair


class Release(models.Model):
    """An export. What is in it is frozen in its entries before the first byte is written."""

    class State(models.TextChoices):
        BUILDING = "building", "Being written"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    name = models.SlugField(max_length=80, unique=True)
    layout = models.CharField(max_length=32, default="rs3dbench")
    options = models.JSONField(default=dict, blank=True, help_text="Of the layout: those that were chosen.")
    state = models.CharField(max_length=8, choices=State, default=State.BUILDING)
    notes = models.TextField(blank=True)
    version = models.CharField(max_length=64, default="1.0.0", help_text="Semantic, as in 1.2.0.")
    doi = models.CharField(max_length=200, blank=True, help_text="As in 10.5281/zenodo.1234.")
    authors = models.JSONField(default=list, blank=True, help_text="Names, for citations.")
    asked = models.JSONField(
        default=dict, blank=True, help_text="How tiles were chosen and split: filter, list, unique, split."
    )
    report = models.JSONField(
        default=dict, blank=True, help_text="By split: counts, landforms, heights; what leaks between splits."
    )
    statistics = models.JSONField(
        default=dict, blank=True, help_text="What its manifest says in numbers; filled when the archive is written."
    )
    areas = models.ManyToManyField(Area, related_name="releases")
    contents = models.JSONField(
        default=list, blank=True, help_text="By area: what it said of itself when the release was made, and counts."
    )
    tile_count = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=dict, blank=True, help_text="Reason -> number of approved tiles not taken.")
    planned_size = models.BigIntegerField(default=0, help_text="Bytes of the tiles' files, for the check of the disk.")
    size = models.BigIntegerField(null=True, blank=True, help_text="Bytes of all its files.")
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the archive; of the list of all checksums if many."
    )
    shard_megabytes = models.PositiveIntegerField(
        default=4000, help_text="A larger archive is cut into files of so many megabytes at the most."
    )
    error = models.TextField(blank=True)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.PROTECT, related_name="releases")
    created_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="releases"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    client_id = models.UUIDField(
        null=True, blank=True, unique=True, help_text="Made by who asks, so that a repeated request counts once."
    )
    ready_at = models.DateTimeField(null=True, blank=True)
    named = models.BooleanField(default=False, help_text="People stand in it by their names, not by pseudonyms.")
    public_since = models.DateTimeField(null=True, blank=True, help_text="Since when it needs no sign-in.")
    archive_removed_at = models.DateTimeField(null=True, blank=True, help_text="When its archive was deleted.")
    store = models.CharField(max_length=200, blank=True, help_text="As in s3://bucket/prefix; empty: the data folder.")
    downloads = models.PositiveBigIntegerField(default=0, help_text="Of its archives, as often as one was begun.")

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [("make_release", "Can make releases")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(state="ready")
                | (~models.Q(sha256="") & models.Q(size__isnull=False) & models.Q(ready_at__isnull=False)),
                name="a_ready_release_has_an_archive",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_archive(self) -> bool:
        return self.state == Release.State.READY and self.archive_removed_at is None


class ReleaseFile(models.Model):
    """A file of a ready release as people download it: its archive, or one shard of a large one."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=120, help_text="As in coast-1.zip; unique in the release.")
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["release_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["release", "position"], name="one_file_a_position"),
            models.UniqueConstraint(fields=["release", "name"], name="a_file_name_once_a_release"),
        ]

    def __str__(self) -> str:
        return f"{self.release}: {self.name}"


class ReleaseEntry(models.Model):
    """A tile as a release holds it: which pixels, which decision, which words, and for what it is."""

    class Split(models.TextChoices):
        NONE = "", "None"
        TRAIN = "train", "Training"
        VAL = "val", "Validation"
        TEST = "test", "Test"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="entries")
    position = models.PositiveIntegerField()
    tile = models.ForeignKey(TilePair, on_delete=models.PROTECT, related_name="release_entries")
    layers = models.JSONField(help_text="The tile's layers when it was taken.")
    decision = models.ForeignKey(ReviewDecision, on_delete=models.PROTECT, related_name="+")
    caption_revision = models.ForeignKey(
        CaptionRevision, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    prompt = models.TextField(blank=True, help_text="The composed prompt when the tile was taken.")
    split = models.CharField(max_length=5, choices=Split, default=Split.NONE, blank=True)
    pixels = models.CharField(max_length=64, blank=True, help_text="A digest of the checksums of its layers.")

    class Meta:
        ordering: ClassVar = ["release_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["release", "position"], name="one_entry_a_position"),
            models.UniqueConstraint(fields=["release", "tile"], name="a_tile_once_a_release"),
        ]

    def __str__(self) -> str:
        return f"{self.release}: {self.tile}"


class LeftOutTile(models.Model):
    """An approved tile that was chosen and yet not taken. In words, so that it outlives the tile."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="left_out_tiles")
    position = models.PositiveIntegerField()
    tile = models.CharField(max_length=100, help_text="Area and number, as in coast/42.")
    reason = models.CharField(max_length=16)
    favoured = models.CharField(max_length=100, blank=True, help_text="The tile that stayed in its place.")

    class Meta:
        ordering: ClassVar = ["release_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["release", "position"], name="one_left_out_a_position"),
        ]

    def __str__(self) -> str:
        return f"{self.release} without {self.tile}: {self.reason}"


class ReleaseLink(models.Model):
    """Lets whoever has it download a release for a while, without a session: as long as its maker may."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="links")
    made_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.release}: link {self.pk}"


class ReleaseDownload(models.Model):
    """A download that was begun; or a day's single files of one release, for one person, link, or the public.

    No address is kept. Neither by nor link: somebody whom nobody knows, for the release is public.
    """

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="download_log")
    file = models.CharField(max_length=120, blank=True, help_text="As in coast-1.zip; empty: single files.")
    files = models.PositiveBigIntegerField(default=1)
    by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    link = models.ForeignKey(ReleaseLink, null=True, blank=True, on_delete=models.RESTRICT, related_name="downloads")
    at = models.DateTimeField(help_text="When it began; the first one of that day.")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["release", "-id"], name="downloads_of_a_release")]

    def __str__(self) -> str:
        return f"{self.release}: {self.file or 'single files'}"


class ReleaseEvent(models.Model):
    """What somebody did with a ready release. Only ever added to."""

    class Verb(models.TextChoices):
        LINK = "link", "Made a link"
        REVOKE = "revoke", "Revoked links"
        PUBLISH = "publish", "Made it public"
        UNPUBLISH = "unpublish", "Made it private"
        REMOVE = "remove", "Removed the archive"

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="events")
    verb = models.CharField(max_length=9, choices=Verb)
    note = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.release}: {self.verb}"
