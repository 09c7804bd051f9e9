"""What annotations call arrays; the docstrings say their shapes and dtypes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Indices = NDArray[np.intp]
"""Numbers of rows, of columns or of classes."""
Flags = NDArray[np.bool_]
