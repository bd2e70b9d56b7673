"""What the cells of each level hold: mean activation, how like it they are, what they say of the classes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import Samples
from pellucid.atlas.gathered import BLOCK, blocks
from pellucid.atlas.grid import Grid, means
from pellucid.atlas.labels import ClassStatistics, class_statistics
from pellucid.atlas.patches import choose_patches


@dataclass(frozen=True)
class Survey:
    """The cells of one level.

    `mean` (M, C) is their mean activation, `spread` (M,) the mean cosine of a cell's activations with it, `norm` (M,)
    their mean length, `patches` the samples that stand for each cell, `classes` what the cells say of the classes.
    """

    grid: Grid
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    norm: NDArray[np.float32]
    patches: list[list[int]]
    classes: ClassStatistics


def survey(grids: Sequence[Grid], samples: Samples, attributions: Iterable[NDArray], patches: int) -> list[Survey]:
    """Survey all levels together: two passes over the activations, one over the attributions (shards of (n, K)).

    At no time more than a block of them is held in more than half precision.
    """
    if not grids:
        return []
    averages = means(grids, blocks(samples.activation))
    norms, cosines = _lengths_and_cosines(grids, averages, samples.activation)
    classes = class_statistics(grids, attributions, samples.image)
    return [
        Survey(
            grid,
            average,
            _over_cells(grid, cosine),
            _over_cells(grid, norms),
            choose_patches(grid, cosine, samples, patches),
            statistics,
        )
        for grid, average, cosine, statistics in zip(grids, averages, cosines, classes, strict=True)
    ]


def _lengths_and_cosines(
    grids: Sequence[Grid], averages: Sequence[NDArray[np.float32]], activations: NDArray
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
    """The length of each activation, and for each grid its cosine with the mean of its cell, 0 outside all cells."""
    units = [mean / np.linalg.norm(mean, axis=1, keepdims=True).clip(1e-12) for mean in averages]
    norms = np.zeros(len(activations), dtype=np.float32)
    cosines = [np.zeros(len(activations), dtype=np.float32) for _ in grids]
    for at, part in zip(range(0, len(activations), BLOCK), blocks(activations), strict=True):
        rows = slice(at, at + len(part))
        values = part.astype(np.float32)
        norms[rows] = np.linalg.norm(values, axis=1)
        for grid, unit, cosine in zip(grids, units, cosines, strict=True):
            cell = grid.cell[rows]
            inner = np.einsum("nc,nc->n", values, unit[cell])
            cosine[rows] = np.where(cell >= 0, inner / norms[rows].clip(1e-12), 0)
    return norms, cosines


def _over_cells(grid: Grid, values: NDArray[np.float32]) -> NDArray[np.float32]:
    kept = grid.cell >= 0
    total = np.bincount(grid.cell[kept], weights=values[kept], minlength=len(grid))
    return (total / grid.count).astype(np.float32)
