"""Confidence intervals from resampled numbers."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

Interval = tuple[float, float]


def shifted_percentiles(value: float, center: float, draws: NDArray[np.float64], confidence: float) -> Interval | None:
    """The percentiles of bootstrap draws (R,) of a statistic, moved by `value` less `center`, the statistic undrawn.

    The value may be known more exactly than the histogram, `center`, that was drawn from. None where any is undefined.
    """
    if not (np.isfinite(value) and np.isfinite(center) and np.isfinite(draws).all()):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low + value - center), float(high + value - center)


def normal(value: float, error: float, confidence: float) -> Interval:
    """The interval of a value that is distributed normally, with this standard error."""
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    return value - reach, value + reach


def jackknife(value: float, left: NDArray[np.float64], confidence: float) -> Interval | None:
    """The interval of a value from its values `left` (P,) when one of P parts of the data at a time is left out.

    The variance is (P - 1)/P · Σ (left - mean of left)², the quantile that of Student's t with P - 1 degrees of freedom
    (Quenouille 1956, Tukey 1958; for groups Kott 2001). None where any is undefined.
    """
    if not (np.isfinite(value) and np.isfinite(left).all()) or len(left) < 2:
        return None
    number = len(left)
    error = np.sqrt((number - 1) / number * np.square(left - left.mean()).sum())
    reach = float(student.ppf((1 + confidence) / 2, number - 1) * error)
    return value - reach, value + reach
