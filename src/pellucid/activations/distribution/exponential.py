"""The scale of exponential values of which only bins are known, by maximum likelihood."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import root_scalar

_STEEPEST = 600.0  # rate times range; beyond it everything lies in the first bin
_FLAT = 1e-4  # rate times length, below which the series is more exact than the formula


def exponential_scale(edges: ArrayLike, counts: ArrayLike) -> tuple[float, float]:
    """The scale s of a density ~ exp(-x/s) on [edges[0], edges[-1]], of which `counts` (B,) fell into bins: (s, error).

    The likelihood is that of values drawn from the density cut off at both ends, so nothing is assumed beyond them.
    With rate r = 1/s, the derivative of its logarithm is N·m(L) - Σ n_b·m(w_b), where m(l) = 1/r - l/(exp(r·l) - 1) is
    the mean of the density on [0, l] counted from its lower end, once over the range L and once in each bin from the
    range's beginning; its root is found by Brent's method. The error is the standard error from the observed
    information, of independent values. Bins may have any widths. A negative scale says that the density rises.
    (Kulldorff 1961, Estimation from grouped and partially grouped samples.)

    NaN where the likelihood has no maximum: fewer than two bins hold anything.
    """
    e, n = np.asarray(edges, np.float64), np.asarray(counts, np.float64)
    if np.count_nonzero(n) < 2:
        return np.nan, np.nan
    span = e[-1] - e[0]
    starts, widths = (e[:-1] - e[0]) / span, np.diff(e) / span  # the range is 1 here

    def slope(rate: float) -> float:
        return float(n.sum() * _mean(rate, np.ones(1))[0] - n @ (starts + _mean(rate, widths)))

    if slope(-_STEEPEST) <= 0 or slope(_STEEPEST) >= 0:
        return np.nan, np.nan
    rate = float(root_scalar(slope, bracket=(-_STEEPEST, _STEEPEST), method="brentq", xtol=1e-14, rtol=1e-14).root)
    information = float(n.sum() * _variance(rate, np.ones(1))[0] - n @ _variance(rate, widths))
    if rate == 0 or information <= 0:
        return np.inf, np.inf
    return float(span / rate), float(span / rate**2 / np.sqrt(information))


def _mean(rate: float, lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of a density ~ exp(-rate·x) on [0, length]."""
    z = rate * lengths
    near = np.where(np.abs(z) < _FLAT, 1.0, z)
    exact = 1 / near - 1 / np.expm1(near)
    return lengths * np.where(np.abs(z) < _FLAT, 0.5 - z / 12, exact)


def _variance(rate: float, lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """The variance of a density ~ exp(-rate·x) on [0, length]."""
    z = rate * lengths
    near = np.where(np.abs(z) < 0.05, 1.0, z)
    exact = 1 / near**2 - 1 / (4 * np.sinh(near / 2) ** 2)
    return lengths**2 * np.where(np.abs(z) < 0.05, 1 / 12 - z**2 / 240 + z**4 / 6048, exact)
