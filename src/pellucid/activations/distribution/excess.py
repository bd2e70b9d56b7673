"""The mean excess over thresholds, which is level where a distribution is exponential."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.activations.distribution.cells import Cells
from pellucid.activations.distribution.distribution import Distribution


def mean_excess(distribution: Distribution, thresholds: ArrayLike, *, lower: bool = False) -> NDArray[np.float64]:
    """The mean of x - u over the values x > u for each threshold u (T,), with `lower` of u - x over those x < u.

    By the histogram, whose bins are even within; NaN where there is no value beyond. It is the same for all u if the
    values beyond the first are exponential.
    """
    cells, sign = Cells.of(distribution), -1.0 if lower else 1.0
    counts = cells.counts(distribution)
    near, far = (-cells.high, -cells.low) if lower else (cells.low, cells.high)
    found = []
    for u in sign * np.asarray(thresholds, np.float64):
        start = np.clip(u, near, far)
        length = far - near
        share = np.where(length > 0, (far - start) / np.where(length > 0, length, 1), far > u)
        beyond = counts * share
        number = beyond.sum()
        found.append(beyond @ ((start + far) / 2 - u) / number if number > 0 else np.nan)
    return np.array(found)
