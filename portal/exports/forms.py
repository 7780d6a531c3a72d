"""The form that asks for a release. The rules are the services'; here words become what they take."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from tiles.core.errors import BadInput
from tiles.models import Area

from .layouts import LAYOUTS, Layout, Option, layout_of
from .selection import query_normal, view_query, views_offered
from .services import MOST_SHARD_MEGABYTES, NOTES_LENGTH, SHARD_MEGABYTES
from .splitting.blocks import SPLITS
from .wanted import BY_AREA, FILES, MOST_SEED, SHARES, WAY_WORDS, Split, Terms, Wanted, authors_of

DEFAULT_LAYOUT = "rs3dbench"
MOST_LIST_BYTES = 50_000_000
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
LINES = {"rows": 3, **PLAIN}


class WantedForm(forms.Form):
    """Which tiles, how they are split, and the options of the layout. What is absent has its default.

    areas: what may be chosen; each of them has `licence-<slug>`, `attribution-<slug>` and `split-<slug>` beside it.
    An option of a layout is `<layout>.<option>`; those of other layouts than the chosen one count for nothing.
    """

    view = forms.ChoiceField(required=False, label="Saved view", help_text="Only what a view of the gallery shows.")
    filter = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs=PLAIN),
        help_text="The gallery's address from its question mark on: <code>landform=hill&amp;relief_from=9</code>.",
    )
    tiles = forms.CharField(
        required=False,
        label="List of tiles",
        widget=forms.Textarea(attrs=LINES),
        help_text="Only these: area and number, one a line, as in <code>coast/42</code>.",
    )
    tiles_file = forms.FileField(required=False, label="The list as a file")
    unique = forms.BooleanField(
        required=False,
        label="Leave out near-duplicates",
        help_text="Of tiles that show the same ground, or the same picture and heights, the first stays.",
    )
    way = forms.ChoiceField(required=False, label="How", choices=list(WAY_WORDS.items()))
    train = forms.FloatField(required=False, min_value=0, max_value=100, label="Training, %")
    val = forms.FloatField(required=False, min_value=0, max_value=100, label="Validation, %")
    test = forms.FloatField(required=False, min_value=0, max_value=100, label="Test, %")
    seed = forms.IntegerField(
        required=False, min_value=0, max_value=MOST_SEED, help_text="The same seed and tiles give the same splits."
    )
    block_km = forms.FloatField(
        required=False, label="Width of a block, km", help_text="Tiles of one block go the same way."
    )
    buffer_km = forms.FloatField(
        required=False, label="Buffer, km", help_text="What lies nearer to another split is left out."
    )
    train_list = forms.CharField(required=False, label="Tiles for training", widget=forms.Textarea(attrs=LINES))
    val_list = forms.CharField(required=False, label="Tiles for validation", widget=forms.Textarea(attrs=LINES))
    test_list = forms.CharField(required=False, label="Tiles for test", widget=forms.Textarea(attrs=LINES))

    def __init__(self, *args: Any, by: Any, **kwargs: Any) -> None:
        initial: dict[str, float] = {name: round(100 * share) for name, share in SHARES.items()}
        default = Split()
        initial |= {"seed": default.seed, "block_km": default.block_km, "buffer_km": default.buffer_km}
        kwargs["initial"] = initial | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self._by = by
        views = [(str(view.pk), _view_words(view)) for view in views_offered(by)]
        self.fields["view"].choices = [("", "None"), *views]  # type: ignore[attr-defined]
        for layout in LAYOUTS.values():
            for option in layout.options:
                self.fields[_option_field(layout, option)] = _field_of(option)

    def options(self, layout: Layout) -> dict[str, int]:
        """Of a valid form, those that differ from what the layout does by itself."""
        asked = {option: self.cleaned_data[_option_field(layout, option)] for option in layout.options}
        given = {option: int(value) for option, value in asked.items() if value is not None}
        return {option.name: value for option, value in given.items() if value != option.default}

    @property
    def option_groups(self) -> list[tuple[Layout, list[forms.BoundField]]]:
        """The fields of each layout that has options."""
        return [
            (layout, [self[_option_field(layout, option)] for option in layout.options])
            for layout in LAYOUTS.values()
            if layout.options
        ]

    def of_area(self, name: str, slug: str) -> str:
        """What was said about one area: `name` is licence, attribution or split."""
        return str(self.data.get(f"{name}-{slug}", ""))

    def wanted(self, areas: list[Area]) -> Wanted:
        """Of a valid form. Raises BadInput."""
        asked = self.cleaned_data
        if asked["view"] and asked["filter"]:
            raise BadInput("Choose a saved view or write a filter, not both.", field="filter")
        query = asked["filter"].removeprefix("?")
        if asked["view"]:
            query = view_query(view=asked["view"], areas=areas, by=self._by)
        return Wanted(
            query=query_normal(query, areas=areas, by=self._by),
            tiles="\n".join(part for part in (asked["tiles"], _text(asked["tiles_file"])) if part),
            unique=asked["unique"],
            split=self._split(areas),
        )

    def terms(self, areas: list[Area]) -> Terms:
        """What is said about areas here, instead of what they say."""
        licences = {area.slug: self.of_area("licence", area.slug) for area in areas}
        attributions = {area.slug: self.of_area("attribution", area.slug) for area in areas}
        return Terms(
            licences={slug: text for slug, text in licences.items() if text.strip()},
            attributions={slug: text for slug, text in attributions.items() if text.strip()},
        )

    def _split(self, areas: list[Area]) -> Split:
        asked, default = self.cleaned_data, Split()
        given = {name: asked[name] for name in SPLITS}
        shares = {name: (share or 0) / 100 for name, share in given.items()}
        return Split(
            way=asked["way"],
            shares=SHARES if all(share is None for share in given.values()) else shares,
            seed=default.seed if asked["seed"] is None else asked["seed"],
            block_km=default.block_km if asked["block_km"] is None else asked["block_km"],
            buffer_km=default.buffer_km if asked["buffer_km"] is None else asked["buffer_km"],
            of_area={area.slug: self.of_area("split", area.slug) or SPLITS[0] for area in areas}
            if asked["way"] == BY_AREA
            else {},
            lists={name: asked[f"{name}_list"] for name in SPLITS} if asked["way"] == FILES else {},
        )


class ReleaseForm(WantedForm):
    """A whole release."""

    name = forms.CharField(
        max_length=80,
        widget=forms.TextInput(attrs=PLAIN),
        help_text="Small letters, digits and hyphens, as in <code>coast-v1</code>. It names the archive for good.",
    )
    version = forms.CharField(
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text="Three numbers, as in <code>1.2.0</code>: a change of meaning, an addition, a correction.",
    )
    layout = forms.ChoiceField(choices=[(layout.name, layout.label) for layout in LAYOUTS.values()])
    shard_megabytes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_SHARD_MEGABYTES,
        initial=SHARD_MEGABYTES,
        label="Largest file, MB",
        help_text="A larger archive is cut into zip files that unpack into one folder.",
    )
    authors = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2}), help_text="Whom a citation names, one a line."
    )
    doi = forms.CharField(
        required=False, label="DOI", widget=forms.TextInput(attrs=PLAIN), help_text="As in 10.5281/zenodo.1234."
    )
    named = forms.BooleanField(
        required=False,
        label="Say in its manifest who reviewed",
        help_text="Else people are person-1, person-2 and so on. Only without names can it ever be made public.",
    )
    notes = forms.CharField(
        required=False,
        max_length=NOTES_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="For whoever uses it: goes into the README of the archive.",
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def terms(self, areas: list[Area]) -> Terms:
        of_areas, asked = super().terms(areas), self.cleaned_data
        return Terms(
            version=asked["version"] or Terms.version,
            doi=asked["doi"],
            authors=authors_of(asked["authors"]),
            licences=of_areas.licences,
            attributions=of_areas.attributions,
        )


def _option_field(layout: Layout, option: Option) -> str:
    return f"{layout.name}.{option.name}"


def _field_of(option: Option) -> forms.Field:
    if option.yes_or_no:
        return forms.BooleanField(required=False, label=option.label, initial=bool(option.default))
    return forms.IntegerField(
        required=False,
        label=option.label,
        min_value=option.least,
        max_value=option.most,
        initial=option.default,
        help_text=f"From {option.least:,} to {option.most:,}.",
    )


def layout_asked(name: str) -> Any:
    """The layout of a form that may be half filled in."""
    return layout_of(name if name in LAYOUTS else DEFAULT_LAYOUT)


def _view_words(view: Any) -> str:
    where = view.area.name if view.area else "every area"
    return f"{view.name} ({where}; {view.owner.shown_name})"


def _text(file: UploadedFile | None) -> str:
    if file is None:
        return ""
    if (file.size or 0) > MOST_LIST_BYTES:
        raise BadInput("The list is too large: at most 50 MB.", field="tiles_file")
    try:
        return bytes(file.read()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("The list is not a text in UTF-8. Save it as one.", field="tiles_file") from error
