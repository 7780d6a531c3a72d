"""The text of a tile, every version it ever had, who proposed it, who read it, and what is doubtful about it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from tiles.models import Area, Job, TilePair
from tiles.models.appendonly import AppendOnly

PERSON = "person"
MAX_LENGTH = 2000


class Reading(models.TextChoices):
    """How far people have come with a caption."""

    UNREAD = "unread", "Not read"
    READ = "read", "Read by one person"
    CONFIRMED = "confirmed", "Confirmed"


class Caption(models.Model):
    """What is said about a tile now: a copy of its newest revision, whose number is `version`."""

    tile = models.OneToOneField(TilePair, on_delete=models.PROTECT, related_name="caption")
    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="captions", db_index=False, help_text="The tile's, for listing."
    )
    version = models.PositiveIntegerField()
    text = models.TextField()
    components = models.JSONField(
        default=dict, blank=True, help_text="terms, category, weather, and a prompt written by hand."
    )
    origin = models.CharField(max_length=32, help_text="Whose words these are: a captioner's name, or `person`.")
    author = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who wrote or restored them; nobody while it is a machine's work untouched.",
    )
    updated_at = models.DateTimeField()

    prompt = models.TextField(blank=True, help_text="Composed from the components, or the hand-written one.")
    state = models.CharField(max_length=9, choices=Reading, default=Reading.UNREAD)
    flagged = models.BooleanField(default=False, help_text="Somebody wants another look at it.")
    read_by = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who accepted or saved this version first; a second reader is somebody else.",
    )
    doubt = models.FloatField(default=0, help_text="How much it deserves a look, 0..1.")
    likeness = models.BigIntegerField(default=0, help_text="Shared by texts that say the same; 0 when not worked out.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(origin=PERSON) | Q(author__isnull=False), name="a_persons_caption_has_an_author"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="a_caption_has_a_revision"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-updated_at", "-id"], name="caption_newest"),
            models.Index(fields=["origin", "-updated_at", "-id"], name="caption_newest_of_origin"),
            models.Index(fields=["area", "-updated_at", "-id"], name="caption_of_area"),
            models.Index(fields=["area", "origin", "-updated_at", "-id"], name="caption_of_area_and_origin"),
            models.Index(fields=["area", "state", "-doubt", "id"], name="caption_queue"),
            models.Index(fields=["area", "-doubt", "id"], name="caption_by_doubt"),
            models.Index(fields=["state", "-updated_at", "-id"], name="caption_newest_of_state"),
            models.Index(fields=["area", "state", "-updated_at", "-id"], name="caption_of_area_and_state"),
            models.Index(fields=["area", "id"], name="caption_flagged", condition=Q(flagged=True)),
            models.Index(fields=["area", "likeness"], name="caption_alike"),
        ]
        permissions: ClassVar = [("rectify_caption", "Can rectify captions")]

    def __str__(self) -> str:
        return self.text


class CaptionRevision(AppendOnly):
    """One version of a caption: by whom or by what, when, and from what it was made."""

    PERSON = PERSON

    caption = models.ForeignKey(Caption, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    components = models.JSONField(default=dict, blank=True)
    origin = models.CharField(max_length=32)
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    provenance = models.JSONField(default=dict, blank=True, help_text="Backend, model, prompt, facts used.")
    restores = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    proposal = models.ForeignKey(
        "captions.Proposal",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The machine's text it was made from.",
    )
    words_changed = models.PositiveIntegerField(
        null=True, blank=True, help_text="Words put in, taken out or replaced in the machine's text it was made from."
    )
    action = models.UUIDField(null=True, blank=True, help_text="Shared by the revisions of one bulk change.")
    client_id = models.UUIDField(unique=True, help_text="Made by who saves, so that a repeated request counts once.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["caption_id", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caption", "number"], name="one_revision_a_number"),
            models.CheckConstraint(
                condition=~Q(origin=PERSON) | Q(author__isnull=False), name="a_persons_revision_has_an_author"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["author", "-id"], name="revision_of_person"),
            models.Index(fields=["action"], name="revision_of_action", condition=Q(action__isnull=False)),
            models.Index(fields=["-id"], name="revision_by_people", condition=Q(author__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.caption_id} r{self.number}"


class CaptionReading(AppendOnly):
    """One entry of the log of reading: a person accepted, confirmed or flagged a version of a caption."""

    class Verb(models.TextChoices):
        ACCEPT = "accept", "Accepted"
        CONFIRM = "confirm", "Confirmed"
        FLAG = "flag", "Flagged"
        UNFLAG = "unflag", "Flag taken off"
        UNDO = "undo", "Undone"

    caption = models.ForeignKey(Caption, on_delete=models.PROTECT, related_name="readings")
    version = models.PositiveIntegerField(help_text="The version of the caption that was on the screen.")
    verb = models.CharField(max_length=8, choices=Verb)
    from_state = models.CharField(max_length=9, choices=Reading)
    to_state = models.CharField(max_length=9, choices=Reading)
    note = models.TextField(blank=True, max_length=2000)
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    client_id = models.UUIDField(unique=True, help_text="Made by the browser, so that a repeated request counts once.")
    undoes = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["caption", "id"], name="reading_of_caption"),
            models.Index(fields=["by", "-id"], name="reading_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.caption_id}: {self.verb}"


class Instruction(AppendOnly):
    """What captioners are told about an area; the newest counts, and a caption names the one it followed."""

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="instructions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    terms = models.JSONField(default=list, help_text="The terms an answer may choose from: farmland, plain, ocean ...")
    by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["area_id", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["area", "number"], name="one_instruction_a_number")]

    def __str__(self) -> str:
        return f"{self.area} i{self.number}"


class Proposal(AppendOnly):
    """What one captioner said of one tile. Several may propose; one of them is the caption until a person writes."""

    tile = models.ForeignKey(TilePair, on_delete=models.PROTECT, related_name="proposals")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+", db_index=False)
    captioner = models.CharField(max_length=64)
    text = models.TextField()
    components = models.JSONField(default=dict, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    provenance = models.JSONField(default=dict, blank=True, help_text="Backend, model, prompt, raw answer, tokens.")
    instruction = models.ForeignKey(Instruction, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    client_id = models.UUIDField(unique=True, help_text="Follows from what was asked, so that nothing is kept twice.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["tile", "captioner", "-id"], name="proposal_of_tile"),
            models.Index(fields=["area", "captioner", "-id"], name="proposal_of_area"),
        ]

    def __str__(self) -> str:
        return f"{self.tile}: {self.captioner}"


class CaptionVote(AppendOnly):
    """A person compared what several captioners said of a tile, and chose; nobody's text where all were as good."""

    tile = models.ForeignKey(TilePair, on_delete=models.PROTECT, related_name="+")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+", db_index=False)
    winner = models.CharField(max_length=64, blank=True, help_text="A captioner; empty where none was better.")
    rivals = models.JSONField(help_text="Captioner -> the number of its proposal.")
    blind = models.BooleanField(help_text="Whether the captioners' names were hidden.")
    by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    client_id = models.UUIDField(unique=True, help_text="Made with the page, so that a repeated request counts once.")

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["area", "winner"], name="vote_of_area")]

    def __str__(self) -> str:
        return f"{self.tile}: {self.winner or 'none better'}"


