"""Moments of activations, from sums of powers about a pivot."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SummaryError

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Count and first four moments of each of U units.

    `powers` (U, 4) are the sums of (x - pivot)^p for p = 1 to 4, in double precision; a pivot (U,) near the mean keeps
    the rounding small. Sums about one pivot are joined by addition. Of no values at all, everything but the count is
    NaN.
    """

    pivot: Numbers
    count: NDArray[np.int64]
    powers: Numbers

    @classmethod
    def empty(cls, pivot: Numbers) -> "Moments":
        """Of nothing: what changes nothing when joined."""
        return cls(pivot, np.zeros(len(pivot), np.int64), np.zeros((len(pivot), 4)))

    def merge(self, other: "Moments") -> "Moments":
        """Of both sets of values."""
        if not np.array_equal(self.pivot, other.pivot):
            raise SummaryError("moments about different pivots cannot be joined; they come of different harvests")
        return Moments(self.pivot, self.count + other.count, self.powers + other.powers)

    @property
    def mean(self) -> Numbers:
        """The mean (U,)."""
        return self.pivot + self._raw(1)

    @property
    def variance(self) -> Numbers:
        """The variance of the values seen (U,): over n, not n - 1."""
        return np.maximum(self._raw(2) - self._raw(1) ** 2, 0)

    @property
    def sd(self) -> Numbers:
        """The standard deviation (U,), the root of `variance`."""
        return np.sqrt(self.variance)

    @property
    def skewness(self) -> Numbers:
        """The third central moment over sd^3 (U,); NaN of a constant."""
        first, second, third = (self._raw(power) for power in (1, 2, 3))
        return self._over(third - 3 * first * second + 2 * first**3, 1.5)

    @property
    def kurtosis(self) -> Numbers:
        """The excess kurtosis (U,): the fourth central moment over variance^2, less 3; NaN of a constant."""
        first, second, third, fourth = (self._raw(power) for power in (1, 2, 3, 4))
        return self._over(fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4, 2) - 3

    def central(self, power: int) -> Numbers:
        """The sum of (x - mean)^p (U,) for p = 2, 3 or 4."""
        sums: dict[int, Numbers] = {
            2: self.variance,
            3: self.skewness * self.sd**3,
            4: (self.kurtosis + 3) * self.variance**2,
        }
        return np.where(self.variance > 0, sums[power], 0.0) * self.count.astype(np.float64)

    @property
    def m2(self) -> Numbers:
        """The sum of squared distances from the mean (U,)."""
        return self.central(2)

    @property
    def m3(self) -> Numbers:
        """The sum of cubed distances from the mean (U,)."""
        return self.central(3)

    @property
    def m4(self) -> Numbers:
        """The sum of fourth powers of distances from the mean (U,)."""
        return self.central(4)

    def _raw(self, power: int) -> Numbers:
        return self.powers[:, power - 1] / np.where(self.count > 0, self.count, np.nan)

    def _over(self, moment: Numbers, power: float) -> Numbers:
        # What rounding leaves of a constant is no variance.
        spread = np.where(self.variance > 1e-12 * (self._raw(2) + self.pivot**2), self.variance, np.nan)
        return moment / spread**power
