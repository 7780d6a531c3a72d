"""What is wrong with a picture as such: blank, saturated, blurred or striped."""

from dataclasses import dataclass

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray

#: A band that keeps its highest value over more than this is taken to be cut off there.
PILE_UP = 0.002
SEGMENT = 64


@dataclass(frozen=True)
class PictureMeasures:
    """blank_share, saturated_share: of all pixels, 0..1.

    sharpness: root mean square of the Laplacian against the standard deviation, of the luminance; 0 for a picture
    without contrast, about 0.2 to 1.5 for imagery; noise counts as sharp.
    striping: how much of the change from line to line is common to whole stretches of 64 px, 0..1.
    """

    blank_share: float
    saturated_share: float
    sharpness: float
    striping: float


def measure_picture(rgb: NumberArray, luminance: FloatArray, valid: BoolArray) -> PictureMeasures:
    """Measure the unstretched picture of one tile.

    rgb: (H, W, 3) in the source's numbers; luminance: (H, W) mean of the bands; valid: (H, W).
    Blank: not valid, or zero in every band. Saturated: at the highest value of the dtype (integers), or of the band
    when more than 0.2 % of it lie exactly there: in any band. A sensor that saturates softly passes unseen.
    """
    blank = ~valid | ~rgb.any(axis=2)
    sharpness, striping = _detail(np.where(valid, luminance, luminance[valid].mean() if valid.any() else 0))
    return PictureMeasures(float(blank.mean()), _saturated(rgb, valid), sharpness, striping)


def _saturated(rgb: NumberArray, valid: BoolArray) -> float:
    top = np.iinfo(rgb.dtype).max if rgb.dtype.kind in "iu" else np.inf
    full = np.zeros(valid.shape, bool)
    for band in np.moveaxis(rgb, 2, 0):
        known = band if valid.all() else band[valid]
        if not known.size:
            return 0.0
        highest = known.max()
        if highest == known.min():
            continue
        at_top = (band == highest) & valid
        if highest == top or at_top.mean() > PILE_UP:
            full |= at_top
    return float(full.mean())


def _detail(light: FloatArray) -> tuple[float, float]:
    contrast = float(light.std())
    if min(light.shape) < 4 or contrast <= 1e-6 * max(abs(float(light.mean())), 1e-12):
        return 0.0, 0.0
    down = light[2:] - 2 * light[1:-1] + light[:-2]
    across = light[:, 2:] - 2 * light[:, 1:-1] + light[:, :-2]
    sharpness = float(np.sqrt(np.mean((down[:, 1:-1] + across[1:-1]) ** 2))) / contrast
    return sharpness, max(_common(down), _common(across.T))


def _common(change: FloatArray) -> float:
    """Share of the change between lines, (lines, pixels), that whole segments of a line have in common."""
    lines, pixels = change.shape
    width = min(SEGMENT, pixels)
    cut = change[:, : pixels // width * width].reshape(lines, -1, width)
    total = float(np.sqrt(np.mean(cut**2)))
    return float(np.sqrt(np.mean(cut.mean(axis=2) ** 2))) / total if total else 0.0