class Finding(models.Model):
    """Something doubtful about a caption as it stands; a dismissed one stays, so that it is not found again."""

    caption = models.ForeignKey(Caption, on_delete=models.CASCADE, related_name="findings")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=32)
    words = models.CharField(max_length=200, blank=True, help_text="The words it is about, as they stand in the text.")
    start = models.PositiveIntegerField(null=True, blank=True, help_text="Where the words begin in the text.")
    message = models.TextField(help_text="What is doubtful and why, as a sentence.")
    severity = models.FloatField(help_text="0..1")
    around = models.CharField(
        max_length=16, blank=True, help_text="Of the sentence it is in: a dismissal holds while that stays."
    )
    dismissed_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    dismissed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["caption_id", "-severity", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["caption", "code", "words"], name="one_finding_a_place"),
            models.CheckConstraint(
                condition=Q(dismissed_by__isnull=True, dismissed_at__isnull=True)
                | Q(dismissed_by__isnull=False, dismissed_at__isnull=False),
                name="a_dismissal_has_person_and_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["area", "code", "caption"], name="finding_of_area", condition=Q(dismissed_at__isnull=True)
            ),
            models.Index(fields=["code", "caption"], name="finding_of_code", condition=Q(dismissed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.caption_id}: {self.code}"


class CaptionSettings(models.Model):
    """What is wanted of an area's captions."""

    area = models.OneToOneField(Area, on_delete=models.CASCADE, related_name="caption_settings", primary_key=True)
    preset = models.CharField(max_length=32, default="mmm-rs-short", help_text="How the prompt is composed.")
    template = models.TextField(blank=True, help_text="An own template instead of the preset's.")
    dataset = models.CharField(max_length=100, blank=True, help_text="As the prompt names it, as in GID.")
    low_limit = models.FloatField(default=10, help_text="Metres a pixel up to which the resolution counts as low.")
    banned = models.JSONField(default=list, blank=True, help_text="Words that no caption of the area may hold.")
    language = models.CharField(max_length=8, default="en")
    second_reader = models.BooleanField(default=False, help_text="A caption counts as confirmed by two people only.")

    def __str__(self) -> str:
        return f"captions of {self.area}"


class CaptionDraft(models.Model):
    """What somebody has written and not saved yet, so that another computer or a lost session does not lose it."""

    tile = models.ForeignKey(TilePair, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    components = models.JSONField(default=dict, blank=True)
    base_version = models.PositiveIntegerField(help_text="The version it was written over.")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["tile", "by"], name="one_draft_a_person")]

    def __str__(self) -> str:
        return f"draft of {self.tile_id} by {self.by_id}"


class CaptionClaim(models.Model):
    """A caption that was handed out to a person and stands before nobody else until then.

    It holds while the caption has the version it was handed out with: whoever saves gives it back without a write of
    its own. page: the browser page that holds it, so that leaving one page does not give back what another one has.
    """

    caption = models.OneToOneField(Caption, primary_key=True, on_delete=models.CASCADE, related_name="claim")
    area = models.ForeignKey(Area, on_delete=models.CASCADE, related_name="+", db_index=False)
    by = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    page = models.UUIDField()
    version = models.PositiveIntegerField()
    until = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["area", "until"], name="caption_claim_in_force")]

    def __str__(self) -> str:
        return f"{self.caption_id} by {self.by_id} until {self.until}"
