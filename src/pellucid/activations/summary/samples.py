"""A uniform random sample of the positions in each bin of activation."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.summary.bins import Bins
from pellucid.activations.summary.ranking import NONE
from pellucid.errors import SummaryError

LAST = np.uint64(np.iinfo(np.uint64).max)
"""The priority of nothing."""


@dataclass(frozen=True, eq=False)
class BinSamples:
    """R random positions of each of Q groups of bins of each of U units, and how many positions fell into the group.

    Every position has a random priority that follows from the seed, the item and the place alone (`priorities`), the
    same for all units, and those with the least are kept: a uniform sample without replacement, whatever the order in
    which positions come and however sets of them are joined (bottom-k sampling; Cohen and Kaplan 2007). They stand in
    the order of their priority, so that the first r of them are a uniform sample as well. `values`, `items`,
    `places`, `priorities` (U, Q, R), items -1 where there are fewer; `counts` (U, Q). The outermost groups are open.
    """

    bins: Bins
    counts: NDArray[np.int64]
    values: NDArray[np.float32]
    items: NDArray[np.int64]
    places: NDArray[np.int32]
    priorities: NDArray[np.uint64]

    @classmethod
    def empty(cls, bins: Bins, length: int) -> "BinSamples":
        """Of nothing: what changes nothing when joined."""
        shape = (bins.units, bins.groups, length)
        return cls(
            bins,
            np.zeros(shape[:2], np.int64),
            np.zeros(shape, np.float32),
            np.full(shape, NONE),
            np.full(shape, NONE, np.int32),
            np.full(shape, LAST),
        )

    def merge(self, other: "BinSamples") -> "BinSamples":
        """A sample of both sets of positions, which share none."""
        if not self.bins.same(other.bins) or self.values.shape != other.values.shape:
            raise SummaryError("samples of different bins or numbers cannot be joined; they come of different harvests")
        from pellucid.activations.summary.sorted_lists import join_samples

        found = BinSamples.empty(self.bins, self.values.shape[2])
        join_samples(self._lists(), other._lists(), found._lists())
        return replace(found, counts=self.counts + other.counts)

    def sorted(self) -> "BinSamples":
        """The same sample in the order of its priorities."""
        from pellucid.activations.summary.sorted_lists import sort_samples

        found = replace(self, **{name: getattr(self, name).copy() for name in _ARRAYS})
        sort_samples(*found._lists())
        return found

    def _lists(self) -> tuple[NDArray[Any], ...]:
        """Values, items, places and priorities of all groups of all units, one after the other."""
        return tuple(getattr(self, name).reshape(-1, self.values.shape[2]) for name in _ARRAYS)

    @property
    def edges(self) -> NDArray[np.float64]:
        """The edges of the groups (U, Q + 1)."""
        return self.bins.group_edges


_ARRAYS = ("values", "items", "places", "priorities")


def priorities(seed: int, items: NDArray[np.int64], places: int) -> NDArray[np.uint64]:
    """The random priority of each of the first `places` places of items (N,), as (N, places).

    A 64-bit mix (the finalizer of SplitMix64; Steele, Lea and Flood 2014) of seed, item and place; no two of a sample
    are equal but by a chance of 2^-64.
    """
    with np.errstate(over="ignore"):
        start = _mixed(items.astype(np.uint64) + np.uint64(seed % (1 << 63)) * np.uint64(0x9E3779B97F4A7C15))
        found = _mixed(start[:, None] + np.arange(places, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    return np.minimum(found, LAST - np.uint64(1))


class Draw:
    """The priorities of some items (N,), computed once for all layers with maps of one size."""

    def __init__(self, seed: int, items: NDArray[np.int64]) -> None:
        self.items = items
        self._seed = seed
        self._known: dict[int, tuple[NDArray[np.uint64], NDArray[np.int32]]] = {}

    def of(self, places: int) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
        """The priorities of the first places (N, places), and the places in the order of their priorities."""
        if places not in self._known:
            chance = priorities(self._seed, self.items, places)
            self._known[places] = chance, chance.argsort(axis=1).astype(np.int32)
        return self._known[places]


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
