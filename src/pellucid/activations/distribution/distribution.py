"""One unit's activations over positions: a histogram and what is known exactly beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.activations.distribution.densities import Place, bin_edges, recover_counts
from pellucid.errors import SummaryError

_NARROW = 1e-6  # width of the bins of a unit without any spread, as a share of its value


@dataclass(frozen=True)
class CentralSums:
    """Moments that were summed over the values themselves: `count`, `mean` and the sums m_k = Σ (x - mean)^k."""

    count: int
    mean: float
    m2: float
    m3: float
    m4: float

    def about(self, origin: float) -> NDArray[np.float64]:
        """The sums Σ (x - origin)^k (5,) for k = 0 to 4, by the binomial theorem."""
        n, d = self.count, self.mean - origin
        return np.array(
            [
                n,
                n * d,
                self.m2 + n * d**2,
                self.m3 + 3 * d * self.m2 + n * d**3,
                self.m4 + 4 * d * self.m3 + 6 * d**2 * self.m2 + n * d**4,
            ]
        )


@dataclass(frozen=True, eq=False)
class Distribution:
    """How often a unit took which values.

    `counts` (B,) are the values with edges[b] <= x < edges[b + 1] (`edges` (B + 1,) rise), `under` and `over` those
    outside; `unplaced` values are known to exist, but not where. What was counted over the values themselves is more
    exact than the histogram and goes before it: `moments`, `minimum`, `maximum`, and `fires`, the number of values
    above 0. `invalid` values were not finite and are in none of the others.

    Raises `SummaryError` if the edges do not rise, or counts are negative or contradict each other.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    under: int = 0
    over: int = 0
    unplaced: int = 0
    invalid: int = 0
    moments: CentralSums | None = None
    minimum: float | None = None
    maximum: float | None = None
    fires: int | None = None

    def __post_init__(self) -> None:
        if self.edges.shape != (len(self.counts) + 1,) or len(self.counts) == 0:
            raise SummaryError(f"{len(self.counts)} bins need one edge more than that, not {len(self.edges)}")
        if not np.isfinite(self.edges).all() or (np.diff(self.edges) <= 0).any():
            raise SummaryError("the edges of a histogram must be finite and rise")
        if min(self.counts.min(), self.under, self.over, self.unplaced, self.invalid) < 0:
            raise SummaryError("a histogram has no negative counts")
        if self.moments is not None and self.moments.count != self.count:
            raise SummaryError(f"the histogram holds {self.count} values, the moments {self.moments.count}")
        if self.fires is not None and not 0 <= self.fires <= self.count:
            raise SummaryError(f"{self.fires} of {self.count} values cannot be above 0")

    @classmethod
    def of(cls, summary: Any, unit: int) -> "Distribution":
        """The distribution of one unit of a `Summary`.

        Raises `SummaryError` if the summary has no such unit.
        """
        count = len(summary.fires)
        if not 0 <= unit < count:
            raise SummaryError(f"the summary has units 0 to {count - 1}; there is no unit {unit}")
        bins, sums = summary.histogram, summary.moments
        low, width = float(bins.low[unit]), float(bins.width[unit])
        if not np.isfinite(low):
            low = 0.0
        if not width > 4 * np.spacing(abs(low)):
            width = _NARROW * max(abs(low), 1.0)
        counts = np.asarray(bins.counts[unit], dtype=np.int64)
        total = int(sums.count[unit])
        known = total > 0
        return cls(
            low + width * np.arange(len(counts) + 1, dtype=np.float64),
            counts,
            int(bins.under[unit]),
            int(bins.over[unit]),
            invalid=int(summary.invalid[unit]),
            moments=CentralSums(total, *(float(getattr(sums, name)[unit]) for name in ("mean", "m2", "m3", "m4")))
            if known
            else None,
            minimum=float(summary.minimum[unit]) if known else None,
            maximum=float(summary.maximum[unit]) if known else None,
            fires=int(summary.fires[unit]),
        )

    @classmethod
    def from_counts(
        cls, edges: ArrayLike, counts: ArrayLike, *, under: int = 0, over: int = 0, unplaced: int = 0
    ) -> "Distribution":
        """The distribution of a histogram of which nothing else is known."""
        whole = np.asarray(counts)
        if (whole != np.round(whole)).any():
            raise SummaryError("counts are whole numbers; a density is read by Distribution.from_density")
        return cls(np.asarray(edges, np.float64), whole.astype(np.int64), under, over, unplaced)

    @classmethod
    def from_density(
        cls, bins: ArrayLike, density: ArrayLike, *, at: Place = "left", total: int | None = None
    ) -> "Distribution":
        """The distribution behind a published density (B,), whose bins are (B + 1,) edges or (B,) places.

        A place is the `left` edge of its bin, or its `centre`, as `at` says: figures seldom tell, and the mean differs
        by half a bin. Shares of a bin are whole numbers over the number of values N, so that N, the least common
        multiple of their denominators, and with it every count are recovered exactly, as long as N is below 10^7 and
        the densities have all their digits. Values that the bins lack, N times one minus the integral, are `unplaced`.
        With `total` nothing is recovered and the counts are rounded.

        Raises `SummaryError` if the densities are no multiples of one number; give `total` then.
        """
        edges = bin_edges(bins, len(np.asarray(density)), at)
        shares = np.asarray(density, np.float64) * np.diff(edges)
        if not (np.isfinite(shares) & (shares >= 0)).all():
            raise SummaryError("a density is finite and nowhere negative")
        if shares.sum() > 1 + 1e-9:
            raise SummaryError(f"the density has an integral of {shares.sum():.6g}, and a density has 1 at most")
        counts, total = recover_counts(shares, total)
        return cls(edges, counts, unplaced=max(0, total - int(counts.sum())))

    @classmethod
    def joined(cls, parts: Sequence["Distribution"]) -> "Distribution":
        """The distribution of all values of disjoint parts with the same bins.

        Moments, extremes and firing are exact where every part with any values knows them. Raises `SummaryError` for
        no parts and for parts with other bins.
        """
        if not parts:
            raise SummaryError("there are no parts to join")
        for part in parts[1:]:
            parts[0].refuse_other_bins(part)
        filled = [part for part in parts if part.count] or [parts[0]]
        minima = [part.minimum for part in filled if part.minimum is not None]
        maxima = [part.maximum for part in filled if part.maximum is not None]
        fires = [part.fires for part in filled if part.fires is not None]
        return cls(
            parts[0].edges,
            np.sum([part.counts for part in parts], axis=0),
            *(sum(getattr(part, name) for part in parts) for name in ("under", "over", "unplaced", "invalid")),
            moments=_joined_moments([part.moments for part in filled]),
            minimum=min(minima) if len(minima) == len(filled) else None,
            maximum=max(maxima) if len(maxima) == len(filled) else None,
            fires=sum(fires) if len(fires) == len(filled) else None,
        )

    def merged(self, factor: int, first: int = 0) -> "Distribution":
        """The same with `factor` neighbouring bins as one, counted from bin `first`.

        What lies in the bins before that, and in those after the last whole group, is under and over the others then.
        Raises `SummaryError` if there is no whole group.
        """
        groups = (len(self.counts) - first) // factor
        if groups < 1:
            raise SummaryError(f"{len(self.counts) - first} bins cannot be merged by {factor}")
        end = first + groups * factor
        return replace(
            self,
            edges=self.edges[first : end + 1 : factor],
            counts=self.counts[first:end].reshape(groups, factor).sum(axis=1),
            under=self.under + int(self.counts[:first].sum()),
            over=self.over + int(self.counts[end:].sum()),
        )

    def refuse_other_bins(self, other: "Distribution") -> None:
        """Raise `SummaryError` unless the other distribution has the same bins."""
        if not np.array_equal(self.edges, other.edges):
            raise SummaryError("parts of one distribution must have the same bins; these come of different harvests")

    @property
    def count(self) -> int:
        """The number of values whose place is known."""
        return int(self.counts.sum()) + self.under + self.over

    @property
    def total(self) -> int:
        """The number of all values, also those without a known place."""
        return self.count + self.unplaced

    @property
    def widths(self) -> NDArray[np.float64]:
        """The widths of the bins (B,)."""
        return np.diff(self.edges)

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middles of the bins (B,)."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    @property
    def density(self) -> NDArray[np.float64]:
        """Share of all values for each unit of activation (B,): counts / (total · width); 0 where there are none."""
        return self.counts / (max(self.total, 1) * self.widths)

    @property
    def log_density(self) -> NDArray[np.float64]:
        """The natural logarithm of the density (B,), NaN in empty bins."""
        density = self.density
        return np.log(density, out=np.full(len(density), np.nan), where=density > 0)


def _joined_moments(parts: Sequence[CentralSums | None]) -> CentralSums | None:
    """Moments of several sets of values about their common mean."""
    known = [part for part in parts if part is not None]
    count = sum(part.count for part in known)
    if len(known) < len(parts) or not count:
        return None
    mean = sum(part.count * part.mean for part in known) / count
    _, _, *sums = np.sum([part.about(mean) for part in known], axis=0).tolist()
    return CentralSums(count, mean, *sums)
