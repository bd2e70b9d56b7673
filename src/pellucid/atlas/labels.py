"""What the cells of a grid say of the classes: mean attribution, its spread, and whether the first label holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.grid import Grid, add_by_cell, in_step

_ENOUGH = 8  # activations in each half of a cell whose halves can be compared

Labels = tuple[tuple[int, float, float], ...]  # (class, mean attribution, standard deviation)


@dataclass(frozen=True)
class ClassStatistics:
    """The attribution of every class to the activations of each cell: mean and standard deviation, both (M, K).

    `stable` (M,) are the cells whose photographs, in two halves, agree on the class with the largest mean, each half
    with 8 activations at least. A cell's activations are not halved themselves: several come from one photograph, and
    would agree with each other whatever the cell is about.
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    stable: NDArray[np.bool_]

    def strongest(self, top: int) -> list[Labels]:
        """Of each cell the `top` classes with the largest mean attribution, largest first."""
        return self._ranked(np.argsort(-self.mean, axis=1, kind="stable")[:, :top])

    def weakest(self, top: int) -> list[Labels]:
        """Of each cell the `top` classes with the smallest mean attribution, smallest first: what speaks against."""
        return self._ranked(np.argsort(self.mean, axis=1, kind="stable")[:, :top])

    def _ranked(self, order: NDArray[np.intp]) -> list[Labels]:
        values, spreads = np.take_along_axis(self.mean, order, 1), np.take_along_axis(self.spread, order, 1)
        return [
            tuple(
                (int(label), round(float(value), 5), round(float(spread), 5))
                for label, value, spread in zip(*cell, strict=True)
            )
            for cell in zip(order, values, spreads, strict=True)
        ]


def class_statistics(
    grids: Sequence[Grid], attributions: Iterable[NDArray], images: NDArray[np.int32]
) -> list[ClassStatistics]:
    """What the cells of each grid say of the classes, in one pass over the attributions.

    `attributions` are shards (n, K) in the order of the samples, `images` (N,) the photograph of each sample.
    """
    halves: list[NDArray[np.float64]] = []
    squares: list[NDArray[np.float64]] = []
    for rows, part in in_step(grids, attributions):
        if not halves:
            halves = [np.zeros((2 * len(grid), part.shape[1])) for grid in grids]
            squares = [np.zeros((len(grid), part.shape[1])) for grid in grids]
        exact = part.astype(np.float64)
        half = half_of(images[rows])
        for grid, total, square in zip(grids, halves, squares, strict=True):
            cell = grid.cell[rows]
            add_by_cell(total, np.where(cell < 0, -1, cell + half * len(grid)), exact)
            add_by_cell(square, cell, exact**2)
    return [_summed(grid, total, square, images) for grid, total, square in zip(grids, halves, squares, strict=True)]


def half_of(images: NDArray[np.int32]) -> NDArray[np.int64]:
    """Which of two halves each photograph belongs to, 0 or 1.

    The numbers are scattered first (Knuth's multiplicative hash): photographs are often sorted by class.
    """
    return (images.astype(np.uint64) * np.uint64(2654435761) >> np.uint64(16)).astype(np.int64) & 1


def _summed(
    grid: Grid, total: NDArray[np.float64], square: NDArray[np.float64], images: NDArray[np.int32]
) -> ClassStatistics:
    count = grid.count[:, None]
    first, second = total[: len(grid)], total[len(grid) :]
    mean = (first + second) / count
    spread = np.sqrt(np.maximum(square / count - mean**2, 0))
    kept = grid.cell >= 0
    in_second = np.bincount(grid.cell[kept], weights=half_of(images)[kept], minlength=len(grid))
    stable = np.minimum(in_second, grid.count - in_second) >= _ENOUGH
    if total.shape[1]:
        stable &= first.argmax(axis=1) == second.argmax(axis=1)
    else:
        stable[:] = False
    return ClassStatistics(mean.astype(np.float32), spread.astype(np.float32), stable)
