"""Which bins of a distribution are its tail."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.distribution.distribution import Distribution
from pellucid.errors import SummaryError

_BINS = (12, 6, 3)  # that are left when bins are merged: the first of these that can be had
_THRESHOLDS = 8


@dataclass(frozen=True)
class TailRange:
    """The bins whose lower edges lie from `low` to `high`, both included.

    Without `low` from the first bin that begins above 0; without `high` up to the last bin before one that holds fewer
    than `least` values. With a `high` of 0 or less it is the lower end of the distribution, `lower`, and without `low`
    goes down as far. Raises `SummaryError` if `low` lies above `high`.
    """

    low: float | None
    high: float | None
    least: int

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SummaryError(
                f"the tail cannot begin at {self.low:g} and end at {self.high:g}; the smaller number comes first"
            )

    @property
    def lower(self) -> bool:
        """Whether it lies at the lower end."""
        return self.high is not None and self.high <= 0

    @property
    def open(self) -> bool:
        """Whether its far end is where bins hold few values."""
        return (self.low if self.lower else self.high) is None

    def bins(self, distribution: Distribution) -> NDArray[np.intp]:
        """The numbers of its bins that hold anything, in rising order."""
        chosen = self._within(distribution)
        if self.open:
            outwards = chosen[::-1] if self.lower else chosen
            chosen = np.sort(outwards[np.logical_and.accumulate(distribution.counts[outwards] >= self.least)])
        return chosen[distribution.counts[chosen] > 0]

    def merging(self, distribution: Distribution) -> int:
        """How many neighbouring bins are best taken as one: the greatest power of two that leaves 12 bins in the range.

        Wider bins hold more values, so that the range goes on farther. Where no number leaves 12, it is the greatest
        that leaves 6, or else 3. 1 where the range is given.
        """
        if not self.open:
            return 1
        factors = [2**power for power in range(max(1, len(self._within(distribution)) // 3).bit_length())]
        left = {factor: len(self.bins(self.merged(distribution, factor))) for factor in factors}
        for least in _BINS:
            enough = [factor for factor, bins in left.items() if bins >= least]
            if enough:
                return max(enough)
        return 1

    def merged(self, distribution: Distribution, factor: int) -> Distribution:
        """The distribution with every `factor` neighbouring bins as one, counted from where the range begins."""
        within = self._within(distribution)
        if factor == 1 or len(within) == 0:
            return distribution
        return distribution.merged(factor, int(within[-1] + 1 if self.lower else within[0]) % factor)

    def thresholds(self, distribution: Distribution, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Up to 8 of the edges of its bins, evenly apart from where it begins, with `least` values beyond them."""
        beyond = np.concatenate([[0], np.cumsum(distribution.counts)]) + distribution.under
        if not self.lower:
            beyond = distribution.count - beyond
        kept = edges[beyond[np.searchsorted(distribution.edges, edges)] >= self.least]
        step = max(1, -(-len(kept) // _THRESHOLDS))
        return kept[::-1][::step][::-1] if self.lower else kept[::step]

    def __str__(self) -> str:
        if self.low is None and self.high is None:
            return "above 0"
        if self.high is None:
            return f"from {self.low:g} up"
        return f"up to {self.high:g}" if self.low is None else f"from {self.low:g} to {self.high:g}"

    def _within(self, distribution: Distribution) -> NDArray[np.intp]:
        """The numbers of the bins from its beginning on, whatever they hold."""
        begins = distribution.edges[:-1]
        reach = 1e-9 * distribution.widths  # edges that were computed may differ in the last digit from those typed
        inside = np.ones(len(begins), bool)
        if self.low is not None:
            inside = begins >= self.low - reach
        elif not self.lower:
            inside = begins > reach
        if self.high is not None:
            inside &= begins <= self.high + reach
        return np.flatnonzero(inside)
