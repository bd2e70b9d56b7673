"""Sums over values, which add up over disjoint sets of values, and the statistics that follow from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.distribution.cells import Cells
from pellucid.activations.distribution.distribution import Distribution
from pellucid.activations.distribution.sparsity import gini, sparseness
from pellucid.errors import SummaryError

Rows = NDArray[np.float64]  # one for each of R sets of values


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums over R sets of values: `counts` (R, K) in cells, `powers` (R, 5), and how many values fire, `fires` (R,).

    Power k, from 0 to 4, is Σ (x - origin)^k. Sets that are `nonnegative` have no value below 0, so that they are
    rectified already.
    """

    cells: Cells
    origin: float
    counts: Rows
    powers: Rows
    fires: Rows
    nonnegative: bool

    @classmethod
    def of(cls, sets: Sequence[Distribution], cells: Cells, origin: float | None = None) -> "Totals":
        """The sums of each distribution: exact ones where it has them, otherwise those of its cells.

        The origin is the mean of the first unless it is given.
        """
        counts = np.stack([cells.counts(one) for one in sets])
        known = sets[0].moments
        if origin is None:
            origin = known.mean if known else float(counts[0] @ cells.values / max(counts[0].sum(), 1))
        nonnegative = all(one.minimum is not None and one.minimum >= 0 for one in sets if one.count)
        totals = cls._of_cells(cells, origin, counts, nonnegative)
        for row, one in enumerate(sets):
            if one.moments is not None:
                totals.powers[row] = one.moments.about(origin)
            if one.fires is not None:
                totals.fires[row] = one.fires
        return totals

    @classmethod
    def _of_cells(cls, cells: Cells, origin: float, counts: Rows, nonnegative: bool) -> "Totals":
        powers = np.stack([counts @ (cells.values - origin) ** k for k in range(5)], axis=1)
        return cls(cells, origin, counts, powers, counts[:, cells.values > 0].sum(axis=1), nonnegative)

    def of_cells(self) -> "Totals":
        """The same sets as their cells alone know them."""
        return self._of_cells(self.cells, self.origin, self.counts, self.nonnegative)

    def drawn(self, resamples: int, seed: int) -> "Totals":
        """Sets of as many values as the first one has, drawn from its cells with replacement."""
        number = round(self.counts[0].sum())
        counts = np.random.default_rng(seed).multinomial(number, self.counts[0] / self.counts[0].sum(), resamples)
        return self._of_cells(self.cells, self.origin, counts.astype(np.float64), self.nonnegative)

    def without(self, parts: "Totals") -> "Totals":
        """What is left of this one set when each of its parts in turn is taken away: as many sets as parts.

        Raises `SummaryError` if the parts are not all of it.
        """
        if not np.allclose(parts.powers[:, 0].sum(), self.powers[0, 0], rtol=0, atol=0.5):
            raise SummaryError(
                f"the parts hold {parts.powers[:, 0].sum():.0f} values and the whole {self.powers[0, 0]:.0f}; "
                "give every part once"
            )
        left = {name: getattr(self, name) - getattr(parts, name) for name in ("counts", "powers", "fires")}
        return replace(self, **left)

    def statistics(self, quantiles: Mapping[str, float]) -> dict[str, Rows]:
        """Everything that the sums tell of each set (R,), NaN where it is not defined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            number = self.powers[:, 0]
            first, second, third, fourth = (self.powers[:, k] / number for k in (1, 2, 3, 4))
            mean, variance = self.origin + first, np.maximum(second - first**2, 0)
            # What rounding leaves of a constant is no spread.
            spread = np.where(variance > 1e-12 * (second + self.origin**2), variance, np.nan)
            rectified = np.maximum(self.cells.values, 0)
            in_cells = self.counts.sum(axis=1)
            up = mean if self.nonnegative else self.counts @ rectified / in_cells
            up_square = variance + mean**2 if self.nonnegative else self.counts @ rectified**2 / in_cells
            found = {
                "mean": mean,
                "sd": np.sqrt(variance),
                "fires": self.fires / number,
                "rectified_mean": up,
                "rectified_sd": np.sqrt(np.maximum(up_square - up**2, 0)),
                "skewness": (third - 3 * first * second + 2 * first**3) / spread**1.5,
                "kurtosis": (fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4) / spread**2 - 3,
                "gini": gini(rectified, self.counts),
                "sparseness": sparseness(up, up_square),
            }
        reached = np.cumsum(self.counts, axis=1)
        return found | {name: self._quantile(share, reached) for name, share in quantiles.items()}

    def _quantile(self, share: float, reached: Rows) -> Rows:
        """The value that this share of each set lies below (R,), linear within its cell; NaN of nothing.

        `reached` (R, K) says how many values lie in each cell and those before.
        """
        target = share * reached[:, -1]
        at = np.argmax((self.counts > 0) & (reached >= target[:, None] * (1 - 1e-12)), axis=1)
        row = np.arange(len(at))
        inside = self.counts[row, at]
        part = (target - reached[row, at] + inside) / np.where(inside > 0, inside, np.nan)
        low, high = self.cells.low[at], self.cells.high[at]
        return low + np.clip(part, 0, 1) * (high - low)
