"""Cloud and haze, from three or four bands of reflectance."""

from dataclasses import dataclass

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray

HAZE_LINE = 0.08
WHITENESS = 0.7
CLOUD_LIGHT = 0.22
DARKEST = 0.09
PATCH = 8
GREEN_NDVI = 0.5


@dataclass(frozen=True)
class CloudMeasures:
    """Shares 0..1 of the valid pixels. haze_share leaves out what is cloud."""

    cloud_share: float
    haze_share: float


def measure_clouds(reflectance: FloatArray, nir: FloatArray | None, valid: BoolArray) -> CloudMeasures | None:
    """Measure cloud and haze over one tile.

    reflectance: (3, H, W) red, green, blue, 1 = all light; nir: (H, W) in the same unit, or None; valid: (H, W).
    Cloud: bright (mean above 0.22), nearly white (Fmask's whiteness below 0.7), bluer than any ground as bright (the
    haze-optimised difference blue - 0.5 red above 0.08) and not green (NDVI below 0.5). Haze: patches of 8 x 8 px
    without a dark pixel (the dark channel above 0.09) and above the same haze line.
    It cannot tell snow, salt or white roofs from cloud: that takes a short-wave infrared band. Thin cirrus over bright
    ground and haze over dark water pass unseen. Numbers that are not reflectance cannot be judged at all.
    Returns None when no pixel is valid. Sources: Zhu and Woodcock, Fmask (2012); He, Sun and Tang, Single image haze
    removal using dark channel prior (2009).
    """
    if not valid.any():
        return None
    veil = (reflectance[2] - np.float32(0.5) * reflectance[0] > HAZE_LINE) & valid
    if not veil.any():
        return CloudMeasures(0.0, 0.0)
    # Most of a clear tile is out by now: the rest is worked out only for what is left.
    places = np.flatnonzero(veil)
    red, green, blue = (band.ravel()[places] for band in reflectance)
    mean = (red + green + blue) / 3
    still = np.abs(red - mean) + np.abs(green - mean) + np.abs(blue - mean) < WHITENESS * mean
    if nir is not None:
        near = nir.ravel()[places]
        still &= near - red < GREEN_NDVI * (near + red)
    bright = mean > CLOUD_LIGHT
    cloud, total = int(np.count_nonzero(still & bright)), int(np.count_nonzero(valid))
    places = places[still & ~bright]
    if not places.size:
        return CloudMeasures(cloud / total, 0.0)
    lowest = np.minimum(np.minimum(reflectance[0], reflectance[1]), reflectance[2])
    haze = int(np.count_nonzero(_darkest(lowest, valid).ravel()[places] > DARKEST))
    return CloudMeasures(cloud / total, haze / total)


def _darkest(lowest: NumberArray, valid: BoolArray) -> NumberArray:
    """The lowest value of each pixel's patch, (H, W); patches at the right and lower edge are smaller."""
    height, width = lowest.shape
    padded = np.full((-(-height // PATCH) * PATCH, -(-width // PATCH) * PATCH), np.inf, np.float32)
    padded[:height, :width] = np.where(valid, lowest, np.inf)
    rows, columns = padded.shape[0] // PATCH, padded.shape[1] // PATCH
    patches = padded.reshape(rows, PATCH, -1).min(axis=1).reshape(rows, columns, PATCH).min(axis=2)
    return patches.repeat(PATCH, 0).repeat(PATCH, 1)[:height, :width]
