"""What explains a cell beyond its place in the table: classes for and against it, how alike it is, what is nearest."""

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.survey import Survey
from pellucid.study.records import CardRecord, ChunkRecord

_PER_FILE = 64
_NEAREST = 6
_BLOCK = 1024  # cells that are compared with all others at a time


def describe_cards(grid: int, cells: int) -> ChunkRecord:
    """The files for the cards of so many cells."""
    return ChunkRecord(f"cards-{grid}/{{chunk}}.json", _PER_FILE, cells)


def level_cards(found: Survey, top: int) -> list[CardRecord]:
    """The cards of a level, in the order of its cells."""
    columns = (
        found.classes.strongest(top),
        found.classes.weakest(top),
        found.spread.tolist(),
        found.norm.tolist(),
        nearest_cells(found.grid.row, found.grid.column, found.mean),
    )
    return [
        CardRecord(labels, against, round(spread, 4), round(norm, 4), nearest)
        for labels, against, spread, norm, nearest in zip(*columns, strict=True)
    ]


def nearest_cells(
    row: NDArray[np.int64], column: NDArray[np.int64], mean: NDArray[np.float32], count: int = _NEAREST
) -> list[tuple[tuple[int, int, float], ...]]:
    """Of each cell those `count` others whose mean activation (M, C) has the largest cosine with its own.

    They are (row, column, cosine), the nearest first.
    """
    units = mean / np.linalg.norm(mean, axis=1, keepdims=True).clip(1e-12)
    found = []
    for at in range(0, len(units), _BLOCK):
        cosines = units[at : at + _BLOCK] @ units.T
        own = np.arange(len(cosines))
        cosines[own, own + at] = -np.inf
        order = np.argsort(-cosines, axis=1, kind="stable")[:, : min(count, len(units) - 1)]
        values = np.take_along_axis(cosines, order, 1)
        found += [
            tuple(
                (int(row[cell]), int(column[cell]), round(float(value), 4))
                for cell, value in zip(cells, some, strict=True)
            )
            for cells, some in zip(order, values, strict=True)
        ]
    return found
