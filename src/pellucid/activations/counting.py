"""The pass over the values of each unit that a tally makes, compiled for the processor.

Short loops, each of which looks at several values at once. All are in one file: what is kept on disk of a compiled
function does not see a change of another in another file.
"""

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.compiled import compiled

_LARGEST = np.finfo(np.float32).max
_LARGEST_KEY = _LARGEST.view(np.int32)  # see `_key`
_LEAST, _MOST = np.int32(np.iinfo(np.int32).min), np.int32(np.iinfo(np.int32).max)
_SMALL, _FEW = 1e-30, 1 << 20


@compiled()
def count_maps(
    values, items, chance, low, width, pivot, short, group_of, powers, counts, totals, limits, fill,
    sample_values, sample_items, sample_places, sample_priorities, extreme, at, sums,
):  # fmt: skip
    """Add maps (N, U, P) of items (N,) to what a `Tally` holds, and give the extremes and the sums of each item.

    `chance` (N, P) are the priorities of the positions, `short` (U,) says where single precision does for the bins.
    """
    length = values.shape[2]
    rough = (chance >> np.uint64(32)).astype(np.uint32)
    every, others = np.arange(length).astype(np.int32), np.empty(length, np.int32)
    some = np.empty(length, np.float32)
    found, candidates = np.empty(length, np.uint32), np.empty(length, np.uint32)
    powers_of, near = np.empty(4), np.empty(limits.shape[1], np.uint32)
    # Where many values in turn fall into one bin, a single table would wait for itself.
    first, second = np.zeros(counts.shape[1], np.int32), np.zeros(counts.shape[1], np.int32)
    for unit in range(values.shape[1]):
        for group in range(len(near)):
            near[group] = limits[unit, group] >> np.uint64(32)
        for number in range(values.shape[0]):
            part, places, chances = values[number, unit], every, rough[number]
            if _places_of_extremes(part, at[number, unit]):
                for side in range(2):
                    extreme[number, unit, side] = part[at[number, unit, side]]
            else:
                kept = _finite(part, some, others)
                part, places, chances = some[:kept], others, chances[others[:kept]]
                _extremes_of(part, places, extreme[number, unit], at[number, unit])
            kept = len(part)
            _moments(part, pivot[unit], powers_of)
            for power in range(4):
                powers[unit, power] += powers_of[power]
            sums[number, unit] = powers_of[0] + kept * pivot[unit]
            totals[unit, 0] += kept
            totals[unit, 1] += _above(part)
            totals[unit, 2] += length - kept
            if short[unit]:
                _short_bins(part, np.float32(low[unit]), np.float32(width[unit]), counts.shape[1] - 2, found)
            else:
                _bins(part, low[unit], width[unit], counts.shape[1] - 2, found)
            chosen = _tabulate(found[:kept], first, second, chances, near, group_of, candidates)
            for slot in candidates[:chosen]:
                group, place = group_of[found[slot]], places[slot]
                if chance[number, place] < limits[unit, group]:
                    fill[unit, group], limits[unit, group] = _draw(
                        chance[number, place], part[slot], items[number], place, fill[unit, group],
                        limits[unit, group], sample_values[unit, group], sample_items[unit, group],
                        sample_places[unit, group], sample_priorities[unit, group],
                    )  # fmt: skip
                    near[group] = limits[unit, group] >> np.uint64(32)
        for bin in range(len(first)):
            counts[unit, bin] += first[bin] + second[bin]
            first[bin] = second[bin] = 0


@compiled()
def _tabulate(bins, first, second, chances, near, group_of, candidates):
    """Count bins into two tables, and give how many positions may be taken into a sample, with their slots."""
    found, half = 0, len(bins) // 2
    for slot in range(half):
        one, other = bins[slot], bins[slot + half]
        first[one] += 1
        second[other] += 1
        if chances[slot] <= near[group_of[one]]:
            candidates[found] = slot
            found += 1
        if chances[slot + half] <= near[group_of[other]]:
            candidates[found] = slot + half
            found += 1
    if len(bins) > 2 * half:
        first[bins[2 * half]] += 1
        candidates[found] = 2 * half
        found += 1
    return found


