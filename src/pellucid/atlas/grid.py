"""Averaging activations over the cells of a grid on the layout."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import AtlasError


@dataclass(frozen=True)
class Grid:
    """The cells of one zoom level that hold enough activations, row by row.

    `cell` (N,) is the index of each sample's cell, -1 where that cell is left out; `row`, `column` and `count` are
    (M,).
    """

    size: int
    cell: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    count: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    def means(self, values: Iterable[NDArray]) -> NDArray[np.float32]:
        """The mean of values, given in shards in the order of the samples, over each cell: (M, C)."""
        total: NDArray[np.float64] | None = None
        at = 0
        for part in values:
            inside = self.cell[at : at + len(part)]
            at += len(part)
            if total is None:
                total = np.zeros((len(self), part.shape[1]))
            kept = inside >= 0
            np.add.at(total, inside[kept], part[kept].astype(np.float64))
        if total is None or at != len(self.cell):
            raise AtlasError(f"{at} values are given for a grid over {len(self.cell)} activations")
        return (total / self.count[:, None]).astype(np.float32)


def make_grid(points: NDArray, size: int, min_count: int) -> Grid:
    """Sort points (N, 2) of the unit square into `size` x `size` cells and keep those with `min_count` of them.

    A cell is half open: a point on a border belongs to the cell to its right or below, but for the outer edge. Raises
    `AtlasError` if no cell is left.
    """
    if size < 1 or min_count < 1:
        raise AtlasError(f"a grid of {size} cells a side with at least {min_count} activations cannot be made")
    column, row = np.minimum((points * size).astype(np.int64), size - 1).T
    flat = row * size + column
    counts = np.bincount(flat, minlength=size * size)
    kept = np.flatnonzero(counts >= min_count)
    if len(kept) == 0:
        raise AtlasError(
            f"no cell of the {size}x{size} grid holds {min_count} activations (the fullest has {counts.max()}); "
            "harvest more, draw a coarser grid, or ask for fewer"
        )
    index = np.full(size * size, -1, dtype=np.int64)
    index[kept] = np.arange(len(kept))
    return Grid(size, index[flat], kept // size, kept % size, counts[kept])
