"""What the cells of an atlas speak for: the classes with the largest mean attribution."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.grid import Grid

_ENOUGH = 16  # activations in a cell whose halves can be compared


def label_cells(
    grid: Grid, attributions: Iterable[NDArray], top: int
) -> tuple[list[tuple[tuple[int, float], ...]], NDArray[np.bool_]]:
    """The `top` classes of each cell with their mean attribution, and whether the first is stable.

    A label is stable if the means over the cell's even and odd activations have the same largest class; cells of fewer
    than 16 activations are not.
    """
    halves: NDArray[np.float64] | None = None
    seen = np.zeros(len(grid), dtype=np.int64)
    at = 0
    for part in attributions:
        if halves is None:
            halves = np.zeros((2, len(grid), part.shape[1]))
        inside = grid.cell[at : at + len(part)]
        at += len(part)
        kept = np.flatnonzero(inside >= 0)
        cells = inside[kept]
        turn = _running_count(cells, seen) % 2
        np.add.at(halves, (turn, cells), part[kept].astype(np.float64))
    if halves is None:
        return [() for _ in range(len(grid))], np.zeros(len(grid), dtype=bool)
    means = halves.sum(axis=0) / grid.count[:, None]
    order = np.argsort(-means, axis=1, kind="stable")[:, :top]
    labels = [
        tuple((int(label), round(float(mean[label]), 5)) for label in best)
        for mean, best in zip(means, order, strict=True)
    ]
    stable = (halves[0].argmax(axis=1) == halves[1].argmax(axis=1)) & (grid.count >= _ENOUGH)
    return labels, stable


def _running_count(cells: NDArray[np.int64], seen: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each entry how many of the same cell came before it; `seen` is carried from shard to shard."""
    order = np.argsort(cells, kind="stable")
    ordered = cells[order]
    first = np.searchsorted(ordered, ordered, side="left")
    running = np.empty(len(cells), dtype=np.int64)
    running[order] = np.arange(len(cells)) - first
    running += seen[cells]
    np.add.at(seen, cells, 1)
    return running
