"""One picture out of several looks."""

from __future__ import annotations

import numpy as np
import pytest

from tiles.raster.composite import first_clear, median_of_clear


@pytest.mark.parametrize("looks", range(1, 7))
def test_the_median_is_that_of_the_clear_looks(looks: int) -> None:
    random = np.random.default_rng(looks)
    values = random.random((looks, 2, 20, 30), np.float32)
    clear = random.random((looks, 20, 30)) < 0.6
    found = median_of_clear(values, clear)
    assert found.dtype == np.float32
    some = clear.any(axis=0)
    for row, col in zip(*some.nonzero(), strict=True):
        expected = np.median(values[clear[:, row, col], :, row, col], axis=0)
        np.testing.assert_allclose(found[:, row, col], expected, rtol=1e-6)
    assert (found[:, ~some] == 0).all()


def test_the_first_clear_look_wins() -> None:
    values = np.array([1, 2, 3], np.float32).reshape(3, 1, 1, 1) * np.ones((1, 2, 1, 4), np.float32)
    clear = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]], bool)[:, None]
    assert first_clear(values, clear).tolist() == [[[1, 2, 3, 0]]] * 2
