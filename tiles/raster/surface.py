"""What the surface looks like: brightness, greenness and the like, measured on the imagery before any stretch."""

from dataclasses import dataclass

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray, share_of
from tiles.raster.errors import BadBands, BlankImage

GREEN_EXCESS = 0.05
VEGETATED_NDVI = 0.3


@dataclass(frozen=True)
class SurfaceMeasures:
    """Measures of a tile's imagery over its valid pixels.

    brightness: mean of red, green and blue, 0..1 (see measure_surface for what 1 is). contrast: standard deviation
    of the same over the pixels. saturation: mean of (max - min) / max of the channels, 0 (grey) to 1.
    greenness: share of pixels with an excess-green index above 0.05. ndvi: mean, -1..1, None without near infrared.
    vegetation: share of the dry pixels (NDVI of 0 and more) with an NDVI above 0.3, 0..1; None without near infrared
    or when nothing is dry. A mean NDVI over a tile that is half sea says little of its land.
    """

    brightness: float
    contrast: float
    saturation: float
    greenness: float
    ndvi: float | None
    vegetation: float | None


def default_scale(dtype: "np.dtype[np.generic]") -> float:
    """Reflectance per unit: floats are reflectance already, 8-bit integers 1/255, others 1/10000 (Sentinel-2)."""
    if dtype.kind == "f":
        return 1.0
    return 1 / 255 if dtype.itemsize == 1 else 1 / 10_000


def measure_surface(
    rgb: NumberArray,
    nir: NumberArray | None = None,
    valid: BoolArray | None = None,
    *,
    scale: float | None = None,
) -> SurfaceMeasures:
    """Measure the unstretched imagery of one tile.

    rgb: (H, W, 3), nir: (H, W), both in one unit. valid: (H, W), False where there is no image; NaN is left out too.
    scale: reflectance per unit, by default after the dtype (default_scale). Brightness 1 is a reflectance of 1, cut
    off there: give the scale for sources that count otherwise (Landsat digital numbers, for one).
    Excess green is 2 g - r - b of the chromatic coordinates r + g + b = 1 (Woebbecke et al. 1995); NDVI is
    (nir - r) / (nir + r). Both are ratios and do not depend on the scale.
    Raises BadBands for another shape, BlankImage when no pixel is valid.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise BadBands("A picture has three bands: red, green and blue.")
    if nir is not None and nir.shape != rgb.shape[:2]:
        raise BadBands("The near infrared band has another size than the picture.")
    # One contiguous plane a channel: several times faster than sums along the last axis.
    planes = np.ascontiguousarray(np.moveaxis(rgb, 2, 0), dtype=np.float32)
    total = planes[0] + planes[1] + planes[2]
    counted = np.isfinite(total) if valid is None else np.isfinite(total) & valid
    if not counted.all():
        if not counted.any():
            raise BlankImage("The picture has no valid pixel.")
        planes, total = planes[:, counted], total[counted]
    red, green, blue = planes
    mean, deviation = _light(total, default_scale(rgb.dtype) if scale is None else scale)
    ndvi, vegetation = _plants(nir, red, counted)
    return SurfaceMeasures(
        brightness=mean,
        contrast=deviation,
        saturation=_saturation(red, green, blue),
        greenness=_greenness(green, total),
        ndvi=ndvi,
        vegetation=vegetation,
    )


# The arrays below are as large as the tile: written over rather than made anew, which costs more than the sums.


def _light(total: FloatArray, scale: float) -> tuple[float, float]:
    """Mean and standard deviation of the brightness."""
    light = total / 3
    light *= np.float32(scale)
    np.clip(light, 0, 1, out=light)
    mean = float(light.mean(dtype=np.float64))
    light -= np.float32(mean)
    # About a mean that was rounded to float32: what that puts in is taken out again.
    excess = float(light.mean(dtype=np.float64))
    light *= light
    return mean, float(np.sqrt(max(float(light.mean(dtype=np.float64)) - excess**2, 0.0)))


def _saturation(red: FloatArray, green: FloatArray, blue: FloatArray) -> float:
    highest = np.maximum(red, green)
    np.maximum(highest, blue, out=highest)
    spread = np.minimum(red, green)
    np.minimum(spread, blue, out=spread)
    np.subtract(highest, spread, out=spread)
    return float(np.clip(_ratio(spread, highest), 0, 1, out=spread).mean(dtype=np.float64))


def _greenness(green: FloatArray, total: FloatArray) -> float:
    """Share of excess green: 2 g - r - b, which is 3 g less all of it."""
    excess = 3 * green
    excess -= total
    return share_of(_ratio(excess, total) > GREEN_EXCESS)


def _ratio(over: FloatArray, under: FloatArray) -> FloatArray:
    """over / under, written into `over`; 0 where there is no light to compare."""
    dark = under <= 0
    if not dark.any():
        return np.divide(over, under, out=over)
    np.divide(over, under, out=over, where=~dark)
    over[dark] = 0
    return over


def _plants(nir: NumberArray | None, red: FloatArray, counted: BoolArray) -> tuple[float | None, float | None]:
    """Mean NDVI, and the vegetated share of what is dry. red: the counted pixels only."""
    if nir is None:
        return None, None
    near = (nir if counted.all() else nir[counted]).astype(np.float32)
    known = np.isfinite(near)
    if not known.all():
        if not known.any():
            return None, None
        near, red = near[known], red[known.reshape(red.shape)]
    else:
        red = red.reshape(near.shape)
    ndvi = np.clip(_ratio(near - red, near + red), -1, 1)
    dry = np.count_nonzero(ndvi >= 0)
    vegetation = float(np.count_nonzero(ndvi > VEGETATED_NDVI) / dry) if dry else None
    return float(ndvi.mean(dtype=np.float64)), vegetation
