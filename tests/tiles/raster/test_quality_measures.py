"""Quality measures of single tiles: clear cases of each, on made and on real pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from tiles.raster.clouds import measure_clouds
from tiles.raster.dem_faults import measure_dem
from tiles.raster.grid import Grid
from tiles.raster.likeness import alike, likeness_of
from tiles.raster.measuring import measure_quality
from tiles.raster.picture_faults import measure_picture
from tiles.raster.score import RAMPS, score_of, severity
from tiles.raster.shift import AZIMUTHS, FLAG_FROM_PX, null_threshold, shift_trials

SIZE = 128


def ground(seed: int = 0, size: int = SIZE, relief: float = 600, falling: float = 1.6) -> np.ndarray:
    """Rough ground, (size, size) float32 metres: a random spectrum, its amplitude falling with the frequency."""
    random = np.random.default_rng(seed)
    rows, columns = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    radius = np.maximum(np.hypot(rows, columns), 1 / size)
    heights = np.fft.irfft2(np.fft.rfft2(random.normal(size=(size, size))) / radius**falling, s=(size, size))
    return ((heights - heights.min()) / np.ptp(heights) * relief + 200).astype(np.float32)


def meadow(shape: tuple[int, int] = (SIZE, SIZE)) -> tuple[np.ndarray, np.ndarray]:
    """Reflectance of grass: (3, H, W) and near infrared."""
    noise = np.random.default_rng(3).normal(0, 0.004, (4, *shape)).astype(np.float32)
    values = np.array([0.06, 0.09, 0.05, 0.35], np.float32)[:, None, None] + noise
    return values[:3], values[3]


class TestClouds:
    def test_the_share_grows_with_the_cloud(self) -> None:
        shares = []
        for rows in (0, 16, 32, 64):
            rgb, nir = meadow()
            rgb[:, :rows], nir[:rows] = 0.5, 0.5
            found = measure_clouds(rgb, nir, np.ones((SIZE, SIZE), bool))
            assert found is not None
            shares.append(found.cloud_share)
        assert shares == [0, 16 / SIZE, 32 / SIZE, 64 / SIZE]

    def test_haze_is_told_from_cloud_and_from_clear_ground(self) -> None:
        rgb, nir = meadow()
        air = np.array([0.175, 0.19, 0.22], np.float32)[:, None, None]
        hazy = measure_clouds(rgb * 0.3 + air * 0.7, nir * 0.6 + 0.08, np.ones((SIZE, SIZE), bool))
        clear = measure_clouds(rgb, nir, np.ones((SIZE, SIZE), bool))
        assert hazy is not None
        assert clear is not None
        assert (hazy.haze_share > 0.9, hazy.cloud_share, clear.haze_share) == (True, 0, 0)

    def test_nothing_valid_is_nothing_known(self) -> None:
        rgb, nir = meadow()
        assert measure_clouds(rgb, nir, np.zeros((SIZE, SIZE), bool)) is None


class TestPicture:
    def picture(self) -> np.ndarray:
        light = ground(1)[:, :, None] * np.array([3, 4, 2])
        return (light + np.random.default_rng(0).normal(0, 20, light.shape)).astype(np.uint16)

    def measures(self, rgb: np.ndarray, valid: np.ndarray | None = None) -> object:
        valid = np.ones(rgb.shape[:2], bool) if valid is None else valid
        return measure_picture(np.moveaxis(rgb, 2, 0), rgb.mean(axis=2, dtype=np.float32), valid)

    def test_blank_pixels_are_those_without_imagery_and_those_of_zero(self) -> None:
        rgb, valid = self.picture(), np.ones((SIZE, SIZE), bool)
        valid[:16] = False
        rgb[16:32] = 0
        assert self.measures(rgb, valid).blank_share == 0.25

    def test_saturation_is_a_pile_at_the_top(self) -> None:
        rgb = self.picture()
        assert self.measures(rgb).saturated_share < 0.001
        cut = np.minimum(rgb, np.quantile(rgb[..., 1], 0.9).astype(np.uint16))
        assert self.measures(cut).saturated_share == pytest.approx(0.1, abs=0.02)

    def test_a_blurred_picture_is_less_sharp(self) -> None:
        rgb = self.picture().astype(np.float32)
        soft = np.mean([np.roll(rgb, step, axis) for axis in (0, 1) for step in (-2, -1, 0, 1, 2)], axis=0)
        assert self.measures(soft).sharpness < 0.5 * self.measures(rgb).sharpness

    @pytest.mark.parametrize("axis", [0, 1])
    def test_stripes_along_either_axis(self, axis: int) -> None:
        rgb = self.picture().astype(np.float32)
        gain = np.random.default_rng(5).normal(1, 0.1, SIZE)
        striped = rgb * (gain[:, None, None] if axis == 0 else gain[None, :, None])
        assert self.measures(striped).striping > 0.7
        assert self.measures(rgb).striping < 0.35


class TestHeights:
    def test_single_spikes_and_pits_are_counted(self) -> None:
        dem = ground(falling=2.4)
        dem[20, 30] += 400
        dem[90, 10] -= 150
        found = measure_dem(dem, 30)
        assert found.spikes == 2
        assert 300 < found.spike_m < 400

    def test_mountains_have_no_spikes(self, sample_data: Path) -> None:
        with rasterio.open(sample_data / "srtm3_other" / "S33W071.tif") as dataset:
            dem = dataset.read(1)
        found = [
            measure_dem(dem[row : row + SIZE, col : col + SIZE], 85)
            for row in range(0, 1024, SIZE)
            for col in range(0, 1024, SIZE)
        ]
        assert sum(each.spikes > 0 for each in found) <= 2
        assert max(each.terrace_share for each in found) < 0.3

    def test_a_void_is_no_pit(self) -> None:
        dem = ground(falling=2.4)
        void = np.zeros(dem.shape, bool)
        dem[50, 50], void[50, 50] = -32768, True
        assert measure_dem(dem, 30, void).spikes == 0

    def test_terraces_are_told_from_whole_metres_and_from_a_lake(self) -> None:
        dem = ground(falling=2.4)
        assert measure_dem(dem // 20 * 20, 30).terrace_share > 0.6
        plain = np.rint(ground(relief=30, falling=2.4))
        assert (measure_dem(plain, 30).terrace_share, measure_dem(plain, 30).flat_share > 0.3) == (0, True)
        assert measure_dem(np.maximum(dem, 500), 30).terrace_share < 0.2


class TestLikeness:
    def test_a_copy_with_other_light_is_a_duplicate(self) -> None:
        picture, dem = ground(1), ground(2)
        noise = np.random.default_rng(1).normal(0, 2, picture.shape)
        a, b = likeness_of(picture, dem), likeness_of(picture * 1.1 + 30 + noise, dem + 1)
        assert a is not None
        assert b is not None
        assert alike(a, b)

    def test_different_places_are_none(self) -> None:
        made = [likeness_of(ground(seed), ground(100 + seed)) for seed in range(20)]
        assert all(made)
        assert not any(alike(a, b) for n, a in enumerate(made) for b in made[:n])

    def test_the_same_picture_on_other_heights_is_none(self) -> None:
        a, b = likeness_of(ground(1), ground(2)), likeness_of(ground(1), ground(3))
        assert a is not None
        assert b is not None
        assert a.bits == b.bits
        assert not alike(a, b)

    @pytest.mark.parametrize("side", ["picture", "heights"])
    def test_what_has_no_texture_is_exempt(self, side: str) -> None:
        smooth = np.full((SIZE, SIZE), 400, np.float32)
        assert likeness_of(*(smooth, ground(1)) if side == "picture" else (ground(1), smooth)) is None


@pytest.fixture(scope="module")
def zion(sample_data: Path) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Heights, near infrared on their grid, pixel size."""
    folder = sample_data / "zion"
    with rasterio.open(folder / "zion_srtm_3arcsec.tif") as target:
        place = {"crs": target.crs, "transform": target.transform, "width": target.width, "height": target.height}
        dem, pixel = target.read(1), Grid.of(target).pixel_size_m()
    with (
        rasterio.open(folder / "zion_landsat8_rgbn_30m.tif") as dataset,
        WarpedVRT(dataset, **place, resampling=Resampling.bilinear, src_nodata=65535, nodata=65535) as warped,
    ):
        return dem, warped.read(4), pixel


