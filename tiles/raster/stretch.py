"""From raw red, green, blue to the 8-bit picture that people review and models train on."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tiles.raster.arrays import BoolArray, NumberArray, UInt8Array
from tiles.raster.errors import BadBands, BlankImage
from tiles.raster.scaling import to_uint8, value_range

Normalisation = Literal["per_channel", "joint", "none"]

CONSTANT_BAND = "constant_band"
OUT_OF_RANGE = "out_of_range"
UNSTRETCHED = "unstretched"
STRETCH_FLAGS = (CONSTANT_BAND, OUT_OF_RANGE, UNSTRETCHED)
# Red, green, blue of the published per-channel variant: lower percentile; the upper one mirrors it.
CHANNEL_PERCENTS = (1.0, 1.0, 0.3)

Histogram = NDArray[np.int64]


@dataclass(frozen=True)
class Stretched:
    """image: (H, W, 3) uint8. flags: what the eye should know, of "constant_band", "out_of_range", "unstretched"."""

    image: UInt8Array
    flags: tuple[str, ...]


def stretch_rgb(
    rgb: NumberArray,
    *,
    valid: BoolArray | None = None,
    normalisation: Normalisation = "per_channel",
    percent: float = 1.0,
    per_channel_percent: bool = False,
) -> Stretched:
    """Normalise to uint8, then stretch by percentiles, the way RS3DBench makes its PNG files.

    rgb: (H, W, 3), any real dtype. valid: (H, W), False where there is no image; NaN or infinity in any channel is
    invalid too. Invalid pixels count for nothing and are 0 in the result.
    normalisation: "per_channel" maps each channel's own min..max to 0..255, "joint" one min..max of all channels,
    "none" takes values as they are (0..255; others are cut off and flagged "out_of_range"). Always truncated.
    percent: p and 100 - p percentiles of the *uint8* image, all channels together, clipped and mapped to 0..255,
    truncated; 0 leaves the stretch out. per_channel_percent: instead 1 and 99 for red and green, 0.3 and 99.7 for
    blue, each channel by itself.
    A constant channel becomes 0 and is flagged "constant_band". When both percentiles coincide, nearly every pixel
    has one value; a stretch would leave no picture, so the image stays as it is, flagged "unstretched".
    Raises BadBands for another shape, BlankImage when no pixel is valid or the maximum is 0.
    Source: RS3DBench, arXiv 2509.18897.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype.kind not in "iuf":
        raise BadBands("A picture has three bands of real numbers: red, green and blue.")
    if not 0 <= percent < 50:
        raise ValueError("percent lies between 0 and 50.")
    # Band after band, for NumPy is several times slower along an axis of three. Sources give them so.
    bands: NumberArray = np.ascontiguousarray(np.moveaxis(rgb, 2, 0))
    usable = _usable(bands, valid)
    _refuse_blank(bands, usable)
    image, flags = _normalise(bands, usable, normalisation)
    if percent > 0:
        histograms = _histograms(image, usable)
        if per_channel_percent:
            image, more = _stretch_channels(image, histograms)
        else:
            image, more = _stretch_joint(image, histograms.sum(axis=0), percent)
        flags = (*flags, *more)
    if usable is not None:
        image[:, ~usable] = 0
    return Stretched(_side_by_side(image), flags)


def stretch_band(band: NumberArray, valid: BoolArray | None = None, percent: float = 1.0) -> UInt8Array:
    """One band for the eye: from its p to its 100 - p percentile to 0..255, truncated; (H, W) uint8.

    band: (H, W), any real dtype. valid: (H, W), False where there is no image; such pixels, and NaN, become 0.
    """
    usable = np.isfinite(band) if valid is None else valid & np.isfinite(band)
    image = np.zeros(band.shape, np.uint8)
    if not usable.any():
        return image
    low, high = (float(value) for value in np.percentile(band[usable], (percent, 100 - percent)))
    if low == high:
        return image
    shares = (np.clip(band[usable].astype(np.float64), low, high) - low) / (high - low)
    image[usable] = (shares * 255).astype(np.uint8)
    return image


def percentile_of_histogram(counts: Histogram, percent: float) -> float:
    """Percentile of uint8 values given only how often each occurs, linear as np.percentile and equal to it.

    counts: (256,), at least one positive. The steps follow np.percentile's, down to which end it interpolates from,
    so that not even the last bit differs.
    """
    cumulative = np.cumsum(counts)
    position = float(cumulative[-1] - 1) * (percent / 100)
    index = int(position)
    last = int(cumulative[-1]) - 1
    below, above = (int(v) for v in np.searchsorted(cumulative, [index, min(index + 1, last)], side="right"))
    weight = position - index
    if weight >= 0.5:
        return above - (above - below) * (1 - weight)
    return below + (above - below) * weight


