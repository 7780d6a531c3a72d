"""The expression that Earth Engine computes: a composite with explicit band names and a valid band.

Needs a client that is initialised, because the methods of `ee` objects come from the server's list of algorithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import ee

from .ee_request import CLOUD_SCORE, Request

# Landsat Collection 2, QA_PIXEL: dilated cloud, cirrus, cloud, cloud shadow.
QA_PIXEL_BITS = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4
QA60_BITS = 1 << 10 | 1 << 11


def composite(request: Request, footprint: Sequence[Sequence[float]]) -> Any:
    """An ee.Image of float bands named `request.band_names`: reflectance, whether valid (0 or 1), clear looks.

    footprint: the tile's outline, a ring of [longitude, latitude]; scenes elsewhere are not looked at. Pixels without
    any clear look are 0 in all bands, valid among them, so that nothing depends on how a file marks what is missing.
    """
    wanted = [*request.bands, *([request.nir] if request.nir else [])]
    names = [name for name in request.band_names if name not in ("valid", "clear")]
    looks = _one_image(request, wanted) if request.reducer == "image" else _looks(request, wanted, footprint)
    picture = _reduced(request, looks).select(wanted, names)
    valid = picture.mask().reduce(ee.Reducer.min()).gt(0)
    scaled = picture.toFloat().multiply(request.scale_factor).add(request.offset)
    bands = [scaled.unmask(0), valid.unmask(0).rename(["valid"])]
    if request.clear_count:
        bands.append(looks.select([wanted[0]]).count().unmask(0).rename(["clear"]))
    return ee.Image.cat(bands).toFloat().select(list(request.band_names))


def expression_text(image: Any) -> str:
    """The expression as it is sent, as JSON."""
    return str(image.serialize(for_cloud_api=True))


def _one_image(request: Request, wanted: list[str]) -> Any:
    return ee.ImageCollection([_look(request, ee.Image(request.collection), wanted)])


def _looks(request: Request, wanted: list[str], footprint: Sequence[Sequence[float]]) -> Any:
    """Every scene that may be used, clouds masked, and one empty scene, so that there is always one to reduce."""
    after = date.fromisoformat(request.end) + timedelta(days=1)
    images = (
        ee.ImageCollection(request.collection)
        .filterBounds(ee.Geometry.Polygon([[list(map(float, point)) for point in footprint]]))
        .filterDate(request.start, after.isoformat())
    )
    if request.months:
        images = images.filter(ee.Filter.calendarRange(*request.months, "month"))
    if request.cloud_limit is not None:
        images = images.filter(ee.Filter.lt(request.cloud_property, request.cloud_limit))
    if request.mask == "cloud-score":
        images = images.linkCollection(ee.ImageCollection(CLOUD_SCORE), [request.score_band])
    if request.reducer == "least_cloudy":
        # A mosaic shows its last image on top.
        images = images.sort(request.cloud_property, False)
    looks = images.map(lambda image: _look(request, ee.Image(image), wanted))
    nothing = ee.Image.constant([0.0] * len(wanted)).rename(wanted).updateMask(0)
    return ee.ImageCollection([nothing]).merge(looks)


def _look(request: Request, image: Any, wanted: list[str]) -> Any:
    """One scene on its own: resampled where the grid asks for it, and masked where it is cloudy."""
    picture = image.select(wanted)
    if request.resampling != "nearest":
        picture = picture.resample(request.resampling)
    if request.mask == "cloud-score":
        return picture.updateMask(image.select(request.score_band).gte(request.threshold))
    if request.mask == "qa60":
        return picture.updateMask(image.select("QA60").bitwiseAnd(QA60_BITS).eq(0))
    if request.mask == "qa-pixel":
        return picture.updateMask(image.select("QA_PIXEL").bitwiseAnd(QA_PIXEL_BITS).eq(0))
    return picture


def _reduced(request: Request, looks: Any) -> Any:
    return looks.median() if request.reducer == "median" else looks.mosaic()
