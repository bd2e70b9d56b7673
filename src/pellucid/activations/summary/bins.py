"""Bins of activations, unit by unit: those of a histogram, and the wider ones that examples are drawn from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SummaryError

_MARGIN = 0.5  # beyond the values of a first look, as a share of their distance from the mean


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins of equal width for each of U units: bin b of unit u holds low + width·b <= x < low + width·(b + 1).

    `low`, `width` (U,) float64; `count` bins make `groups` groups of as many bins each. What lies outside is counted as
    under or over. Powers are summed about `pivot` (U,), a value near the mean, so that little is lost in rounding.
    """

    low: NDArray[np.float64]
    width: NDArray[np.float64]
    pivot: NDArray[np.float64]
    count: int
    groups: int

    def __post_init__(self) -> None:
        if not 0 < self.groups <= self.count or self.count % self.groups:
            raise SummaryError(f"{self.count} bins cannot be divided into {self.groups} groups of equal number")
        if not (self.width > 0).all() or not np.isfinite(self.low).all():
            raise SummaryError("bins must begin at a finite value and have a positive width")

    @classmethod
    def fixed(cls, units: int, low: float, high: float, *, count: int = 288, groups: int = 18) -> "Bins":
        """The same bins from `low` to `high` for every unit."""
        if not low < high:
            raise SummaryError(f"bins from {low:g} to {high:g} hold nothing; the first number must be the smaller one")
        span = np.ones(units)
        return cls(span * low, span * (high - low) / count, span * 0, count, groups)

    @classmethod
    def around(
        cls,
        minimum: NDArray[np.float64],
        maximum: NDArray[np.float64],
        mean: NDArray[np.float64],
        *,
        count: int = 288,
        groups: int = 18,
    ) -> "Bins":
        """Bins of each unit's own width, from what was seen of it (U,) in a first look.

        They reach half as far again from the mean as the values seen, but not beyond 0 if none lay beyond, and an edge
        of a group is 0. A unit that was constant gets the middle width of the others.
        """
        low = np.where(minimum >= 0, 0.0, np.minimum(minimum + _MARGIN * (minimum - mean), 0))
        high = np.where(maximum <= 0, 0.0, np.maximum(maximum + _MARGIN * (maximum - mean), 0))
        moving = maximum > minimum
        wide = (high - low)[moving & (high > low)]
        high = np.where(moving & (high > low), high, low + (np.median(wide) if len(wide) else 1.0))
        per_group = count // groups
        width = _short((high - low) / max(groups - 1, 1) / per_group)  # one group more than the span: 0 is an edge
        below = np.ceil(-low / (width * per_group)) * per_group
        return cls(-below * width, width, mean.astype(np.float64), count, groups)

    @property
    def units(self) -> int:
        """The number of units."""
        return len(self.low)

    @property
    def edges(self) -> NDArray[np.float64]:
        """The edges of the bins (U, count + 1)."""
        return self.low[:, None] + self.width[:, None] * np.arange(self.count + 1)

    @property
    def group_edges(self) -> NDArray[np.float64]:
        """The edges of the groups (U, groups + 1)."""
        return self.edges[:, :: self.count // self.groups]

    def group_of(self) -> NDArray[np.int64]:
        """The group of what lies under all bins, in each bin, and over all (count + 2,): outer groups are open."""
        return np.clip((np.arange(self.count + 2) - 1) // (self.count // self.groups), 0, self.groups - 1)

    def same(self, other: "Bins") -> bool:
        """Whether other bins are these."""
        return (
            (self.count, self.groups) == (other.count, other.groups)
            and np.array_equal(self.low, other.low)
            and np.array_equal(self.width, other.width)
            and np.array_equal(self.pivot, other.pivot)
        )


def _short(width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Widths rounded up to twelve binary digits, so that edges are exact and 0 is one."""
    digits, exponent = np.frexp(width)
    return np.ldexp(np.ceil(digits * 4096) / 4096, exponent)
