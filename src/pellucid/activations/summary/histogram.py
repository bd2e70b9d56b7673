"""Histograms of activations over the bins of each unit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.summary.bins import Bins
from pellucid.errors import SummaryError


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many values of each of U units fell into each bin: `counts` (U, B), and `under` and `over` them all (U,)."""

    bins: Bins
    counts: NDArray[np.int64]
    under: NDArray[np.int64]
    over: NDArray[np.int64]

    @classmethod
    def empty(cls, bins: Bins) -> "Histogram":
        """Of nothing: what changes nothing when joined."""
        none = np.zeros(bins.units, np.int64)
        return cls(bins, np.zeros((bins.units, bins.count), np.int64), none, none)

    def merge(self, other: "Histogram") -> "Histogram":
        """Of both sets of values."""
        if not self.bins.same(other.bins):
            raise SummaryError("histograms over different bins cannot be joined; they come of different harvests")
        return Histogram(self.bins, self.counts + other.counts, self.under + other.under, self.over + other.over)

    @property
    def low(self) -> NDArray[np.float64]:
        """Where the first bin begins (U,)."""
        return self.bins.low

    @property
    def width(self) -> NDArray[np.float64]:
        """The width of each bin (U,)."""
        return self.bins.width

    @property
    def edges(self) -> NDArray[np.float64]:
        """The edges of the bins (U, B + 1)."""
        return self.bins.edges

    def quantile(self, share: float, minimum: NDArray, maximum: NDArray) -> NDArray[np.float64]:
        """The value that this share of each unit's values lies below (U,), linear within its bin; NaN of nothing.

        `minimum` and `maximum` (U,) bound the bins, and the values outside of all bins. The error is at most the width
        of the bin, and of a value outside the distance to the outermost edge.
        """
        if not 0 <= share <= 1:
            raise SummaryError(f"a share of {share:g} is no quantile; give one in [0, 1]")
        edges = self.edges
        some = np.isfinite(minimum)[:, None]
        low, high = (np.where(some, bound[:, None].astype(np.float64), 0.0) for bound in (minimum, maximum))
        lower = np.concatenate([low, np.clip(edges[:, :-1], low, high), np.clip(edges[:, -1:], low, high)], axis=1)
        upper = np.concatenate([np.clip(edges[:, :1], low, high), np.clip(edges[:, 1:], low, high), high], axis=1)
        counts = np.concatenate([self.under[:, None], self.counts, self.over[:, None]], axis=1)
        total = counts.sum(axis=1)
        target = share * total
        reached = counts.cumsum(axis=1)
        at = np.argmax(reached >= np.maximum(target, np.minimum(total, 1e-9))[:, None], axis=1)
        row = np.arange(len(at))
        before = reached[row, at] - counts[row, at]
        part = (target - before) / np.maximum(counts[row, at], 1)
        found = lower[row, at] + part * (upper[row, at] - lower[row, at])
        return np.where(total > 0, found, np.nan)
