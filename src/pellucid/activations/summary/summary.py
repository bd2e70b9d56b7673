"""What a dataset does to the units of a layer: summaries that can be joined in any order of halves."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.summary.bins import Bins
from pellucid.activations.summary.classes import ClassSums
from pellucid.activations.summary.covariance import Covariance
from pellucid.activations.summary.histogram import Histogram
from pellucid.activations.summary.moments import Moments
from pellucid.activations.summary.ranking import Ranking
from pellucid.activations.summary.samples import BinSamples
from pellucid.errors import SummaryError


@dataclass(frozen=True, eq=False)
class Summary:
    """What a set of items did to each of U units at all positions of a layer.

    `images` and `items` say how many there were. `minimum`, `maximum` (U,) are the extreme values, `fires` (U,) counts
    positions above 0, `invalid` (U,) those that are no finite number, which are left out of all else. `highest` and
    `lowest` are examples, `samples` random positions of each bin of activation, `classes` sums for each class, `second`
    how units are active together (None where that was not asked for).

    Summaries of disjoint sets of items form a commutative monoid: `merge` joins two, `empty` changes nothing. Counts,
    extremes, examples and samples do not depend on how a set was divided at all, sums up to rounding.
    """

    images: int
    items: int
    moments: Moments
    histogram: Histogram
    minimum: NDArray[np.float32]
    maximum: NDArray[np.float32]
    fires: NDArray[np.int64]
    invalid: NDArray[np.int64]
    highest: Ranking
    lowest: Ranking
    samples: BinSamples
    classes: ClassSums
    second: Covariance | None = None

    @classmethod
    def empty(cls, bins: Bins, *, examples: int = 100, samples: int = 24, covariance: bool = True) -> "Summary":
        """Of nothing. `examples` is the length of the rankings, `samples` the number kept in each group of bins."""
        units = bins.units
        none = np.zeros(units, np.int64)
        return cls(
            0,
            0,
            Moments.empty(bins.pivot),
            Histogram.empty(bins),
            np.full(units, np.inf, np.float32),
            np.full(units, -np.inf, np.float32),
            none,
            none,
            Ranking.empty(units, examples),
            Ranking.empty(units, examples, lowest=True),
            BinSamples.empty(bins, samples),
            ClassSums.empty(units),
            Covariance.empty(units) if covariance else None,
        )

    def merge(self, other: "Summary") -> "Summary":
        """Of both sets of items, which share none. Raises `SummaryError` for summaries of different kinds."""
        if (self.second is None) != (other.second is None):
            raise SummaryError("one summary has a covariance and the other has none; they come of different harvests")
        return Summary(
            self.images + other.images,
            self.items + other.items,
            self.moments.merge(other.moments),
            self.histogram.merge(other.histogram),
            np.minimum(self.minimum, other.minimum),
            np.maximum(self.maximum, other.maximum),
            self.fires + other.fires,
            self.invalid + other.invalid,
            self.highest.merge(other.highest),
            self.lowest.merge(other.lowest),
            self.samples.merge(other.samples),
            self.classes.merge(other.classes),
            None if self.second is None or other.second is None else self.second.merge(other.second),
        )

    __add__ = merge

    @property
    def units(self) -> int:
        """The number of units."""
        return len(self.fires)

    @property
    def bins(self) -> Bins:
        """The bins of its histogram."""
        return self.histogram.bins

    @property
    def firing(self) -> NDArray[np.float64]:
        """The share of positions at which each unit is above 0 (U,)."""
        return self.fires / np.where(self.moments.count > 0, self.moments.count, np.nan)

    def quantile(self, share: float) -> NDArray[np.float64]:
        """The activation that this share of each unit's positions lies below (U,), by its histogram."""
        return self.histogram.quantile(share, self.minimum, self.maximum)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as named arrays, from which `from_arrays` makes the same summary."""
        parts = {
            "images": np.array(self.images),
            "items": np.array(self.items),
            "low": self.bins.low,
            "width": self.bins.width,
            "pivot": self.bins.pivot,
            "groups": np.array(self.bins.groups),
            "count": self.moments.count,
            "powers": self.moments.powers,
            "histogram": self.histogram.counts,
            "under": self.histogram.under,
            "over": self.histogram.over,
            **{name: getattr(self, name) for name in ("minimum", "maximum", "fires", "invalid")},
            "sample_counts": self.samples.counts,
            **{f"sample_{name}": getattr(self.samples, name) for name in ("values", "items", "places", "priorities")},
            **{f"class_{name}": getattr(self.classes, name) for name in ("ids", "images", "count", "sums", "peaks")},
        }
        for name in ("highest", "lowest"):
            ranking = getattr(self, name)
            parts |= {f"{name}_{part}": getattr(ranking, part) for part in ("values", "items", "places")}
        if self.second is not None:
            parts |= {
                "second_count": np.array(self.second.count),
                "second_sums": self.second.sums,
                "second_products": self.second.products,
            }
        return parts

    @classmethod
    def from_arrays(cls, parts: Mapping[str, NDArray[Any]]) -> "Summary":
        """The summary that `arrays` described. Raises `SummaryError` if something is missing."""
        missing = _names() - set(parts)
        if missing:
            raise SummaryError(f"no summary: it lacks {', '.join(sorted(missing))}")
        bins = Bins(parts["low"], parts["width"], parts["pivot"], parts["histogram"].shape[1], int(parts["groups"]))
        second = None
        if "second_count" in parts:
            second = Covariance(int(parts["second_count"]), parts["second_sums"], parts["second_products"])

        def ranking(name: str) -> Ranking:
            values, items, places = (parts[f"{name}_{part}"] for part in ("values", "items", "places"))
            return Ranking(values, items, places, lowest=name == "lowest")

        sample = {name: parts[f"sample_{name}"] for name in ("counts", "values", "items", "places", "priorities")}
        classes = {name: parts[f"class_{name}"] for name in ("ids", "images", "count", "sums", "peaks")}
        return cls(
            int(parts["images"]),
            int(parts["items"]),
            Moments(bins.pivot, parts["count"], parts["powers"]),
            Histogram(bins, parts["histogram"], parts["under"], parts["over"]),
            parts["minimum"],
            parts["maximum"],
            parts["fires"],
            parts["invalid"],
            ranking("highest"),
            ranking("lowest"),
            BinSamples(bins, **sample),
            ClassSums(**classes),
            second,
        )


@cache
def _names() -> frozenset[str]:
    bins = Bins.fixed(1, 0, 1, count=1, groups=1)
    return frozenset(Summary.empty(bins, examples=1, samples=1, covariance=False).arrays())


def joined(summaries: list[Summary]) -> Summary:
    """Several summaries joined from the first to the last, of which there is one at least."""
    return reduce(Summary.merge, summaries)
