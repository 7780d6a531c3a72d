"""What can be said of a tile only among the others of its area: its shift, its twins, and so its final score.

Two steps at the end of a build. `area_survey` looks over all tiles once, keeping a few numbers: where the sun stood,
from which peak a fit counts, how sharp the area is. `tiles_judge` then goes through the tiles in blocks, which workers
lease, and finds twins by look-up. Both only read what building a tile left, write the same again when they are run
again, and touch neither files nor versions.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from django.db.models import Count

from tiles.core.paths import layer_path
from tiles.models import Area, TilePair, TileSignature
from tiles.models.choices import BuildState
from tiles.raster.arrays import FloatArray, NumberArray
from tiles.raster.encode import read_layer_bytes
from tiles.raster.errors import RasterError
from tiles.raster.grid import Grid
from tiles.raster.likeness import Likeness, alike
from tiles.raster.shift import AZIMUTHS, null_threshold, shift_trials

from .scoring import score_apply
from .signing import bounds_of, cells_near, likeness_read, overlap, trial_read

TILES_A_BLOCK = 250
#: Mismatched pairs that are tried for the level of chance; each also with its heights turned round.
MISMATCHES = 24
#: What is kept of their heights meanwhile: all of tiles of 512, 48 MB, and none of the largest.
KEPT_PIXELS = 2 * MISMATCHES * 512**2
#: A quarter of a hash that more tiles share tells nothing, and would make the look-up slow.
COMMON = 200
#: So much of the smaller footprint must be shared.
MOST_OVERLAP = 0.5
FEWEST_FOR_SHARPNESS = 8
WRITTEN = ("score", "causes", "shift_px", "duplicate_of")
# Long columns that no judging reads.
_NOT_JUDGED = ("layers", "imagery", "parameters", "grid")

Beat = Callable[[], None]


@dataclass(frozen=True)
class AreaSurvey:
    """What holds for an area. azimuth: number in AZIMUTHS; threshold: of the peak; sharpness: median. None: unknown."""

    azimuth: int | None
    threshold: float | None
    sharpness: float | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def in_words(self) -> str:
        if self.azimuth is None or self.threshold is None:
            return "Whether imagery and heights are aligned cannot be measured in this area."
        return (
            f"Light comes from about {AZIMUTHS[self.azimuth]} degrees in this area; "
            f"a shift counts as known from a fit of {self.threshold:.3f}."
        )


def area_survey(area: Area, beat: Beat) -> AreaSurvey:
    """Look over the built tiles of an area. Reads every signature's row, and the files of a few tiles."""
    sums = np.zeros(len(AZIMUTHS), np.int64)
    usable, sharpness = array("q"), array("d")
    rows = _built(area).order_by("index").values_list("pk", "sharpness", "signature__trials")
    for number, (pk, sharp, trials) in enumerate(rows.iterator(chunk_size=1000), start=1):
        if sharp:
            sharpness.append(sharp)
        if trials:
            sums += np.array([trial[0] for trial in trials])
            usable.append(pk)
        if number % 1000 == 0:
            beat()
    azimuth = int(sums.argmax()) if usable else None
    return AreaSurvey(
        azimuth=azimuth,
        threshold=None if azimuth is None else _threshold(area, usable, AZIMUTHS[azimuth], beat),
        sharpness=float(np.median(sharpness)) if len(sharpness) >= FEWEST_FOR_SHARPNESS else None,
    )


def _built(area: Area) -> Any:
    return TilePair.objects.filter(area=area, build_state=BuildState.BUILT)


