"""Names for the arrays that pass between the raster modules."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
UInt8Array = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
NumberArray = NDArray[Any]