class TestShift:
    PLACES = ((150, 150), (280, 150), (150, 280), (280, 280))

    def test_a_planted_shift_is_found_with_its_direction(self, zion: tuple) -> None:
        dem, nir, pixel = zion
        for row, col in self.PLACES:
            heights = dem[row : row + SIZE, col : col + SIZE]
            for down, right in ((0, 0), (3, -4), (-5, 0)):
                # What lies at (0, 0) of the cut-out lies `down` rows further down in the whole picture.
                picture = nir[row - down : row - down + SIZE, col - right : col - right + SIZE]
                best = max(shift_trials(heights, picture, *pixel), key=lambda trial: trial.peak)
                assert (best.down, best.right) == pytest.approx((down, right), abs=1.2)
                assert (best.length >= FLAG_FROM_PX) == bool(down or right)

    def test_the_sun_is_where_it_was(self, zion: tuple) -> None:
        """Landsat 8 passed on an August morning: the sun stood in the south-east."""
        dem, nir, pixel = zion
        sums = np.zeros(len(AZIMUTHS))
        for row, col in self.PLACES:
            box = slice(row, row + SIZE), slice(col, col + SIZE)
            sums += [trial.peak for trial in shift_trials(dem[box], nir[box], *pixel)]
        assert AZIMUTHS[int(sums.argmax())] in (120, 140, 160)

    def test_mismatched_pairs_stay_below_the_threshold(self, zion: tuple) -> None:
        dem, nir, pixel = zion

        def peak(at: tuple[int, int], of: tuple[int, int]) -> float:
            heights, picture = (
                layer[row : row + SIZE, col : col + SIZE] for layer, (row, col) in ((dem, at), (nir, of))
            )
            return shift_trials(heights, picture, *pixel, azimuths=(140,))[0].peak

        pairs = [(a, b) for a in self.PLACES for b in self.PLACES if a != b]
        threshold = null_threshold([peak(*pair) for pair in pairs[::2]])
        assert threshold is not None
        assert sum(peak(*pair) >= threshold for pair in pairs[1::2]) <= 1
        assert all(peak(place, place) > threshold for place in self.PLACES)

    def test_nothing_to_measure(self) -> None:
        picture = ground(1)
        half = ground(2)
        half[:70] = 0
        for dem in (np.full((SIZE, SIZE), 7.0), half):
            assert shift_trials(dem, picture, 30, 30) == ()
        assert shift_trials(ground(2), np.full((SIZE, SIZE), 7.0), 30, 30) == ()
        assert shift_trials(ground(2, 16), ground(1, 16), 30, 30) == ()
        missing = np.zeros((SIZE, SIZE), bool)
        missing[:40] = True
        assert shift_trials(ground(2), picture, 30, 30, missing) == ()
        assert null_threshold([]) is None


