"""Colour tables against matplotlib's, whose bytes are recorded here, and the published colour depth map."""

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tiles.raster.colour import LUT_NAMES, colour_depth, lut
from tiles.raster.errors import FlatTile

# SHA-256 of matplotlib.colormaps["Spectral"](range(256), bytes=True)[:, :3], matplotlib 3.11.
SPECTRAL_SHA256 = "490beb5e2515013e1efd517fff804dd84cf1846d67a460f186aacffef7479a64"
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9)


def test_spectral_is_matplotlibs_to_the_byte() -> None:
    table = lut("Spectral")
    assert table[[0, 100, 127, 128, 255]].tolist() == [
        [158, 1, 66],
        [253, 220, 135],
        [254, 254, 189],
        [254, 254, 190],
        [94, 79, 162],
    ]
    assert hashlib.sha256(table.tobytes()).hexdigest() == SPECTRAL_SHA256


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("viridis", "96a1f6f37d4041f953def955ffb8b9ea2110a9b4e3c9b701182d48f7a9774c58"),
        ("inferno", "8092f65256023cefa85fe1136f4f398a2a9f35e9fdf414176b33cce639c44318"),
        ("magma", "e2e7c21b2cdebd6f55d07fae05ea13bb4b4f0908509892384b87c747b9f319f6"),
        ("cividis", "8a6c6bf382be7cc30a8cbbefab8d5580471f07c59e828295e414c3f350504e29"),
    ],
)
def test_perceptual_maps_are_matplotlibs_to_the_byte(name: str, digest: str) -> None:
    """SHA-256 of matplotlib 3.11's colours, times 255 and truncated."""
    assert hashlib.sha256(lut(name).tobytes()).hexdigest() == digest


@pytest.mark.parametrize("name", LUT_NAMES)
def test_tables_have_256_colours_and_turn_round(name: str) -> None:
    assert lut(name).shape == (256, 3)
    assert lut(name).dtype == np.uint8
    np.testing.assert_array_equal(lut(name, invert=True), lut(name)[::-1])


def test_changing_a_table_does_not_change_the_next() -> None:
    lut("Spectral")[:] = 0
    assert lut("Spectral")[0].tolist() == [158, 1, 66]


def test_grey_is_the_identity() -> None:
    assert lut("grey")[200].tolist() == [200, 200, 200]


def matplotlib_index(share: Any) -> Any:
    """How matplotlib picks one of 256 colours for a share of 0..1, in the share's own precision."""
    scaled = share * 256
    scaled[scaled == 256] = 255
    return scaled.astype(int)


@given(
    st.one_of(
        hnp.arrays(np.float32, SHAPES, elements=st.floats(-500, 9000, width=32)),
        hnp.arrays(np.int16, SHAPES, elements=st.integers(-500, 9000)),
    ).filter(lambda dem: dem.max() > dem.min()),
    st.booleans(),
)
def test_colour_depth_equals_the_published_steps(dem: Any, invert: bool) -> None:
    share = (dem - dem.min()) / (dem.max() - dem.min())
    expected = lut("Spectral")[matplotlib_index(1 - share if invert else share)]
    np.testing.assert_array_equal(colour_depth(dem, invert=invert), expected)


def test_by_hand_in_grey() -> None:
    # 1 - x = 1, 0.75, 0.5, 0 -> times 256 -> 256 (last colour), 192, 128, 0.
    dem = np.array([[0, 1], [2, 4]], np.int16)
    assert colour_depth(dem, name="grey")[:, :, 0].tolist() == [[255, 192], [128, 0]]
    assert colour_depth(dem, name="grey", invert=False)[:, :, 0].tolist() == [[0, 64], [128, 255]]


def test_voids_are_black_and_count_for_nothing() -> None:
    dem = np.array([[-9999, 0], [2, 4]], np.int16)
    coloured = colour_depth(dem, dem == -9999)
    assert coloured[0, 0].tolist() == [0, 0, 0]
    assert coloured[0, 1].tolist() == [94, 79, 162]
    assert coloured[1, 1].tolist() == [158, 1, 66]


def test_range_beyond_int16_does_not_wrap() -> None:
    dem = np.array([[-32000, 0, 32000]], np.int16)
    assert colour_depth(dem, name="grey", invert=False)[0, :, 0].tolist() == [0, 128, 255]


def test_flat_tile_is_refused() -> None:
    with pytest.raises(FlatTile):
        colour_depth(np.ones((2, 2), np.int16))
    with pytest.raises(FlatTile):
        colour_depth(np.ones((2, 2), np.int16), np.ones((2, 2), bool))
