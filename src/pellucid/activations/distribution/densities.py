"""Counts from a published density: how many values there were, and how many in each bin."""

import math
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import SummaryError

Place = Literal["left", "centre"]
_MOST = 10**7  # values; a share in double precision tells fractions with denominators up to here apart
_NEAR = 1e-4  # of a whole number


def bin_edges(bins: ArrayLike, count: int, at: Place) -> NDArray[np.float64]:
    """The edges (B + 1,) of bins given by their edges, or by one place (B,) each, all of the same width.

    Raises `SummaryError` for another number of places, or places that are not evenly spaced.
    """
    places = np.asarray(bins, np.float64)
    if places.shape == (count + 1,):
        return places
    if places.shape != (count,) or count < 2:
        raise SummaryError(
            f"{count} densities belong to {count} places or {count + 1} edges of bins, not {len(places)}"
        )
    width = (places[-1] - places[0]) / (count - 1)
    if not np.allclose(np.diff(places), width, rtol=1e-6, atol=0):
        raise SummaryError("the bins are not evenly spaced, so that one number does not tell their widths; give edges")
    start = places[0] - (width / 2 if at == "centre" else 0)
    return start + width * np.arange(count + 1)


def recover_counts(shares: NDArray[np.float64], total: int | None = None) -> tuple[NDArray[np.int64], int]:
    """The counts (B,) and their number N behind the shares of values in each bin.

    Each share is a fraction with a denominator that divides N: the nearest fraction with a denominator up to 10^7, by
    continued fractions, is that one. Raises `SummaryError` where no N below 10^7 makes all counts whole.
    """
    if total is None:
        found = 1
        for share in shares[shares > 0]:
            found = math.lcm(found, Fraction(float(share)).limit_denominator(_MOST).denominator)
            if found > _MOST:
                break
        if found > _MOST or (np.abs(shares * found - np.round(shares * found)) > _NEAR).any():
            raise SummaryError(
                f"the densities are no whole numbers of values over a total below {_MOST:,}: rounded or smoothed ones "
                "are not; give the total"
            )
        total = found
    return np.round(shares * total).astype(np.int64), total
