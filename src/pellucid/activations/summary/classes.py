"""Sums of activations for each class of a labelled source."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ClassSums:
    """For each of k classes that were seen: how much its images excite each of U units.

    `ids` (k,) are classes by their number in the source, ascending; `images` and `count` (k,) their images and
    positions, `sums` (k, U) the sum of a unit's activations over these positions, `peaks` (k, U) the sum over images of
    the highest activation in each.
    """

    ids: NDArray[np.int64]
    images: NDArray[np.int64]
    count: NDArray[np.int64]
    sums: NDArray[np.float64]
    peaks: NDArray[np.float64]

    @classmethod
    def empty(cls, units: int) -> "ClassSums":
        """Of nothing: what changes nothing when joined."""
        none = np.zeros(0, np.int64)
        return cls(none, none, none, np.zeros((0, units)), np.zeros((0, units)))

    @classmethod
    def of(
        cls, labels: NDArray[np.int64], count: NDArray[np.int64], sums: NDArray[np.float64], peaks: NDArray[np.float64]
    ) -> "ClassSums":
        """From items (N,) with labels, of which -1 is none, their positions (N,), sums and peaks (N, U)."""
        known = labels >= 0
        ids, row = np.unique(labels[known], return_inverse=True)
        found: list[NDArray[Any]] = [np.ones(known.sum(), np.int64), count[known], sums[known], peaks[known]]
        totals: list[Any] = [np.zeros((len(ids), *array.shape[1:]), array.dtype) for array in found]
        for total, array in zip(totals, found, strict=True):
            for number, values in zip(row, array, strict=True):  # faster than add.at, whose order this is
                total[number] += values
        return cls(ids.astype(np.int64), *totals)

    def merge(self, other: "ClassSums") -> "ClassSums":
        """Of both sets of images."""
        ids = np.union1d(self.ids, other.ids)
        totals = []
        for name in ("images", "count", "sums", "peaks"):
            ours, theirs = getattr(self, name), getattr(other, name)
            total = np.zeros((len(ids), *ours.shape[1:]), ours.dtype)
            total[np.searchsorted(ids, self.ids)] += ours
            total[np.searchsorted(ids, other.ids)] += theirs
            totals.append(total)
        return ClassSums(ids, *totals)

    @property
    def means(self) -> NDArray[np.float64]:
        """The mean activation of each unit over the positions of each class (k, U)."""
        return self.sums / self.count[:, None]
