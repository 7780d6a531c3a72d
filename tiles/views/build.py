"""The pages on which a curator builds an area, and builds it on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify

from tiles.areas.selectors import area_counts
from tiles.build.busy import BUILD, RESTRETCH
from tiles.build.choosing import source_folder, source_path, source_tree, source_uploads
from tiles.build.restretch import area_restretch, rgb_is_stored
from tiles.build.services import STRETCH, AreaFacts, BuildOptions, area_build_start
from tiles.core.errors import ApplicationError, BadInput, NotAllowed, NotFound
from tiles.core.permissions import BUILD_AREA
from tiles.jobs.selectors import job_open
from tiles.models import Area, Job

NORMALISATIONS = [
    ("per_channel", "Each band by its own lowest and highest value"),
    ("joint", "All bands by one lowest and highest value"),
    ("none", "As it is, for imagery that is 0 to 255 already"),
]
NOTHING_CHOSEN = "Choose at least one folder or file."
WHOLE_NUMBERS = "Give three band numbers, as in 1,2,3."


class DateField(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class StretchForm(forms.Form):
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
    )
    bands = forms.CharField(label="Red, green, blue", initial="1,2,3", help_text="Band numbers, counted from 1.")
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

    def clean_bands(self) -> tuple[int, ...]:
        try:
            return tuple(int(part) for part in self.cleaned_data["bands"].split(","))
        except ValueError as error:
            raise forms.ValidationError(WHOLE_NUMBERS) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("slug") and cleaned.get("name"):
            cleaned["slug"] = slugify(cleaned["name"])[:80].strip("-")
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


class RebuildForm(StretchForm):
    """What can change about an area that has tiles."""

    remake = forms.BooleanField(
        label="Make the built tiles again too",
        required=False,
        help_text="From the source imagery. A tile whose pixels change goes back to pending.",
    )

    def stretch(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in STRETCH}


@permission_required(BUILD_AREA, raise_exception=True)
def area_build(request: HttpRequest) -> HttpResponse:
    """Four questions, and then the job."""
    form = BuildForm(request.POST or None)
    chosen = _chosen(request)
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            if Area.objects.filter(slug=cleaned["slug"]).exists():
                raise BadInput("There is an area of this short name already. Choose another one.", field="slug")
            job = area_build_start(
                slug=cleaned["slug"],
                dems=_dems(chosen["dems"], needed=True),
                imagery=_imagery(chosen["imagery"]),
                options=form.options(tile_size=cleaned["tile_size"], bands=cleaned["bands"], nir=cleaned["nir"]),
                facts=form.facts(),
                by=request.user,
            )
        except ApplicationError as error:
            _say(form, chosen, error)
        else:
            return redirect("job", job.pk)
    return render(request, "tiles/build.html", {**_context(form, chosen), "groups": form.groups()})


@permission_required(BUILD_AREA, raise_exception=True)
def area_rebuild(request: HttpRequest, slug: str) -> HttpResponse:
    """Go on with an area: what failed, other limits, more elevation models."""
    area = get_object_or_404(Area, slug=slug)
    form = RebuildForm(request.POST or None, initial=_standing(area))
    chosen = _chosen(request)
    if request.method == "POST" and form.is_valid():
        try:
            if _asks_for_pictures_only(area, form, chosen):
                job = area_restretch(slug=slug, **form.stretch(), by=request.user)
                messages.success(request, "The stored imagery is stretched anew; the source is not read.")
            else:
                job = area_build_start(
                    slug=slug,
                    dems=_dems(chosen["dems"], needed=False),
                    options=form.options(),
                    remake=form.cleaned_data["remake"],
                    by=request.user,
                )
        except ApplicationError as error:
            _say(form, chosen, error)
        else:
            return redirect("job", job.pk)
    context: dict[str, Any] = {
        "area": area,
        "counts": area_counts(area),
        "rgb_stored": rgb_is_stored(area),
        "open_job": job_open(kind=BUILD, subject=slug) or job_open(kind=RESTRETCH, subject=slug),
        "last_job": Job.objects.filter(area=area, kind="build").order_by("-id").first(),
    }
    return render(request, "tiles/build_again.html", {**_context(form, chosen), **context})


@permission_required(BUILD_AREA, raise_exception=True)
def build_sources(request: HttpRequest) -> HttpResponse:
    """What is in one folder of the sources, for the chooser."""
    field = "imagery" if request.GET.get("field") == "imagery" else "dems"
    try:
        node = source_folder(request.GET.get("at", ""))
    except BadInput as error:
        raise NotFound(error.message) from error
    return render(request, "tiles/_source_nodes.html", {"node": node, "field": field})


def _standing(area: Area) -> dict[str, Any]:
    """How the area is built, as the form shows it."""
    stretch = {**STRETCH, **area.recipe.get("stretch", {})}
    numbers = {"void_limit": area.void_limit, "uncovered_limit": area.uncovered_limit, "percent": stretch["percent"]}
    return {**stretch, **{name: f"{number:g}" for name, number in numbers.items()}}


def _asks_for_pictures_only(area: Area, form: RebuildForm, chosen: dict[str, Any]) -> bool:
    """Whether the stretch is all that changes, so that neither heights nor source imagery need be read."""
    stretch = {**STRETCH, **area.recipe.get("stretch", {})}
    limits = {name: form.cleaned_data[name] for name in ("void_limit", "uncovered_limit")}
    return (
        form.stretch() != stretch
        and not form.cleaned_data["remake"]
        and not chosen["dems"]
        and all(getattr(area, name) == value for name, value in limits.items())
        and rgb_is_stored(area)
    )


def _chosen(request: HttpRequest) -> dict[str, Any]:
    """The keys that were ticked, and what is wrong with them."""
    return {
        "dems": request.POST.getlist("dems"),
        "imagery": request.POST.getlist("imagery"),
        "errors": {},
    }


def _dems(keys: list[str], *, needed: bool) -> list[Any]:
    if needed and not keys:
        raise BadInput(NOTHING_CHOSEN, field="dems")
    return [_path(key, "dems") for key in keys]


def _imagery(keys: list[str]) -> str:
    if len(keys) != 1:
        raise BadInput("Choose the folder or file that holds the imagery.", field="imagery")
    return f"raster:{_path(keys[0], 'imagery')}"


def _path(key: str, field: str) -> Any:
    try:
        return source_path(key)
    except BadInput as error:
        error.extra["field"] = field
        raise


def _say(form: forms.Form, chosen: dict[str, Any], error: ApplicationError) -> None:
    """Put an error beside the question it is about."""
    if isinstance(error, NotAllowed):
        raise error
    field = error.extra.get("field")
    if field in ("dems", "imagery"):
        chosen["errors"][field] = error.message
    else:
        form.add_error(field if field in form.fields else None, error.message)


def _context(form: forms.Form, chosen: dict[str, Any]) -> dict[str, Any]:
    return {
        "section": "areas",
        "form": form,
        "dem_nodes": source_tree(chosen["dems"]),
        "imagery_nodes": source_tree(chosen["imagery"]),
        "uploaded": source_uploads(chosen["dems"]),
        "chosen": chosen,
        "wrong": bool(form.errors or chosen["errors"]),
    }
