"""How sparse activations are: measures of nonnegative values, each counted a number of times."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def gini(values: ArrayLike, counts: ArrayLike | None = None) -> NDArray[np.float64]:
    """The Gini coefficient of nonnegative values (K,), each standing `counts` (..., K) times: (...).

    G = Σ_i Σ_j |x_i - x_j| / (2 n² mean), the mean difference of two values over twice their mean, which is also one
    minus twice the area under the Lorenz curve (Gini 1912; as a measure of sparsity, Hurley and Rickard 2009). 0 where
    all values are the same, 1 - 1/n where all but one are 0; NaN where all are 0, or there are none.
    """
    x = np.asarray(values, np.float64)
    c = np.ones(len(x)) if counts is None else np.asarray(counts, np.float64)
    order = np.argsort(x, kind="stable")
    x, c = x[order], c[..., order]
    n, sums = c.sum(axis=-1), np.cumsum(c * x, axis=-1)
    total = sums[..., -1]
    # Twice the area under the Lorenz curve: a trapezium for each value, from where the curve stands before it.
    area = (c * (2 * sums - c * x)).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, 1 - area / (n * total), np.nan)


def sparseness(mean: ArrayLike, mean_square: ArrayLike) -> NDArray[np.float64]:
    """One minus Treves and Rolls' (1991) a = (mean of x)² / mean of x², for nonnegative values.

    0 where all values are the same, 1 - 1/n where all but one of n are 0; NaN where all are 0. Vinje and Gallant (2000)
    divide by 1 - 1/n, which does not matter for as many values as there are positions.
    """
    first, second = np.asarray(mean, np.float64), np.asarray(mean_square, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(second > 0, 1 - first**2 / second, np.nan)
