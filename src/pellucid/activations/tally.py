"""Counting activations into a summary, on the processor."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.counting import count_maps, short
from pellucid.activations.items import image_of
from pellucid.activations.summary import Bins, ClassSums, Covariance, Histogram, Moments, Ranking, Summary
from pellucid.activations.summary.samples import LAST, BinSamples, Draw


class Peaks:
    """What is known of each item: the extremes of each unit in it, where they are, and the sum over its positions."""

    def __init__(self, examples: int) -> None:
        self.examples = examples
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def add(
        self,
        items: NDArray[np.int64],
        labels: NDArray[np.int64],
        extreme: NDArray[np.float32],
        at: NDArray[np.int32],
        sums: NDArray[np.float64],
        count: NDArray[np.int64],
    ) -> None:
        """Keep of items (N,) the highest and lowest activations (N, U, 2), their places and the sums (N, U).

        `count` (N,) are the positions of an item, those among them that are no number too.
        """
        self._parts.append((items, labels, extreme, at, sums, count))

    def joined(self) -> tuple[NDArray[Any], ...]:
        """Items, labels, extremes, places, sums and counts of all; nothing if there are none."""
        return tuple(np.concatenate(parts) for parts in zip(*self._parts, strict=True))


@dataclass(frozen=True, eq=False)
class Counts:
    """Numbers of a tally: `powers` (U, 4), `bins` (U, B + 2) with what is under and over, and `totals` (U, 3).

    The totals are positions, those above 0, and those that are no finite number.
    """

    powers: NDArray[np.float64]
    bins: NDArray[np.int64]
    totals: NDArray[np.int64]

    def summary(self, bins: Bins, sample: BinSamples, peaks: Peaks, second: Covariance | None) -> Summary:
        """The summary that these numbers, samples and extremes make."""
        known = peaks.joined()
        if not known:
            empty = Summary.empty(bins, examples=peaks.examples, samples=sample.values.shape[2], covariance=False)
            return replace(empty, second=second)
        items, labels, extreme, at, sums, count = known
        grouped = self.bins[:, 1:-1].reshape(bins.units, bins.groups, -1).sum(axis=2)
        grouped[:, 0] += self.bins[:, 0]  # outer groups are open
        grouped[:, -1] += self.bins[:, -1]

        def ranked(side: int) -> Ranking:
            values, places = (np.ascontiguousarray(array[..., side].T) for array in (extreme, at))
            return Ranking.of(values, items, places, peaks.examples, lowest=side == 1)

        tops = np.where(at[..., 0] >= 0, extreme[..., 0], 0).astype(np.float64)
        return Summary(
            len(np.unique(image_of(items))),
            len(items),
            Moments(bins.pivot, self.totals[:, 0].copy(), self.powers),
            Histogram(bins, self.bins[:, 1:-1], self.bins[:, 0], self.bins[:, -1]),
            extreme[..., 1].min(axis=0),
            extreme[..., 0].max(axis=0),
            self.totals[:, 1].copy(),
            self.totals[:, 2].copy(),
            ranked(0),
            ranked(1),
            replace(sample, counts=grouped).sorted(),
            ClassSums.of(labels, count, sums, tops),
            second,
        )


class Tally:
    """A summary in the making: `add` batches of maps, then `finish`.

    `bins` are those of the histogram; `examples` the length of the rankings, `samples` the positions kept of each group
    of bins, `seed` that of their choice.
    """

    def __init__(self, bins: Bins, *, examples: int, samples: int, seed: int) -> None:
        self.bins = bins
        self.seed = seed
        units = bins.units
        self._powers = np.zeros((units, 4))
        self._counts = np.zeros((units, bins.count + 2), np.int64)  # under all bins, in each of them, over all
        self._short = short(bins.low, bins.width, bins.count)
        self._group_of = bins.group_of().astype(np.uint32)
        self._totals = np.zeros((units, 3), np.int64)  # positions, those that fire, those that are no number
        self._sample = BinSamples.empty(bins, samples)
        self._limits = np.full((units, bins.groups), LAST)
        self._fill = np.zeros((units, bins.groups), np.int64)
        self._peaks = Peaks(examples)

    def add(
        self,
        values: NDArray[np.float32],
        items: NDArray[np.int64],
        labels: NDArray[np.int64],
        draw: Draw | None = None,
    ) -> None:
        """Count maps (N, U, P) of items (N,) with labels (N,), -1 for none; P positions by their places.

        `draw` are the items' priorities, where they have been computed before.
        """
        number, units, places = values.shape
        extreme = np.empty((number, units, 2), np.float32)
        at = np.empty((number, units, 2), np.int32)
        sums = np.empty((number, units))
        chance, _ = (draw or Draw(self.seed, items)).of(places)
        count_maps(
            np.ascontiguousarray(values), items, chance, self.bins.low, self.bins.width, self.bins.pivot, self._short,
            self._group_of, self._powers, self._counts, self._totals, self._limits, self._fill, self._sample.values,
            self._sample.items, self._sample.places, self._sample.priorities, extreme, at, sums,
        )  # fmt: skip
        self._peaks.add(items, labels, extreme, at, sums, np.full(number, places))

    def finish(self, second: Covariance | None = None) -> Summary:
        """The summary of all that was added, with the covariance that was computed beside it."""
        counts = Counts(self._powers, self._counts, self._totals)
        return counts.summary(self.bins, self._sample, self._peaks, second)
