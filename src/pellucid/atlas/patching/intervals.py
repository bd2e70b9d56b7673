"""Intervals and tests for shares and means over photographs."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

_AT_ONCE = 4_000_000  # drawn numbers held in memory

Floats = NDArray[np.float64]


def wilson(share: float, count: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's (1927) score interval of a share among `count` independent trials; from 0 to 1 where there are none.

    The share need not be a whole number of trials: of trials that come in `count` independent groups, their mean share
    is taken as if each group were one trial, which is never too narrow, for the variance of a group's mean is at most
    that of a single trial.
    """
    if count < 1:
        return 0.0, 1.0
    z = float(norm.ppf((1 + confidence) / 2))
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """The two-sided p of McNemar's (1947) test, exact, of two answers (N,) to the same photographs."""
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    if not only_first + only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


def image_bootstrap(values: Floats, *, resamples: int, seed: int, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Ends of the percentile intervals (Efron 1979) of the means of values (..., N) over photographs drawn again.

    All means are taken over the same draws. Both ends (...).
    """
    flat = values.reshape(-1, values.shape[-1])
    draws = [weights @ flat.T for weights in _weights(values.shape[-1], resamples, np.random.default_rng(seed))]
    low, high = np.quantile(np.concatenate(draws), _tails(confidence), axis=0)
    return low.reshape(values.shape[:-1]), high.reshape(values.shape[:-1])


def crossed_bootstrap(values: Floats, *, resamples: int, seed: int, confidence: float = 0.95) -> tuple[float, float]:
    """The percentile interval of the mean of values (P, N) when patches and photographs are both drawn again.

    This pigeonhole bootstrap (Owen 2007) is about other patches and other photographs of the same kinds; it is rather
    too wide than too narrow.
    """
    rng = np.random.default_rng(seed)
    draws = []
    for weights in _weights(values.shape[1], resamples, rng):
        patches = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=len(weights)) / len(values)
        draws.append(((patches @ values) * weights).sum(axis=1))
    low, high = np.quantile(np.concatenate(draws), _tails(confidence))
    return float(low), float(high)


def sign_flips(differences: Floats, *, resamples: int, seed: int) -> float:
    """The two-sided p that paired differences (N,) have the mean 0: the test in which each may change its sign.

    Patch and control are exchanged on whole photographs, so that several trials of one photograph count as one
    (Fisher 1935, "The Design of Experiments", section 21). With single trials it is McNemar's test.
    """
    rng = np.random.default_rng(seed)
    observed, count, at_least = abs(float(differences.mean())), len(differences), 0
    for some in _chunks(resamples, count):
        signs = rng.integers(0, 2, size=(some, count)) * 2.0 - 1
        at_least += int((np.abs(signs @ differences) / count >= observed * (1 - 1e-12)).sum())
    return (1 + at_least) / (1 + resamples)


def _weights(count: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each of the photographs is drawn, as shares: (some, count)."""
    for some in _chunks(resamples, count):
        yield rng.multinomial(count, np.full(count, 1 / count), size=some) / count


def _chunks(resamples: int, count: int) -> Iterator[int]:
    step = max(1, _AT_ONCE // max(count, 1))
    for at in range(0, resamples, step):
        yield min(step, resamples - at)


def _tails(confidence: float) -> list[float]:
    return [(1 - confidence) / 2, (1 + confidence) / 2]
