"""Brightness, greenness, saturation and NDVI of unstretched imagery."""

from pathlib import Path

import numpy as np
import pytest

from tiles.raster.errors import BadBands, BlankImage
from tiles.raster.reading import open_raster
from tiles.raster.surface import measure_surface


def test_by_hand() -> None:
    # One green, one grey, one red pixel; excess green 2g - r - b over the sum: 0.5, 0, -1.
    rgb = np.array([[[0.25, 0.5, 0.25], [0.3, 0.3, 0.3], [0.6, 0.0, 0.0]]], np.float32)
    nir = np.array([[0.75, 0.3, 0.2]], np.float32)
    measured = measure_surface(rgb, nir)
    assert measured.brightness == pytest.approx((1 / 3 + 0.3 + 0.2) / 3)
    assert measured.greenness == pytest.approx(1 / 3)
    assert measured.saturation == pytest.approx((0.5 + 0 + 1) / 3)
    assert measured.ndvi == pytest.approx((0.5 + 0 - 0.5) / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("dtype", "value", "brightness"), [(np.uint8, 51, 0.2), (np.uint16, 2000, 0.2), (np.int16, 0, 0)]
)
def test_brightness_of_integers_is_reflectance(dtype: type, value: int, brightness: float) -> None:
    assert measure_surface(np.full((2, 2, 3), value, dtype)).brightness == pytest.approx(brightness, abs=1e-6)


def test_scale_of_the_source_wins_and_full_light_is_1() -> None:
    rgb = np.full((2, 2, 3), 30_000, np.uint16)
    assert measure_surface(rgb).brightness == 1
    assert measure_surface(rgb, scale=1 / 60_000).brightness == pytest.approx(0.5)


def test_unsigned_bands_do_not_wrap() -> None:
    rgb = np.full((2, 2, 3), 200, np.uint8)
    measured = measure_surface(rgb, np.full((2, 2), 100, np.uint8))
    assert measured.ndvi == pytest.approx(-1 / 3)
    assert measured.greenness == 0


def test_invalid_and_nan_pixels_are_left_out() -> None:
    rgb = np.full((1, 3, 3), 0.5, np.float32)
    rgb[0, 0] = 1
    rgb[0, 1, 2] = np.nan
    measured = measure_surface(rgb, valid=np.array([[False, True, True]]))
    assert measured.brightness == 0.5
    assert measured.ndvi is None
    with pytest.raises(BlankImage):
        measure_surface(rgb, valid=np.array([[False, True, False]]))


def test_black_pixels_have_no_colour() -> None:
    measured = measure_surface(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8))
    assert (measured.saturation, measured.greenness, measured.ndvi) == (0, 0, 0)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(BadBands):
        measure_surface(np.zeros((3, 4, 4)))
    with pytest.raises(BadBands):
        measure_surface(np.ones((4, 4, 3)), np.ones((4, 5)))


def test_real_landsat_scene_against_the_formulas_in_full(samples: Path) -> None:
    with open_raster(samples / "zion" / "zion_landsat8_rgbn_30m.tif") as dataset:
        raw, valid = dataset.read(), dataset.dataset_mask() > 0
    # Landsat 8 numbers are reflectance = 2e-5 * value - 0.1.
    bands = raw.astype(np.float32) * np.float32(2e-5) - np.float32(0.1)
    measured = measure_surface(np.moveaxis(bands[:3], 0, -1), bands[3], valid)
    red, green, blue, nir = bands.astype(np.float64)[:, valid]
    assert measured.brightness == pytest.approx(np.clip((red + green + blue) / 3, 0, 1).mean(), rel=1e-4)
    assert measured.ndvi == pytest.approx(np.clip((nir - red) / (nir + red), -1, 1).mean(), rel=1e-4)
    assert measured.greenness == pytest.approx(
        ((2 * green - red - blue) / (red + green + blue) > 0.05).mean(), rel=1e-3
    )
    assert 0.3 < measured.ndvi < 0.5
    assert measured.contrast > 0


def test_vegetation_is_the_share_of_the_dry_land() -> None:
    rgb = np.full((1, 4, 3), 0.2, np.float32)
    nir = np.array([[0.1, 0.2, 0.3, 0.6]], np.float32)  # NDVI -1/3 (water), 0, 0.2, 0.5
    assert measure_surface(rgb, nir).vegetation == pytest.approx(1 / 3)


def test_vegetation_is_unknown_without_near_infrared_or_without_land() -> None:
    rgb = np.full((2, 2, 3), 0.2, np.float32)
    assert measure_surface(rgb).vegetation is None
    assert measure_surface(rgb, np.full((2, 2), 0.1, np.float32)).vegetation is None
