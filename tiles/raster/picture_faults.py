"""What is wrong with a picture as such: blank, saturated, blurred or striped."""

from dataclasses import dataclass

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray, share_of

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


def measure_picture(bands: NumberArray, luminance: FloatArray, valid: BoolArray) -> PictureMeasures:
    """Measure the unstretched picture of one tile.

    bands: (3, H, W) in the source's numbers; luminance: (H, W) float32, mean of the bands; valid: (H, W).
    Blank: not valid, or zero in every band. Saturated: at the highest value of the dtype (integers), or of the band
    when more than 0.2 % of it lie exactly there: in any band. A sensor that saturates softly passes unseen.
    """
    whole = bool(valid.all())
    blank = (bands[0] == 0) & (bands[1] == 0) & (bands[2] == 0)
    light = luminance
    if not whole:
        blank |= ~valid
        light = np.where(valid, luminance, luminance[valid].mean() if valid.any() else np.float32(0))
    return PictureMeasures(share_of(blank), _saturated(bands, None if whole else valid), *_detail(light))


def _saturated(bands: NumberArray, valid: BoolArray | None) -> float:
    top = np.iinfo(bands.dtype).max if bands.dtype.kind in "iu" else np.inf
    full = np.zeros(bands.shape[1:], bool)
    for band in bands:
        known = band if valid is None else band[valid]
        if not known.size:
            return 0.0
        highest = known.max()
        if highest == known.min():
            continue
        at_top = band == highest
        if valid is not None:
            at_top &= valid
        if highest == top or np.count_nonzero(at_top) > PILE_UP * at_top.size:
            full |= at_top
    return share_of(full)


def _detail(light: FloatArray) -> tuple[float, float]:
    """Sharpness and striping."""
    contrast = float(light.std())
    if min(light.shape) < 4 or contrast <= 1e-6 * max(abs(float(light.mean())), 1e-12):
        return 0.0, 0.0
    down, across = np.diff(light, axis=0), np.diff(light, axis=1)
    down, across = down[1:] - down[:-1], across[:, 1:] - across[:, :-1]
    sharpness = _strength(down[:, 1:-1] + across[1:-1]) / contrast
    return sharpness, max(_common(down, 1), _common(across, 0))


def _strength(values: FloatArray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def _common(change: FloatArray, along: int) -> float:
    """Share of the change between lines, which run along this axis, that whole stretches of a line have in common."""
    width = min(SEGMENT, change.shape[along])
    used = change.shape[along] // width * width
    cut = change[:, :used] if along else change[:used]
    total = _strength(cut)
    stretches = cut.reshape(cut.shape[0], -1, width) if along else cut.reshape(-1, width, cut.shape[1])
    return _strength(stretches.mean(axis=2 if along else 1)) / total if total else 0.0