def _usable(bands: NumberArray, valid: BoolArray | None) -> BoolArray | None:
    """Pixels that count, (H, W), or None when all do, which is the fast and common case. bands: (3, H, W), as below."""
    usable = None if valid is None or valid.all() else valid.copy()
    if bands.dtype.kind == "f":
        finite = np.isfinite(bands)
        if not finite.all():
            complete: BoolArray = np.asarray(finite.all(axis=0))
            usable = complete if usable is None else usable & complete
    return usable


def _refuse_blank(bands: NumberArray, usable: BoolArray | None) -> None:
    if usable is not None and not usable.any():
        raise BlankImage("The picture has no valid pixel.")
    if (bands if usable is None else bands[:, usable]).max() == 0:
        raise BlankImage("The picture is black: its largest value is 0.")


def _normalise(
    bands: NumberArray, usable: BoolArray | None, normalisation: Normalisation
) -> tuple[UInt8Array, tuple[str, ...]]:
    if normalisation == "none":
        return _cast(bands, usable)
    if normalisation == "joint":
        everywhere = None if usable is None else np.broadcast_to(usable, bands.shape)
        low, high = value_range(bands, everywhere)
        if low == high:
            return np.zeros(bands.shape, np.uint8), (CONSTANT_BAND,)
        return to_uint8(bands, low, high, everywhere), ()
    if normalisation != "per_channel":
        raise ValueError(f"There is no normalisation called {normalisation}.")
    image = np.zeros(bands.shape, np.uint8)
    flags: tuple[str, ...] = ()
    for channel, values in enumerate(bands):
        low, high = value_range(values, usable)
        if low == high:
            flags = (CONSTANT_BAND,)
        else:
            image[channel] = to_uint8(values, low, high, usable)
    return image, flags


def _cast(bands: NumberArray, usable: BoolArray | None) -> tuple[UInt8Array, tuple[str, ...]]:
    """Take values as they are. Beyond 0..255 a C cast would wrap around and invent colours, so they are cut off."""
    if bands.dtype == np.uint8:
        image = bands.copy()
    else:
        image = np.clip(bands if usable is None else np.where(usable, bands, 0), 0, 255).astype(np.uint8)
    values = bands.reshape(3, -1) if usable is None else bands[:, usable]
    flags = (OUT_OF_RANGE,) if values.min() < 0 or values.max() > 255 else ()
    return image, (*flags, CONSTANT_BAND) if (values.min(axis=1) == values.max(axis=1)).any() else flags


def _histograms(image: UInt8Array, usable: BoolArray | None) -> Histogram:
    """(3, 256) counts of the usable pixels. Pillow counts bytes several times faster than np.bincount."""
    mask = None if usable is None else Image.fromarray(usable.astype(np.uint8) * 255)
    return np.array([Image.fromarray(band).histogram(mask) for band in image], dtype=np.int64)


def _stretch_joint(image: UInt8Array, counts: Histogram, percent: float) -> tuple[UInt8Array, tuple[str, ...]]:
    table = _table(percentile_of_histogram(counts, percent), percentile_of_histogram(counts, 100 - percent))
    if table is None:
        return image, (UNSTRETCHED,)
    return _looked_up(image, table), ()


def _stretch_channels(image: UInt8Array, histograms: Histogram) -> tuple[UInt8Array, tuple[str, ...]]:
    flags: tuple[str, ...] = ()
    for channel, percent in enumerate(CHANNEL_PERCENTS):
        counts = histograms[channel]
        table = _table(percentile_of_histogram(counts, percent), percentile_of_histogram(counts, 100 - percent))
        if table is None:
            flags = (UNSTRETCHED,)
        else:
            image[channel] = _looked_up(image[channel], table)
    return image, flags


def _looked_up(image: UInt8Array, table: UInt8Array) -> UInt8Array:
    """Each byte through a table of 256. Python does that to bytes in half the time of NumPy, which widens indexes."""
    return np.frombuffer(bytearray(image).translate(table.tobytes()), np.uint8).reshape(image.shape)


def _side_by_side(image: UInt8Array) -> UInt8Array:
    """(H, W, 3) of (3, H, W), in one piece."""
    pixels = np.empty((*image.shape[1:], 3), np.uint8)
    for channel, band in enumerate(image):
        pixels[:, :, channel] = band
    return pixels


def _table(low: float, high: float) -> UInt8Array | None:
    """What each of the 256 values becomes: (clip(v) - low) / (high - low) * 255, truncated; None when low = high."""
    if low == high:
        return None
    values = np.clip(np.arange(256, dtype=np.float64), low, high)
    return ((values - low) / (high - low) * 255).astype(np.uint8)
