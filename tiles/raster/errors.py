"""What can be wrong with a raster, said in one sentence a person can act on."""


class RasterError(Exception):
    """A raster cannot be used. The message is one clear sentence; `code` is for programs."""

    code: str = "raster"


class NotARaster(RasterError):
    """The file is not a raster at all, or there is no raster where one was expected."""

    code = "not_raster"


class DriverNotAllowed(RasterError):
    """The file is a raster of a format that may refer to other files, or is simply not supported."""

    code = "driver"


class MissingCrs(RasterError):
    """The raster does not say where on Earth it lies."""

    code = "no_crs"


class Unreadable(RasterError):
    """The file is truncated, corrupt, absent or not readable by this process."""

    code = "unreadable"


class BadBands(RasterError):
    """The bands are too many, too few, or of a type that cannot be used here."""

    code = "bands"


class FlatTile(RasterError):
    """All heights are equal, or there are none: such a tile cannot be a training pair."""

    code = "flat"


class BlankImage(RasterError):
    """The image has no valid pixel that is not black."""

    code = "blank"


class GridMismatch(RasterError):
    """Two layers do not lie on one grid, or a window leaves its raster."""

    code = "grid"


class BadAoi(RasterError):
    """What should outline an area of interest does not."""

    code = "aoi"
