"""Georeferencing that lies beside a file: a world file with a .prj, or an .aux.xml.

GDAL's own sidecar handling is switched off when files are opened (see reading.py), because an .ovr, .msk or
.aux.xml may name any other file, of any format, or a URL. What is needed of a sidecar is six numbers and one
WKT, so these are read here as plain text and nothing else in it has any effect.
"""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError

MAX_SIDECAR_BYTES = 1_000_000
_SRS = re.compile(r"<SRS[^>]*>(.*?)</SRS>", re.DOTALL)
_GEOTRANSFORM = re.compile(r"<GeoTransform>(.*?)</GeoTransform>", re.DOTALL)


@dataclass(frozen=True)
class Georeference:
    """crs: WKT; affine: corner-based transform of the image beside which it was found."""

    crs: str
    affine: Affine


def find_georeference(path: Path) -> Georeference | None:
    """Read the position of a file from its sidecars; None unless both a CRS and a transform are there."""
    aux = _text(path.with_name(path.name + ".aux.xml"))
    affine = _aux_affine(aux) or _world_file(path)
    crs = _wkt(html.unescape(match[1])) if (match := _SRS.search(aux)) else None
    crs = crs or _wkt(_text(path.with_suffix(".prj")) or _text(path.with_suffix(".PRJ")))
    return Georeference(crs, affine) if crs and affine else None


@contextmanager
def staged(path: Path, found: Georeference) -> Iterator[Path]:
    """Give a path under which GDAL sees the file together with exactly this georeferencing and nothing else."""
    a, b, c, d, e, f = tuple(found.affine)[:6]
    numbers = ", ".join(repr(float(value)) for value in (c, a, b, f, d, e))
    with TemporaryDirectory(prefix="georeference-") as folder:
        link = Path(folder) / path.name
        link.symlink_to(path.resolve())
        link.with_name(path.name + ".aux.xml").write_text(
            f"<PAMDataset><SRS>{escape(found.crs)}</SRS><GeoTransform>{numbers}</GeoTransform></PAMDataset>",
            encoding="utf-8",
        )
        yield link


def _world_file(path: Path) -> Affine | None:
    suffix = path.suffix[1:]
    names = [f".{suffix[0]}{suffix[-1]}w", f".{suffix}w", ".wld"] if suffix else [".wld"]
    for name in [*names, *(name.upper() for name in names)]:
        numbers = _numbers(_text(path.with_suffix(name)))
        if numbers:
            a, d, b, e, x, y = numbers
            # A world file gives the centre of the first pixel; an affine here is about its corner.
            return Affine(a, b, x - (a + b) / 2, d, e, y - (d + e) / 2)
    return None


def _aux_affine(aux: str) -> Affine | None:
    match = _GEOTRANSFORM.search(aux)
    numbers = _numbers(match[1].replace(",", " ")) if match else None
    return Affine.from_gdal(*numbers) if numbers else None


def _numbers(text: str) -> list[float] | None:
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError:
        return None
    return numbers if len(numbers) == 6 else None


def _wkt(text: str) -> str | None:
    try:
        return str(CRS.from_wkt(text).to_wkt(version="WKT2_2019")) if text.strip() else None
    except CRSError:
        return None


def _text(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > MAX_SIDECAR_BYTES:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
