"""Distributions a second time: from the values one by one, nothing clever."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from scipy.optimize import minimize_scalar
from scipy.stats import t as student


def central_moment(values: Sequence[float], power: int) -> float:
    """Σ (x - mean)^power / n."""
    mean = math.fsum(values) / len(values)
    return math.fsum((x - mean) ** power for x in values) / len(values)


def skewness(values: Sequence[float]) -> float:
    """The third standardized moment."""
    return central_moment(values, 3) / central_moment(values, 2) ** 1.5


def excess_kurtosis(values: Sequence[float]) -> float:
    """The fourth standardized moment, less that of a normal distribution."""
    return central_moment(values, 4) / central_moment(values, 2) ** 2 - 3


def gini(values: Sequence[float]) -> float:
    """The mean difference of all pairs over twice the mean."""
    n, total = len(values), math.fsum(values)
    return math.fsum(abs(x - y) for x in values for y in values) / (2 * n * total)


def sparseness(values: Sequence[float]) -> float:
    """One minus the squared mean over the mean square."""
    n = len(values)
    return 1 - (math.fsum(values) / n) ** 2 / (math.fsum(x * x for x in values) / n)


def line(x: Sequence[float], y: Sequence[float], w: Sequence[float]) -> tuple[float, float, float]:
    """Slope, intercept and R² of weighted least squares, from the normal equations."""
    total = math.fsum(w)
    x_mean = math.fsum(a * b for a, b in zip(w, x, strict=True)) / total
    y_mean = math.fsum(a * b for a, b in zip(w, y, strict=True)) / total
    xy = math.fsum(c * (a - x_mean) * (b - y_mean) for a, b, c in zip(x, y, w, strict=True))
    xx = math.fsum(c * (a - x_mean) ** 2 for a, c in zip(x, w, strict=True))
    yy = math.fsum(c * (b - y_mean) ** 2 for b, c in zip(y, w, strict=True))
    return xy / xx, y_mean - xy / xx * x_mean, xy**2 / (xx * yy)


def slope_interval(x: Sequence[float], y: Sequence[float], confidence: float) -> tuple[float, float]:
    """The interval of the slope of ordinary least squares."""
    slope, intercept, _ = line(x, y, [1.0] * len(x))
    residual = math.fsum((b - intercept - slope * a) ** 2 for a, b in zip(x, y, strict=True)) / (len(x) - 2)
    mean = math.fsum(x) / len(x)
    error = math.sqrt(residual / math.fsum((a - mean) ** 2 for a in x))
    reach = float(student.ppf((1 + confidence) / 2, len(x) - 2)) * error
    return slope - reach, slope + reach


def mean_excess(values: Sequence[float], threshold: float) -> float:
    """How far values beyond a threshold lie beyond it."""
    beyond = [x - threshold for x in values if x > threshold]
    return math.fsum(beyond) / len(beyond)


def exponential_fit(edges: Sequence[float], counts: Sequence[int]) -> tuple[float, float]:
    """Scale of greatest likelihood on the range of the bins, and its standard error from the curvature there."""

    def lost(scale: float) -> float:
        whole = 1 - math.exp(-(edges[-1] - edges[0]) / scale)
        total = 0.0
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
            inside = math.exp(-(low - edges[0]) / scale) - math.exp(-(high - edges[0]) / scale)
            total -= count * math.log(inside / whole)
        return total

    span = edges[-1] - edges[0]
    found: Any = minimize_scalar(lost, bounds=(span / 100, span * 5), method="bounded", options={"xatol": 1e-10})
    scale = float(found.x)
    step = 1e-3 * scale
    curvature = (lost(scale + step) - 2 * lost(scale) + lost(scale - step)) / step**2
    return scale, 1 / math.sqrt(curvature)


def number_of_values(shares: Sequence[float], most: int) -> int:
    """The least number of values of which each share is a whole number, by trying all."""
    for number in range(1, most + 1):
        if all(abs(share * number - round(share * number)) < 1e-6 for share in shares):
            return number
    raise AssertionError(f"none up to {most}")


def jackknife(
    parts: Sequence[Sequence[float]], statistic: Callable[[Sequence[float]], float], confidence: float
) -> tuple[float, float]:
    """The interval of a statistic of all values, from leaving out one part after the other."""
    value = statistic([x for part in parts for x in part])
    left = [statistic([x for other in parts if other is not part for x in other]) for part in parts]
    mean = sum(left) / len(left)
    error = math.sqrt((len(left) - 1) / len(left) * sum((one - mean) ** 2 for one in left))
    reach = float(student.ppf((1 + confidence) / 2, len(left) - 1)) * error
    return value - reach, value + reach
