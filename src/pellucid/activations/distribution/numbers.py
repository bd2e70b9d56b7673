"""The numbers that describe a distribution, each with its interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import binomtest

from pellucid.activations.distribution.cells import Cells
from pellucid.activations.distribution.distribution import Distribution
from pellucid.activations.distribution.intervals import Interval, jackknife, normal, shifted_percentiles
from pellucid.activations.distribution.totals import Totals

QUANTILES = {"p1": 0.01, "p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
"""The quantiles that are given, by their names."""


@dataclass(frozen=True)
class Number:
    """A number and the interval that holds it with the confidence asked for; None where it is not defined or known."""

    value: float | None
    interval: Interval | None = None


@dataclass(frozen=True)
class Numbers:
    """What describes a distribution in numbers.

    `count` values, `invalid` more that were no numbers. `fires` is the share above 0. `rectified_mean` and
    `rectified_sd` are those of max(x, 0), `gini` and `sparseness` are of those values, too; `skewness` and `kurtosis`
    (excess: 0 of a normal distribution) of x itself. `quantiles` have the names of `QUANTILES`. Standard deviations
    divide by n. `intervals` says what the intervals were found from: "positions", "shards", or "" without any.
    """

    count: int
    invalid: int
    minimum: float | None
    maximum: float | None
    mean: Number
    sd: Number
    fires: Number
    rectified_mean: Number
    rectified_sd: Number
    skewness: Number
    kurtosis: Number
    gini: Number
    sparseness: Number
    quantiles: dict[str, Number] = field(default_factory=dict)
    confidence: float = 0.95
    intervals: str = ""

    def named(self) -> Iterator[tuple[str, Number]]:
        """Every number with an interval, by its name, quantiles last."""
        for name in STATISTICS:
            yield name, getattr(self, name)
        yield from self.quantiles.items()


STATISTICS = (
    "mean", "sd", "fires", "rectified_mean", "rectified_sd", "skewness", "kurtosis", "gini", "sparseness",
)  # fmt: skip


def numbers(
    distribution: Distribution,
    *,
    parts: Sequence[Distribution] = (),
    confidence: float = 0.95,
    resamples: int = 499,
    seed: int = 0,
) -> Numbers:
    """The numbers of a distribution, from what is known exactly where it is, otherwise from its histogram.

    There the values of a bin stand at its middle. That is off by half a width w at most, and adds about w²/12 to the
    variance of a smooth density (Sheppard 1898), which is not taken off again. Quantiles are linear within a bin.
    Intervals come from one of two sources:

    - `parts`, two or more disjoint shards of the data that together are the distribution: the jackknife that leaves out
      one shard at a time, with Student's t of as many degrees of freedom as shards less one (Kott 2001). An image lies
      in one shard as a whole, so this holds although the positions of an image are alike. Shards should be of about the
      same size, and ten or more.
    - without parts, positions: Wilson's (1927) interval for `fires`, the normal one for the mean, for all others
      percentiles of the bootstrap (Efron 1979), `resamples` multinomial draws of all positions over the histogram from
      a generator with this `seed`, moved to the number itself. Positions of one image are not independent, so that
      these intervals are too narrow: lower bounds of the true ones. `resamples` 0 gives none.

    Raises `SummaryError` if the parts have other bins, or other numbers of values in all.
    """
    for part in parts:
        distribution.refuse_other_bins(part)
    cells = Cells.of(distribution)
    whole = Totals.of([distribution], cells)
    found = {name: float(values[0]) for name, values in whole.statistics(QUANTILES).items()}
    intervals: dict[str, Interval | None] = {}
    source = ""
    if distribution.count and len(parts) > 1:
        source = "shards"
        left = whole.without(Totals.of(parts, cells, whole.origin)).statistics(QUANTILES)
        intervals = {name: jackknife(found[name], left[name], confidence) for name in found}
    elif distribution.count and resamples:
        source = "positions"
        of_bins = whole.of_cells()
        plain, drawn = of_bins.statistics(QUANTILES), of_bins.drawn(resamples, seed).statistics(QUANTILES)
        intervals = {
            name: shifted_percentiles(found[name], float(plain[name][0]), drawn[name], confidence) for name in found
        }
        intervals["fires"] = _wilson(found["fires"], distribution.count, confidence)
        intervals["mean"] = normal(found["mean"], found["sd"] / distribution.count**0.5, confidence)
    given = {name: Number(_known(value), intervals.get(name)) for name, value in found.items()}
    return Numbers(
        distribution.count,
        distribution.invalid,
        distribution.minimum,
        distribution.maximum,
        **{name: given[name] for name in STATISTICS},
        quantiles={name: given[name] for name in QUANTILES},
        confidence=confidence,
        intervals=source,
    )


def _wilson(share: float, count: int, confidence: float) -> Interval:
    ends = binomtest(round(share * count), count).proportion_ci(confidence, method="wilson")
    return float(ends.low), float(ends.high)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
