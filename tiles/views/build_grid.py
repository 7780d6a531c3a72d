"""What the build page asks about the grid that tiles are cut on."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from tiles.build.griding import GridOptions
from tiles.raster.aoi import MOST_BYTES, aoi_polygons
from tiles.raster.errors import BadAoi

GRIDS = [
    ("dem", "The elevation models"),
    ("imagery", "The imagery"),
]
FIELD = "grid."


class GridForm(forms.Form):
    """Where windows lie, and which of them become tiles. Names are those of `GridOptions`."""

    prefix = "grid"
    use_required_attribute = False

    grid = forms.ChoiceField(
        label="Pixels of",
        choices=GRIDS,
        initial="dem",
        help_text="What lies on other pixels is resampled onto these; heights of the first are copied as they are.",
    )
    mosaic = forms.BooleanField(label="Cut adjacent elevation models as one, so that windows cross their edges")
    aoi = forms.FileField(
        label="Area of interest",
        widget=forms.FileInput(attrs={"accept": ".geojson,.json,application/geo+json"}),
        help_text=f"GeoJSON in longitude and latitude; only windows that meet it. At most {MOST_BYTES >> 20} MB.",
    )
    gsd = forms.FloatField(label="Metric grid (m)", help_text="Pixels of this size in the local UTM zone instead.")
    resize = forms.IntegerField(
        label="Resize windows of (pixels)",
        help_text="Resampled to the tile size, as published for 0.5 m data; 0 takes each file as a whole.",
    )
    stride = forms.IntegerField(label="Stride (pixels)", help_text="From window to window; a window when empty.")
    start_index = forms.IntegerField(label="Number of the first tile", help_text="0 when empty.")
    allow_upsampling = forms.BooleanField(
        label="Allow a grid more than 4 times finer than the heights or the imagery really are"
    )
    limit = forms.IntegerField(
        label="Tiles to make now", help_text="At most so many, the lowest numbers first. The next build goes on."
    )

    LATER = ("limit", "allow_upsampling")
    RARE = ("gsd", "resize", "stride", "start_index", "allow_upsampling")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False

    @property
    def rare(self) -> list[forms.BoundField]:
        return [self[name] for name in self.RARE]

    @property
    def rare_is_wrong(self) -> bool:
        return any(field.errors for field in self.rare)

    def clean_aoi(self) -> dict[str, Any] | None:
        """The polygons of the file, None without one."""
        file: UploadedFile | None = self.cleaned_data["aoi"]
        if not file:
            return None
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {MOST_BYTES >> 20} MB. Simplify the outline of the area."
            )
        try:
            return aoi_polygons(json.loads(file.read().decode("utf-8-sig")))
        except BadAoi as error:
            raise forms.ValidationError(str(error)) from error
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError("This is not JSON. Choose a GeoJSON file.") from error

    def options(self) -> GridOptions:
        """What was answered; a box that is not ticked is no answer, and neither is an empty field. 0 is one."""
        answers = {
            name: value
            for name, value in self.cleaned_data.items()
            if value is not None and value is not False and value != ""
        }
        return GridOptions(**answers)


class LaterGridForm(GridForm):
    """Of these, what may differ from build to build."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {name: self.fields[name] for name in self.LATER}
