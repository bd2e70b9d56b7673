"""The tail of a distribution: how far it is exponential, and with which scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from pellucid.activations.distribution.distribution import Distribution
from pellucid.activations.distribution.excess import mean_excess
from pellucid.activations.distribution.exponential import exponential_scale
from pellucid.activations.distribution.intervals import Interval, jackknife
from pellucid.activations.distribution.tail_range import TailRange
from pellucid.errors import SummaryError

LEAST = 25
"""Values that a bin holds at least in the range that is chosen where none is given."""


@dataclass(frozen=True)
class TailFit:
    """A straight line through the logarithm of the density, log p(x) = intercept + slope·x: an exponential tail.

    `low` and `high` are the lower edges of the first and the last of the `bins` that it goes through, which hold
    `count` values. `scale` is the distance over which the density falls by e, 1/|slope|, and `interval` holds it;
    `r2` is the share of the variance of the logarithms that the line explains. `likelihood_scale` is the scale of
    greatest likelihood in the same bins, `likelihood_error` its standard error. `mean_excess` has pairs of a threshold
    and the mean distance beyond it of the values beyond it, which is the scale at all thresholds if they are
    exponential. `rises` is true of a tail at the lower end, where the density rises with x. Each of the bins is made of
    so many of the histogram's: `merged`.
    """

    low: float
    high: float
    bins: int
    count: int
    slope: float
    intercept: float
    scale: float
    interval: Interval | None
    r2: float
    likelihood_scale: float
    likelihood_error: float
    mean_excess: tuple[tuple[float, float], ...]
    rises: bool
    merged: int

    def log_density(self, x: ArrayLike) -> NDArray[np.float64]:
        """The line's logarithm of the density at x."""
        return np.asarray(self.intercept + self.slope * np.asarray(x, np.float64))


def fit_tail(
    distribution: Distribution,
    *,
    low: float | None = None,
    high: float | None = None,
    least: int = LEAST,
    merge: int | None = None,
    weighted: bool = False,
    thresholds: Sequence[float] | None = None,
    parts: Sequence[Distribution] = (),
    confidence: float = 0.95,
) -> TailFit | str:
    """Fit an exponential to the bins whose lower edges lie from `low` to `high`, both included; or say why not.

    By default from the first bin that begins above 0, up to the last before one that holds fewer than `least` values. A
    range with a `high` of 0 or less is a tail at the lower end, by default down from there as far. `merge` neighbouring
    bins are taken as one: none where the range is given, otherwise as many as leave 12 bins (or 6, or 3, if there are
    few values), since wider bins hold enough of them farther out. Empty bins have no logarithm and are passed over.

    The line is that of least squares through the middles of the bins, all of equal weight, or `weighted` by their
    counts, the inverse of the variance of log counts. Its interval is that of the regression (Student's t with two
    degrees of freedom less than bins), which takes all of the bins' distances from the line for chance; or with
    `parts`, two or more shards, that of the jackknife over them. `thresholds` are those of the mean excess (Davison and
    Smith 1990); by default up to 8 edges of bins in the range with `least` values beyond them.

    Gives the reason, a sentence, where fewer than three bins are left, or where the density does not fall towards the
    tail's end. Raises `SummaryError` for an empty range.
    """
    tail = TailRange(low, high, least)
    merge = merge or tail.merging(distribution)
    distribution, parts = tail.merged(distribution, merge), [tail.merged(part, merge) for part in parts]
    used = tail.bins(distribution)
    if len(used) < 3:
        return f"a line needs 3 bins, and of those {tail} {len(used) or 'none'} can be used"
    slope, intercept, r2, error = _line(distribution, distribution.counts, used, weighted)
    lower = tail.lower
    if slope == 0 or (slope > 0) != lower:
        return f"the density does not fall {tail}"
    first, last = int(used[0]), int(used[-1])
    edges, counts = distribution.edges[first : last + 2], distribution.counts[first : last + 1]
    likely, likely_error = exponential_scale(-edges[::-1], counts[::-1]) if lower else exponential_scale(edges, counts)
    at = tail.thresholds(distribution, edges) if thresholds is None else np.asarray(thresholds, np.float64)
    excess = zip(at.tolist(), mean_excess(distribution, at, lower=lower).tolist(), strict=True)
    if len(parts) > 1:
        interval = jackknife(1 / abs(slope), _left_out(distribution, parts, used, weighted), confidence)
    else:
        interval = _regression_interval(slope, error, len(used) - 2, confidence)
    return TailFit(
        float(edges[0]),
        float(edges[-2]),
        len(used),
        int(counts.sum()),
        slope,
        intercept,
        1 / abs(slope),
        interval,
        r2,
        likely,
        likely_error,
        tuple((start, value) for start, value in excess if np.isfinite(value)),
        lower,
        merge,
    )


def _line(
    distribution: Distribution, counts: NDArray[np.int64], used: NDArray[np.intp], weighted: bool
) -> tuple[float, float, float, float]:
    """Slope and intercept through log density at the middles of the bins, the share explained, the slope's error."""
    x = distribution.centres[used]
    y = np.log(counts[used] / (max(distribution.total, 1) * distribution.widths[used]))
    weights = counts[used].astype(np.float64) if weighted else np.ones(len(used))
    # Least squares about the middle of x, so that tails far from 0 lose no digits.
    middle = float(np.average(x, weights=weights))
    (slope, level), covariance = np.polyfit(x - middle, y, 1, w=np.sqrt(weights), cov=True)
    residual = float(weights @ (y - level - slope * (x - middle)) ** 2)
    spread = float(weights @ (y - np.average(y, weights=weights)) ** 2)
    explained = 1 - residual / spread if spread > 0 else np.nan
    return float(slope), float(level - slope * middle), explained, float(np.sqrt(covariance[0, 0]))


def _regression_interval(slope: float, error: float, freedom: int, confidence: float) -> Interval | None:
    """The interval of 1/|slope|; None where it has no upper end, since the line might be level."""
    reach = float(student.ppf((1 + confidence) / 2, freedom)) * error
    if reach >= abs(slope):
        return None
    return 1 / (abs(slope) + reach), 1 / (abs(slope) - reach)


def _left_out(
    distribution: Distribution, parts: Sequence[Distribution], used: NDArray[np.intp], weighted: bool
) -> NDArray[np.float64]:
    """The scales of the lines without each part in turn (P,)."""
    for part in parts:
        distribution.refuse_other_bins(part)
    if not np.array_equal(np.sum([part.counts for part in parts], axis=0), distribution.counts):
        raise SummaryError("the parts together are not the distribution; give every part once")
    scales = []
    for part in parts:
        left = distribution.counts - part.counts
        kept = used[left[used] > 0]
        scales.append(1 / abs(_line(distribution, left, kept, weighted)[0]) if len(kept) > 2 else np.nan)
    return np.array(scales)
