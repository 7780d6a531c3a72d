"""CPU per tile: the plain formulas as published against the same pixels made by Demeter."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tests.bench.report import cpu_seconds, show
from tiles.raster.depth import depth_to_uint8
from tiles.raster.encode import encode_png
from tiles.raster.stretch import stretch_rgb

SIZE = 512
REPEATS = 9


def scene(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A textured (512, 512, 3) uint16 image and (512, 512) int16 heights."""
    random = np.random.default_rng(seed)
    smooth = sum(
        np.kron(random.normal(size=(SIZE // step, SIZE // step)), np.ones((step, step))) * step
        for step in (64, 16, 4, 1)
    )
    heights = (smooth - smooth.min()) * 8
    rgb = np.stack(
        [heights * factor + random.normal(scale=40, size=heights.shape) for factor in (0.5, 0.8, 1.0)], axis=-1
    )
    return (rgb - rgb.min()).astype(np.uint16), heights.astype(np.int16)


def plain_png(rgb: np.ndarray) -> tuple[np.ndarray, bytes]:
    bands = []
    for band in np.moveaxis(rgb, -1, 0):
        bands.append(((band - band.min()) / (band.max() - band.min()) * 255).astype(np.uint8))
    image = np.stack(bands, axis=-1)
    low, high = np.percentile(image, (1, 99))
    image = ((np.clip(image, low, high) - low) / (high - low) * 255).astype(np.uint8)
    return image, _pillow(image)


def plain_depth(dem: np.ndarray) -> np.ndarray:
    wide = dem.astype(np.int32)
    return np.floor((wide - wide.min()) / (wide.max() - wide.min()) * 255).astype(np.uint8)


def _pillow(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def main() -> None:
    rgb, dem = scene(1)
    ours = stretch_rgb(rgb).image
    theirs, their_png = plain_png(rgb)
    same = bool((ours == theirs).all() and (depth_to_uint8(dem) == plain_depth(dem)).all())
    our_png = encode_png(ours)
    rows = [("pixels identical", "yes" if same else "NO")]
    pairs = (
        ("stretch and PNG", lambda: plain_png(rgb), lambda: encode_png(stretch_rgb(rgb).image)),
        ("DEM_255", lambda: plain_depth(dem), lambda: depth_to_uint8(dem)),
    )
    for name, plain, demeter in pairs:
        a, b = cpu_seconds(plain, REPEATS), cpu_seconds(demeter, REPEATS)
        rows.append((name, f"plain {1000 * a:.1f} ms, Demeter {1000 * b:.1f} ms CPU: {a / b:.1f} times less"))
    rows.append(("PNG size against Pillow's default", f"{len(our_png) / len(their_png):.2f}"))
    show("One 512 x 512 tile, one core", rows)


if __name__ == "__main__":
    main()