@compiled()
def _draw(chance, value, item, place, held, limit, values, items, places, priorities):
    """Take a position into a sample of `held`, in place of that with the largest priority if there is no room.

    The sample is a heap: none of 2i + 1 and 2i + 2 has a larger priority than i. Gives how many it holds, and the
    priority that the next must be below.
    """
    room = len(priorities)
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


@compiled(inline="always")
def _key(bits):
    """A whole number that is ordered as the single-precision number of these bits, equal for 0 and -0."""
    sign = np.int32(bits >> np.int32(31))
    return np.int32(np.int32(np.int32(bits & _MOST) ^ sign) - sign)


@compiled()
def _places_of_extremes(row, at):
    """Find where the largest and the least value come first; False if not all are finite."""
    bits = row.view(np.int32)
    highest, lowest = _LEAST, _MOST
    for place in range(len(bits)):
        key = _key(bits[place])
        highest, lowest = max(highest, key), min(lowest, key)
    if highest > _LARGEST_KEY or lowest < -_LARGEST_KEY:
        return False
    # A search that ends at the place found would take longer: processors look at several values at once.
    at_highest = at_lowest = _MOST
    for place in range(len(bits)):
        key = _key(bits[place])
        at_highest = min(at_highest, np.int32(place) if key == highest else _MOST)
        at_lowest = min(at_lowest, np.int32(place) if key == lowest else _MOST)
    at[0], at[1] = at_highest, at_lowest
    return True


@compiled()
def _finite(row, some, places):
    """Put the finite values and their places into arrays, and give their number."""
    kept = 0
    for place in range(len(row)):
        some[kept] = row[place]
        places[kept] = place
        kept += abs(row[place]) <= _LARGEST
    return kept


@compiled()
def _extremes_of(part, places, extreme, at):
    """The largest and the least of finite values and their places; minus and plus infinity, nowhere, of nothing."""
    extreme[0], extreme[1] = -np.inf, np.inf
    at[:] = -1
    for slot in range(len(part)):
        if part[slot] > extreme[0]:
            extreme[0], at[0] = part[slot], places[slot]
        if part[slot] < extreme[1]:
            extreme[1], at[1] = part[slot], places[slot]


# The values are finite, and may be added in any order, so that several are added at once.
@compiled(fastmath=True)
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


@compiled()
def _above(row):
    count = np.int32(0)
    for place in range(len(row)):
        count = np.int32(count + np.int32(row[place] > 0))
    return count


@compiled()
def _bins(row, low, width, count, bins):
    """Find the bin of each value counted from 1, 0 for what lies under all of them."""
    most = np.float64(count)
    for place in range(len(row)):
        value = np.float64(row[place])
        bin = np.floor(min(max((value - low) * (1.0 / width), -1.0), most))
        # By the edges themselves: rounding of the quotient may be off by one bin.
        bin += np.float64(value >= low + width * (bin + 1.0)) - np.float64(value < low + width * bin)
        bins[place] = np.int32(min(max(bin, -1.0), most) + 1.0)


@compiled()
def _short_bins(row, low, width, count, bins):
    """The same in single precision, where that has all edges exactly."""
    one, most = np.float32(1), np.float32(count)
    inverse = one / width
    for place in range(len(row)):
        value = row[place]
        bin = np.floor(min(max((value - low) * inverse, -one), most))
        bin += np.float32(value >= low + width * (bin + one)) - np.float32(value < low + width * bin)
        bins[place] = np.int32(min(max(bin, -one), most) + one)


def short(low: NDArray[np.float64], width: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """For which units (U,) single precision has all the edges of `count` bins from `low` of `width` exactly."""
    steps = np.arange(-1, count + 2)
    with np.errstate(over="ignore", under="ignore"):
        rounded = low.astype(np.float32)[:, None] + width.astype(np.float32)[:, None] * steps.astype(np.float32)
    same = (rounded == low[:, None] + width[:, None] * steps).all(axis=1)
    # The quotient must be good to less than a bin.
    return same & (width > _SMALL) & (width < 1 / _SMALL) & (count < _FEW)
