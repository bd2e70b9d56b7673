"""A histogram with its open ends, cut at zero: each cell stands for its values by one number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.distribution.distribution import Distribution


@dataclass(frozen=True, eq=False)
class Cells:
    """K cells from `low` to `high` (K,) in rising order, whose values stand at `values`, their middles (K,).

    They are the bins of a histogram, before them what lies under it and after them what lies over it, all within the
    minimum and the maximum where those are known. The cell that 0 lies in is cut in two there, so that what fires is
    apart: most values of a rectified unit are 0 exactly, and no middle of a bin would do for them. Cell `cut` ends at 0
    and the next begins there; None where 0 is in no cell.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    cut: int | None

    @classmethod
    def of(cls, distribution: Distribution) -> "Cells":
        """The cells of a distribution, which are those of its parts as well."""
        edges = distribution.edges
        least = edges[0] if distribution.minimum is None else distribution.minimum
        most = edges[-1] if distribution.maximum is None else distribution.maximum
        low = np.concatenate([[min(least, edges[0])], edges])
        high = np.concatenate([edges, [max(most, edges[-1])]])
        if distribution.minimum is not None:
            low, high = np.maximum(low, least), np.maximum(high, least)
        if distribution.maximum is not None:
            low, high = np.minimum(low, most), np.minimum(high, most)
        holding = np.flatnonzero((low <= 0) & (high > 0))
        if len(holding) == 0:
            return cls(low, high, None)
        cut = int(holding[0])
        return cls(np.insert(low, cut + 1, 0.0), np.insert(high, cut, 0.0), cut)

    @property
    def values(self) -> NDArray[np.float64]:
        """The number that stands for the values of each cell (K,)."""
        return (self.low + self.high) / 2

    def counts(self, distribution: Distribution) -> NDArray[np.float64]:
        """How many values of a distribution with the same bins each cell holds (K,).

        What lies in the bin that was cut is shared out by the number of values that fire, or evenly if that is unknown.
        """
        counts = np.concatenate([[distribution.under], distribution.counts, [distribution.over]]).astype(np.float64)
        if self.cut is None:
            return counts
        inside = counts[self.cut]
        if distribution.fires is None:
            end = self.high[self.cut + 1]
            firing = inside * end / (end - self.low[self.cut])
        else:
            firing = np.clip(distribution.fires - counts[self.cut + 1 :].sum(), 0, inside)
        counts[self.cut] = firing
        return np.insert(counts, self.cut, inside - firing)
