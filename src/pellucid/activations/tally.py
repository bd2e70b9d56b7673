"""Counting activations into a summary: one pass over the values of each unit, compiled for the processor."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from pellucid.activations.items import image_of
from pellucid.activations.summary import Bins, ClassSums, Covariance, Histogram, Moments, Ranking, Summary
from pellucid.activations.summary.samples import LAST, BinSamples, Draw

_LARGEST = np.float32(np.finfo(np.float32).max)


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
        columns = np.broadcast_to(items[:, None], at.shape[:2]).T
        grouped = np.zeros((bins.groups, bins.units), np.int64)
        np.add.at(grouped, bins.group_of(), self.bins.T)

        def ranked(side: int) -> Ranking:
            places = at[..., side].T
            named = np.where(places >= 0, columns, -1)
            return Ranking.of(extreme[..., side].T, named, places, peaks.examples, lowest=side == 1)

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
            replace(sample, counts=grouped.T).sorted(),
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
        self._group_of = bins.group_of()
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
        chance, order = (draw or Draw(self.seed, items)).of(places)
        values = np.ascontiguousarray(values)
        at[..., 0], at[..., 1] = values.argmax(axis=2), values.argmin(axis=2)
        _count(
            values, items, chance, order, self.bins.low, self.bins.width, self.bins.pivot, self._group_of,
            self._powers, self._counts, self._totals, self._limits, self._fill, self._sample.values,
            self._sample.items, self._sample.places, self._sample.priorities, extreme, at, sums,
        )  # fmt: skip
        self._peaks.add(items, labels, extreme, at, sums, np.full(number, places))

    def finish(self, second: Covariance | None = None) -> Summary:
        """The summary of all that was added, with the covariance that was computed beside it."""
        counts = Counts(self._powers, self._counts, self._totals)
        return counts.summary(self.bins, self._sample, self._peaks, second)


def _compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function for the processor when it is first called; the result is kept on disk."""
    # Bare: where types are checked at run time, functions come wrapped, which no compiler can see through.
    return lambda function: numba.njit(nogil=True, cache=True, **options)(inspect.unwrap(function))


@_compiled()
def _count(
    values, items, chance, order, low, width, pivot, group_of, powers, counts, totals, limits, fill,
    sample_values, sample_items, sample_places, sample_priorities, extreme, at, sums,
):  # fmt: skip
    length, room = values.shape[2], sample_values.shape[2]
    bins = np.empty(length, np.int32)
    some = np.empty(length, np.float32)
    every, others = np.arange(length, dtype=np.int32), np.empty(length, np.int32)
    found = np.empty(4)
    for unit in range(values.shape[1]):
        zero = _bin(0.0, low[unit], width[unit], counts.shape[1] - 2)
        for number in range(values.shape[0]):
            row = values[number, unit]
            highest, lowest = row[at[number, unit, 0]], row[at[number, unit, 1]]
            clean = abs(highest) <= _LARGEST and abs(lowest) <= _LARGEST
            zeros = _zeros(row)
            if clean and zeros < length // 4:
                kept, zeros, part, places = length, 0, row, every
            else:
                # A rectifier leaves many zeros, which are counted together; what is no finite number is left out.
                kept = _sorted_out(row, some, others)
                part, places = some[:kept], others
            if not clean:
                highest, lowest = _extremes(part, zeros)
                at[number, unit, 0], at[number, unit, 1] = _first(row, highest), _first(row, lowest)
            extreme[number, unit, 0], extreme[number, unit, 1] = highest, lowest
            _moments(part, pivot[unit], found)
            for power in range(4):
                powers[unit, power] += found[power] + zeros * (-pivot[unit]) ** (power + 1)
            totals[unit, 0] += kept + zeros
            totals[unit, 1] += _above(part)
            totals[unit, 2] += length - kept - zeros
            sums[number, unit] = found[0] + kept * pivot[unit]
            _bins(part, low[unit], width[unit], counts.shape[1] - 2, bins)
            chances = chance[number]
            for slot in range(kept):
                bin = bins[slot]
                counts[unit, bin] += 1
                place = places[slot]
                group = group_of[bin]
                if chances[place] < limits[unit, group]:
                    fill[unit, group], limits[unit, group] = _draw(
                        chances[place], part[slot], items[number], place, room, fill[unit, group], limits[unit, group],
                        sample_values[unit, group], sample_items[unit, group], sample_places[unit, group],
                        sample_priorities[unit, group],
                    )  # fmt: skip
            if zeros:
                counts[unit, zero] += zeros
                group = group_of[zero]
                for place in order[number]:
                    if chances[place] >= limits[unit, group]:
                        break
                    if row[place] == 0:
                        fill[unit, group], limits[unit, group] = _draw(
                            chances[place], row[place], items[number], place, room, fill[unit, group],
                            limits[unit, group], sample_values[unit, group], sample_items[unit, group],
                            sample_places[unit, group], sample_priorities[unit, group],
                        )  # fmt: skip


