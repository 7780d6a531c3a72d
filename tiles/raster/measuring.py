"""All quality measures of one tile in one go."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray
from tiles.raster.clouds import CloudMeasures, measure_clouds
from tiles.raster.dem_faults import DemMeasures, measure_dem
from tiles.raster.grid import Grid
from tiles.raster.likeness import Likeness, likeness_of
from tiles.raster.picture_faults import PictureMeasures, measure_picture
from tiles.raster.shift import Trial, shift_trials


@dataclass(frozen=True)
class Quality:
    """What can be said of a tile by itself. clouds: None where the numbers are not known to be reflectance.

    likeness: None for a tile without texture. trials: one a sun azimuth, empty where a shift cannot be measured.
    """

    picture: PictureMeasures
    dem: DemMeasures
    clouds: CloudMeasures | None
    likeness: Likeness | None
    trials: tuple[Trial, ...]

    def to_dict(self) -> dict[str, Any]:
        """The measures that are shown, shares 0..1, to six digits; None where unknown."""
        return {
            "blank_share": round(self.picture.blank_share, 6),
            "saturated_share": round(self.picture.saturated_share, 6),
            "sharpness": round(self.picture.sharpness, 6),
            "striping": round(self.picture.striping, 6),
            "cloud_share": round(self.clouds.cloud_share, 6) if self.clouds else None,
            "haze_share": round(self.clouds.haze_share, 6) if self.clouds else None,
            "spikes": self.dem.spikes,
            "spike_m": round(self.dem.spike_m, 3),
            "terrace_share": round(self.dem.terrace_share, 6),
            "flat_share": round(self.dem.flat_share, 6),
        }


def measure_quality(
    *,
    rgb: NumberArray,
    nir: NumberArray | None,
    valid: BoolArray,
    scale: float | None,
    offset: float | None,
    dem: NumberArray,
    void: BoolArray,
    grid: Grid,
    reflectance: FloatArray | None = None,
) -> Quality:
    """Measure one tile.

    rgb: (H, W, 3), nir: (H, W), in the source's own numbers; scale, offset: make them reflectance, None where the
    source does not say, in which case floats are taken for reflectance and integers for nothing known.
    valid: (H, W), False without imagery; dem: (H, W) metres; void: (H, W), True without a height.
    reflectance: of red, green and blue as `reflectance_of` gives it, where it is at hand.
    """
    bands = np.ascontiguousarray(np.moveaxis(rgb, 2, 0))
    luminance: FloatArray = bands[0].astype(np.float32)
    luminance += bands[1]
    luminance += bands[2]
    luminance *= np.float32(1 / 3)
    missing = void | ~valid
    shown = luminance if nir is None else nir
    dx, dy = grid.pixel_size_m()
    return Quality(
        picture=measure_picture(bands, luminance, valid),
        dem=measure_dem(dem, (dx + dy) / 2, void),
        clouds=_clouds(bands, nir, valid, scale, offset, reflectance),
        likeness=likeness_of(luminance, dem, missing),
        trials=shift_trials(dem, shown, dx, dy, missing),
    )


def reflectance_of(values: NumberArray, scale: float | None, offset: float | None) -> FloatArray:
    """Numbers of a source, any shape, as float32 reflectance; scale, offset: as it declares them, None for 1 and 0."""
    found = values.astype(np.float32)
    found *= np.float32(1.0 if scale is None else scale)
    found += np.float32(offset or 0.0)
    return found


def _clouds(
    bands: NumberArray,
    nir: NumberArray | None,
    valid: BoolArray,
    scale: float | None,
    offset: float | None,
    reflectance: FloatArray | None,
) -> CloudMeasures | None:
    if scale is None and bands.dtype.kind != "f":
        return None
    near = None if nir is None else reflectance_of(nir, scale, offset)
    return measure_clouds(reflectance_of(bands, scale, offset) if reflectance is None else reflectance, near, valid)
