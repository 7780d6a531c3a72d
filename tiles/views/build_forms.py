"""What the build pages ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import slugify

from tiles.build.services import STRETCH, AreaFacts, BuildOptions
from tiles.core.errors import BadInput
from tiles.imagery.ee_request import PRESETS, Request, days_lost, request_made
from tiles.imagery.questions import CATALOGUE, EARTHENGINE, PRESET, Question, not_configured
from tiles.imagery.stac import DEFAULTS, NATIVE_GSD
from tiles.models import Area

NORMALISATIONS = [
    ("per_channel", "Each band by its own lowest and highest value"),
    ("joint", "All bands by one lowest and highest value"),
    ("none", "As it is, for imagery that is 0 to 255 already"),
]
SOURCES = [
    ("raster", "Files on disk"),
    ("stac", "A STAC catalogue"),
    ("earthengine", "Earth Engine"),
]
NO_SHORT_NAME = "No short name can be made of this name: give one in lower-case letters, digits and hyphens."
WHOLE_NUMBERS = "Give three band numbers, as in 1,2,3."


class DateField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PictureForm(forms.Form):
    """How the picture is made of the imagery."""

    normalisation = forms.ChoiceField(label="To 8 bits", choices=NORMALISATIONS, initial="per_channel")
    percent = forms.FloatField(
        label="Stretch (%)",
        min_value=0,
        max_value=49.9,
        initial=1,
        help_text="Cut off at either end of the 8-bit picture; 0 leaves it as it is.",
    )
    per_channel_percent = forms.BooleanField(
        label="Stretch each band by itself (1 %, blue 0.3 %)", required=False, initial=False
    )

    def stretch(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in STRETCH}


class StretchForm(PictureForm):
    """What both pages ask about the limits and the picture."""

    void_limit = forms.FloatField(
        label="Void limit (%)",
        min_value=0,
        max_value=100,
        initial=0,
        help_text="A tile with more pixels without a height fails, and keeps its number.",
    )
    uncovered_limit = forms.FloatField(
        label="Uncovered limit (%)",
        min_value=0,
        max_value=100,
        initial=0,
        help_text="A tile with more pixels without imagery fails, and keeps its number.",
    )

    def options(self, **more: Any) -> BuildOptions:
        names = ("void_limit", "uncovered_limit", *STRETCH)
        return BuildOptions(**{name: self.cleaned_data[name] for name in names}, **more)


class BuildForm(StretchForm):
    """Four questions about a new area, and what it says of itself."""

    name = forms.CharField(label="Name", max_length=200)
    slug = forms.SlugField(
        label="Short name",
        max_length=80,
        required=False,
        help_text="For addresses and file names, as in japan-korea; made from the name when left empty.",
        error_messages={"invalid": "Use lower-case letters, digits and hyphens, as in japan-korea."},
    )
    source = forms.ChoiceField(
        label="Where it comes from", choices=SOURCES, initial="raster", required=False, widget=forms.RadioSelect
    )
    bands = forms.CharField(
        label="Red, green, blue", initial="1,2,3", required=False, help_text="Band numbers, counted from 1."
    )
    nir = forms.IntegerField(label="Near infrared band", min_value=1, required=False)
    tile_size = forms.IntegerField(label="Tile size (pixels)", min_value=16, max_value=4096, initial=512)
    surface = forms.ChoiceField(label="Surface or terrain", choices=Area.Surface, initial=Area.Surface.UNKNOWN)
    height_unit = forms.ChoiceField(
        label="Unit of the heights",
        choices=Area.HeightUnit,
        initial=Area.HeightUnit.UNKNOWN,
        help_text="Feet are converted: tiles are in metres.",
    )
    vertical_datum = forms.CharField(
        label="Vertical datum", max_length=100, initial="unknown", help_text="EGM96, EGM2008, WGS 84 ellipsoid …"
    )
    dem_gsd = forms.FloatField(
        label="Native resolution of the heights (m)", min_value=0, required=False, help_text="The file's when empty."
    )
    dem_from = DateField(label="Heights acquired from", required=False)
    dem_to = DateField(label="Heights acquired to", required=False)
    satellite = forms.CharField(label="Imagery taken by", max_length=100, required=False, help_text="As in Sentinel-2.")
    imagery_gsd = forms.FloatField(
        label="Native resolution of the imagery (m)", min_value=0, required=False, help_text="The file's when empty."
    )
    imagery_from = DateField(label="Imagery acquired from", required=False)
    imagery_to = DateField(label="Imagery acquired to", required=False)
    licence = forms.CharField(label="Licence", max_length=200, initial="unknown")
    attribution = forms.CharField(label="Attribution", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    synthetic = forms.BooleanField(label="Synthetic: generated, not observed", required=False)

    HEIGHTS = ("surface", "height_unit", "vertical_datum", "dem_gsd", "dem_from", "dem_to")
    IMAGERY = ("satellite", "imagery_gsd", "imagery_from", "imagery_to")
    RIGHTS = ("licence", "attribution", "synthetic")

    def clean_source(self) -> str:
        return self.cleaned_data["source"] or "raster"

    def clean_bands(self) -> tuple[int, ...]:
        if self.cleaned_data.get("source") != "raster":
            return ()
        try:
            return tuple(int(part) for part in self.cleaned_data["bands"].split(","))
        except ValueError as error:
            raise forms.ValidationError(WHOLE_NUMBERS) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("slug") and cleaned.get("name"):
            cleaned["slug"] = slugify(cleaned["name"])[:80].strip("-")
            if not cleaned["slug"] and "slug" not in self.errors:
                self.add_error("slug", NO_SHORT_NAME)
        return cleaned

    def facts(self) -> AreaFacts:
        return AreaFacts(
            name=self.cleaned_data["name"],
            **{name: self.cleaned_data[name] for name in (*self.HEIGHTS, *self.IMAGERY, *self.RIGHTS)},
        )

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """What the area says of itself, in three parts."""
        return [
            ("The heights", [self[name] for name in self.HEIGHTS]),
            ("The imagery", [self[name] for name in self.IMAGERY]),
            ("Rights", [self[name] for name in self.RIGHTS]),
        ]


class AnswerField(forms.CharField):
    """The answer to one question about imagery, as its source takes it."""

    def __init__(self, question: Question) -> None:
        self.question = question
        help_text = question.help[:1].upper() + question.help[1:] + "." if question.help else ""
        super().__init__(
            label=question.label, required=not question.optional, help_text=help_text, widget=_widget(question)
        )

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.question.shown(value)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return ""
        try:
            return self.question.parse(text)
        except ValueError as error:
            hint = str(error)
            raise forms.ValidationError(f"{hint[:1].upper()}{hint[1:]}.") from error


def _widget(question: Question) -> forms.Widget:
    if question.choices:
        return forms.Select(choices=list(question.choices.items()))
    if question.kind == "day":
        return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    if question.kind in ("number", "whole"):
        attrs["inputmode"] = "decimal" if question.kind == "number" else "numeric"
    if question.suggestions:
        attrs["list"] = f"{question.name}-suggestions"
    return forms.TextInput(attrs=attrs)


class AnswersForm(forms.Form):
    """The questions of one source. Its fields may be out of sight, and then the browser must not insist on them."""

    use_required_attribute = False
    questions: tuple[Question, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in self.questions:
            if question.kind == "yes":
                self.fields[question.name] = forms.BooleanField(label=question.label, required=False)
            else:
                self.fields[question.name] = AnswerField(question)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", "The imagery cannot end before it begins.")
        return cleaned

    def shown(self, *, rare: bool) -> Iterable[forms.BoundField]:
        return [self[question.name] for question in self.questions if question.rare == rare]

    @property
    def usual(self) -> Iterable[forms.BoundField]:
        return self.shown(rare=False)

    @property
    def rare(self) -> Iterable[forms.BoundField]:
        return self.shown(rare=True)

    @property
    def rare_is_wrong(self) -> bool:
        return any(field.errors for field in self.rare)


class CatalogueForm(AnswersForm):
    """What is looked for in a STAC catalogue."""

    prefix = "stac"
    questions = CATALOGUE
    url = forms.CharField(
        label="Address of the STAC API",
        widget=forms.URLInput(attrs={"placeholder": "https://…", "autocomplete": "off"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={**DEFAULTS, "assets": ""})

    @property
    def missing(self) -> str:
        return not_configured("stac")

    @property
    def hosts(self) -> list[str]:
        return list(settings.DEMETER_STAC_HOSTS)

    def imagery(self) -> str:
        return f"stac:{self.cleaned_data['url']}"

    def native_gsd(self) -> float | None:
        return NATIVE_GSD

    def search(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "url" and value != ""}


class EarthEngineForm(AnswersForm):
    """What is asked of Earth Engine: a preset, and every part of it.

    `filled` says which preset and collection the fields were filled from. Only what differs from these is a change, so
    another preset or collection can be chosen without a script, and brings its own parts along.
    """

    prefix = "ee"
    questions = EARTHENGINE
    preset = forms.ChoiceField(label=PRESET.label, choices=list(PRESET.choices.items()))
    filled = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None = None, *, request: Request = PRESETS["cloud-score"]) -> None:
        filled = f"{request.preset} {request.collection}"
        super().__init__(data, initial={**request.to_dict(), "filled": filled})

    @property
    def missing(self) -> str:
        return not_configured("earthengine")

    @property
    def suggestions(self) -> Mapping[str, str]:
        return next(question.suggestions for question in self.questions if question.suggestions)

    @property
    def published_days(self) -> tuple[int, int]:
        """How many days the published preset really uses, and how many it names."""
        return days_lost(PRESETS["published"])

    def imagery(self) -> str:
        return "earthengine"

    def native_gsd(self) -> float | None:
        """Metres, of the collection; None when that is not known or an answer is wrong."""
        try:
            return request_made(self.search()).known.gsd if self.is_valid() else None
        except BadInput:
            return None

    def search(self) -> dict[str, Any]:
        """What is asked for, as `request_made` takes it."""
        preset, _, collection = self.cleaned_data["filled"].partition(" ")
        try:
            filled = request_made({"preset": preset, "collection": collection or None})
        except BadInput:
            filled = PRESETS["cloud-score"]
        names = [question.name for question in self.questions if question.name != "collection"]
        changes = {
            name: value
            for name in names
            if (value := self.cleaned_data[name]) != ("" if (old := getattr(filled, name)) is None else old)
        }
        return {**{name: self.cleaned_data[name] for name in ("preset", "collection")}, **changes}


class RebuildForm(StretchForm):
    """What can change about an area that has tiles."""

    remake = forms.BooleanField(
        label="Make the built tiles again too",
        required=False,
        help_text="From the source imagery. A tile whose pixels change goes back to pending.",
    )
    tile = forms.IntegerField(
        label="Tile to try it on",
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        help_text="By its number; one from the middle when empty.",
    )


Searches = Mapping[str, CatalogueForm | EarthEngineForm]


def searches_of(form: BuildForm) -> Searches:
    """The forms of the sources that are searched; only the chosen one holds answers, and can be wrong."""
    chosen = form["source"].value() if form.is_bound else ""
    return {
        "stac": CatalogueForm(form.data if chosen == "stac" else None),
        "earthengine": EarthEngineForm(form.data if chosen == "earthengine" else None),
    }


def bound(searches: Searches) -> list[CatalogueForm | EarthEngineForm]:
    return [search for search in searches.values() if search.is_bound]


def all_valid(*asked: forms.Form) -> bool:
    """Whether all of them are; each is looked at, so that every question says what is wrong."""
    valid = [form.is_valid() for form in asked]
    return all(valid)