class TestScore:
    @pytest.mark.parametrize("code", RAMPS)
    def test_no_severity_falls_when_the_measure_grows(self, code: str) -> None:
        values = np.linspace(0, 2 * RAMPS[code][1], 50)
        graves = [severity(code, float(value)) for value in values]
        assert graves == sorted(graves)
        assert graves[0] == 0
        assert 0 < graves[-1] < 1

    def test_causes_are_named_gravest_first_and_add_up(self) -> None:
        one, _ = score_of({"cloud": 0.1})
        both, causes = score_of({"cloud": 0.1, "shift": 5.0, "haze": None, "void": 0.0})
        assert 0 < one < both <= 1
        assert [cause.code for cause in causes] == ["shift", "cloud"]
        assert score_of({"cloud": None, "shift": None}) == (0, ())


def test_numbers_that_are_not_reflectance_say_nothing_of_clouds() -> None:
    grid = Grid("EPSG:32633", (30.0, 0.0, 500_000.0, 0.0, -30.0, 4_000_000.0), SIZE, SIZE)
    rgb = (np.moveaxis(meadow()[0], 0, 2) * 10_000).astype(np.uint16)
    valid = np.ones((SIZE, SIZE), bool)
    common = {"rgb": rgb, "nir": None, "valid": valid, "dem": ground(), "void": ~valid, "grid": grid}
    unknown = measure_quality(**common, scale=None, offset=None).to_dict()
    assert (unknown["cloud_share"], unknown["haze_share"]) == (None, None)
    assert measure_quality(**common, scale=1e-4, offset=None).to_dict()["cloud_share"] == 0