@_compiled()
def _draw(chance, value, item, place, room, held, limit, values, items, places, priorities):
    """Take a position into a sample of `held`, in place of that with the largest priority if there is no room.

    The sample is a heap: none of 2i + 1 and 2i + 2 has a larger priority than i. Gives how many it holds, and the
    priority that the next must be below.
    """
    if held < room:
        slot = held
        held += 1
        while slot > 0 and priorities[(slot - 1) // 2] < chance:
            above = (slot - 1) // 2
            values[slot], items[slot], places[slot] = values[above], items[above], places[above]
            priorities[slot] = priorities[above]
            slot = above
    else:
        slot = 0
        while 2 * slot + 1 < room:
            below = 2 * slot + 1
            if below + 1 < room and priorities[below + 1] > priorities[below]:
                below += 1
            if priorities[below] <= chance:
                break
            values[slot], items[slot], places[slot] = values[below], items[below], places[below]
            priorities[slot] = priorities[below]
            slot = below
    values[slot], items[slot], places[slot], priorities[slot] = value, item, place, chance
    return held, priorities[0] if held == room else limit


@_compiled()
def _zeros(row):
    count = 0
    for place in range(len(row)):
        count += row[place] == 0
    return count


@_compiled()
def _sorted_out(row, some, places):
    """Put the finite values other than 0 and their places into arrays, and give their number."""
    kept = 0
    for place in range(len(row)):
        value = row[place]
        some[kept] = value
        places[kept] = place
        kept += (value != 0) & (abs(value) <= _LARGEST)
    return kept


# The values are finite, and may be added in any order, so that several are added at once.
@_compiled(fastmath=True)
def _moments(row, pivot, found):
    first = second = third = fourth = 0.0
    for place in range(len(row)):
        off = np.float64(row[place]) - pivot
        square = off * off
        first += off
        second += square
        third += square * off
        fourth += square * square
    found[0], found[1], found[2], found[3] = first, second, third, fourth


@_compiled()
def _above(row):
    count = 0
    for place in range(len(row)):
        count += row[place] > 0
    return count


@_compiled()
def _extremes(row, zeros):
    """The largest and the least of finite values and some zeros; minus and plus infinity of nothing."""
    highest, lowest = np.float32(-np.inf), np.float32(np.inf)
    for place in range(len(row)):
        highest, lowest = max(highest, row[place]), min(lowest, row[place])
    if zeros:
        highest, lowest = max(highest, np.float32(0)), min(lowest, np.float32(0))
    return highest, lowest


@_compiled()
def _first(row, wanted):
    if abs(wanted) <= _LARGEST:
        for place in range(len(row)):
            if row[place] == wanted:
                return place
    return -1


@_compiled(inline="always")
def _bin(exact, low, width, count):
    """The bin of a value counted from 1, 0 for what lies under all of them."""
    bin = np.floor(min(max((exact - low) * (1.0 / width), -1.0), np.float64(count)))
    # By the edges themselves: rounding of the quotient may be off by one bin.
    bin += np.float64(exact >= low + width * (bin + 1.0)) - np.float64(exact < low + width * bin)
    return np.int32(min(max(bin, -1.0), np.float64(count))) + 1


@_compiled()
def _bins(row, low, width, count, bins):
    for place in range(len(row)):
        bins[place] = _bin(np.float64(row[place]), low, width, count)