def _threshold(area: Area, usable: array[int], azimuth: float, beat: Beat) -> float | None:
    """The level of chance: pictures against the heights of other tiles, and of their own turned round."""
    count = min(MISMATCHES, len(usable))
    chosen = [usable[number * len(usable) // count] for number in range(count)]
    others = [usable[(number * len(usable) // count + len(usable) // 2) % len(usable)] for number in range(count)]
    peaks: list[float] = []
    rows = TilePair.objects.in_bulk({*chosen, *others})
    # A tile's heights are needed twice, as a rule: by itself and by the tile half an area away.
    heights_of = lru_cache(KEPT_PIXELS // area.tile_size**2)(lambda key: _heights(area, rows[key]))
    for one, other in zip(chosen, others, strict=True):
        beat()
        picture = _picture(area, rows[one])
        if picture is None:
            continue
        grid = Grid.from_dict(rows[one].grid or {})
        for heights, mismatched in ((heights_of(other), one != other), (heights_of(one), False)):
            if heights is None or heights.shape != picture.shape:
                continue
            variants = [heights] if mismatched else []
            for variant in [*variants, heights[::-1, ::-1]]:
                peaks += [trial.peak for trial in _fit(variant, picture, grid, azimuth)]
    return null_threshold(peaks)


def _fit(heights: FloatArray, picture: FloatArray, grid: Grid, azimuth: float) -> Iterable[Any]:
    dx, dy = grid.pixel_size_m()
    missing = np.isnan(heights) | np.isnan(picture)
    return shift_trials(heights, picture, dx, dy, missing, azimuths=(azimuth,))


def _heights(area: Area, tile: TilePair) -> FloatArray | None:
    return _layer(area, tile, "dem")


def _picture(area: Area, tile: TilePair) -> FloatArray | None:
    """Near infrared, or else luminance: of the PNG, which stays when the unstretched imagery is dropped."""
    return _layer(area, tile, "nir" if tile.layer("nir") else "png")


def _layer(area: Area, tile: TilePair, name: str) -> FloatArray | None:
    """A layer as (H, W) float32, NaN where it has nothing; None when its file cannot be read."""
    try:
        layer = read_layer_bytes(layer_path(area.slug, name, tile.index).read_bytes())
    except (OSError, RasterError):
        return None
    bands: NumberArray = layer.array
    values: FloatArray = bands.mean(axis=0, dtype=np.float32)
    if layer.nodata is not None:
        values[(bands == layer.nodata).all(axis=0)] = np.nan
    return values


def blocks_of(area: Area, survey: AreaSurvey) -> list[dict[str, Any]]:
    """The payloads of the chunks that judge an area's tiles, in the order of their numbers."""
    last = area.tiles.order_by("-index").values_list("index", flat=True).first()
    starts = range(0, 0 if last is None else last + 1, TILES_A_BLOCK)
    return [{"do": "judge", "from": start, "survey": survey.to_dict()} for start in starts]


def tiles_judge(area: Area, payload: Mapping[str, Any], beat: Beat) -> dict[tuple[str, ...], list[TilePair]]:
    """Judge one block of tiles. Returns the rows that change, not saved yet, by which fields of WRITTEN do."""
    survey = AreaSurvey(**payload["survey"])
    start = payload["from"]
    tiles = list(
        _built(area)
        .filter(index__gte=start, index__lt=start + TILES_A_BLOCK, signature__isnull=False)
        .select_related("signature")
        .defer(*_NOT_JUDGED)
        .order_by("index")
    )
    twins = _twins(area, tiles, beat)
    changed: dict[tuple[str, ...], list[TilePair]] = {}
    for tile in tiles:
        before = {name: getattr(tile, name) for name in WRITTEN}
        tile.shift_px = _shift(tile, survey)
        tile.duplicate_of = twins.get(tile.pk)
        score_apply(tile, area_sharpness=survey.sharpness)
        if names := tuple(name for name in WRITTEN if getattr(tile, name) != before[name]):
            changed.setdefault(names, []).append(tile)
    return changed


def _shift(tile: TilePair, survey: AreaSurvey) -> float | None:
    """Pixels, or None when the fit is no better than chance: that says nothing about how the tile lies."""
    if survey.azimuth is None or survey.threshold is None:
        return None
    trial = trial_read(tile.signature.trials, survey.azimuth)
    return round(trial.length, 2) if trial and trial.peak >= survey.threshold else None


def _twins(area: Area, tiles: list[TilePair], beat: Beat) -> dict[int, int]:
    """For each tile that shows what an earlier one does, by id: the lowest number of such a tile."""
    found: dict[int, int] = {}
    near = {tile.pk: cells_near(tile) for tile in tiles}
    looked_up = {"cell": {cell for cells in near.values() for cell in cells}}
    for name in TileSignature.QUARTERS:
        looked_up[name] = {value for tile in tiles if (value := getattr(tile.signature, name)) is not None}
    for name, keys in looked_up.items():
        beat()
        buckets = _buckets(area, name, keys, tiles)
        for tile in tiles:
            for key in near[tile.pk] if name == "cell" else {getattr(tile.signature, name)}:
                for other in buckets.get(key, ()):
                    if other.index < min(tile.index, found.get(tile.pk, tile.index)) and _same(tile, other):
                        found[tile.pk] = other.index
    return found


def _buckets(area: Area, name: str, keys: set[Any], tiles: list[TilePair]) -> dict[Any, list[TilePair]]:
    """The built tiles up to the last of these, by one key of their signatures; keys too common to tell are left out."""
    if not keys:
        return {}
    wanted = TileSignature.objects.filter(area=area, tile__build_state=BuildState.BUILT, **{f"{name}__in": keys})
    counted = wanted.values_list(name).annotate(number=Count("pk")).filter(number__lte=COMMON)
    kept = [key for key, _number in counted]
    buckets: dict[Any, list[TilePair]] = {}
    rows = wanted.filter(**{f"{name}__in": kept}, tile__index__lte=tiles[-1].index).select_related("tile")
    rows = rows.defer("trials", "tile__measures", *(f"tile__{column}" for column in _NOT_JUDGED))
    for signature in rows.order_by("tile__index").iterator(chunk_size=500):
        signature.tile.signature = signature
        buckets.setdefault(getattr(signature, name), []).append(signature.tile)
    return buckets


def _same(tile: TilePair, other: TilePair) -> bool:
    """Whether two tiles show the same ground, or look the same in picture and heights."""
    here, there = bounds_of(tile), bounds_of(other)
    if here and there and overlap(here, there) > MOST_OVERLAP:
        return True
    a: Likeness | None = likeness_read(tile.signature)
    b = likeness_read(other.signature)
    return a is not None and b is not None and alike(a, b)
