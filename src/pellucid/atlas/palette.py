"""The cells of an atlas as colours to paint and ask with: their mean activations, mixed by weights."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas import tables
from pellucid.errors import AtlasError, StudyError
from pellucid.study import AtlasRecord, Study, atlases

Cell = tuple[int, int, int, float]
"""A cell with its weight: (grid, row, column, weight)."""


@dataclass(frozen=True)
class Palette:
    """The cells of all levels of an atlas of a study, read as they are asked for."""

    folder: Path
    record: AtlasRecord
    _levels: dict[int, tables.CellTable] = field(default_factory=dict)
    _places: dict[int, Mapping[tuple[int, int], int]] = field(default_factory=dict)

    @classmethod
    def open(cls, study: Study, name: str | None = None) -> "Palette":
        """The palette of an atlas by its name, which may be left out where there is only one.

        Raises `StudyError` if there is no such atlas.
        """
        found = atlases(study)
        if not found:
            raise StudyError(f"the study in {study.path} has no finished atlas; build one with 'pellucid atlas'")
        if name is None and len(found) > 1:
            raise StudyError(f"the study in {study.path} has several atlases; choose one of {', '.join(found)}")
        name = name or next(iter(found))
        if name not in found:
            raise StudyError(f"the study in {study.path} has no atlas {name!r}; it has {', '.join(found)}")
        return cls(found[name], AtlasRecord.read(found[name]))

    @property
    def grids(self) -> tuple[int, ...]:
        """The cells a side of each level."""
        return tuple(level.grid for level in self.record.levels)

    def level(self, grid: int) -> tables.CellTable:
        """The cells of one level. Raises `AtlasError` if there is none of this grid."""
        if grid not in self.grids:
            known = ", ".join(map(str, self.grids))
            raise AtlasError(f"the atlas {self.folder.name} has no grid of {grid} cells a side; it has {known}")
        if grid not in self._levels:
            self._levels[grid] = tables.read_cells(self.folder / f"cells-{grid}.parquet")
        return self._levels[grid]

    def index(self, grid: int, row: int, column: int) -> int:
        """Where a cell stands in the table of its level. Raises `AtlasError` for a place that has none."""
        table = self.level(grid)
        if grid not in self._places:
            pairs = zip(table.row.tolist(), table.column.tolist(), strict=True)
            self._places[grid] = {place: number for number, place in enumerate(pairs)}
        if (row, column) not in self._places[grid]:
            raise AtlasError(f"the {grid}x{grid} grid of {self.folder.name} has no cell in row {row}, column {column}")
        return self._places[grid][row, column]

    def mix(self, cells: Iterable[Cell]) -> NDArray[np.float32]:
        """The weighted sum of cells' mean activations: (C,). Raises `AtlasError` if nothing is left of it."""
        total: NDArray[np.float64] | None = None
        for grid, row, column, weight in cells:
            mean = weight * self.level(grid).mean[self.index(grid, row, column)].astype(np.float64)
            total = mean if total is None else total + mean
        if total is None or not np.linalg.norm(total) > 0:
            raise AtlasError("nothing is left of the mixture of cells; give other weights")
        return total.astype(np.float32)

    @property
    def mean(self) -> NDArray[np.float32]:
        """The mean of all activations in the cells of the coarsest level: (C,)."""
        table = self.level(self.grids[0])
        return np.average(table.mean.astype(np.float64), axis=0, weights=table.count).astype(np.float32)

    def along(self, points: Iterable[tuple[float, float]], grid: int, count: int = 20) -> list[Cell]:
        """The cells that a path through the map comes by: (x, y) from 0 to 1, `count` steps of equal length.

        Each step takes the nearest cell that is there, each cell once. Raises `AtlasError` for fewer than two points.
        """
        corners = np.asarray(list(points), dtype=np.float64)
        if len(corners) < 2 or corners.shape[1] != 2 or not np.isfinite(corners).all():
            raise AtlasError("a path has two points at least, each x,y from 0 to 1")
        table = self.level(grid)
        centres = (np.stack([table.column, table.row], axis=1) + 0.5) / grid
        cells: dict[Cell, None] = {}
        for place in _stepped(corners, count):
            nearest = int(((centres - place) ** 2).sum(axis=1).argmin())
            cells[grid, int(table.row[nearest]), int(table.column[nearest]), 1.0] = None
        return list(cells)


def _stepped(corners: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Points (count, 2) at equal distances along a line through corners."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    wanted = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(wanted, lengths, corners[:, axis]) for axis in (0, 1)], axis=1)


def parse_cell(text: str) -> Cell:
    """A cell from text such as `20.3.11` or `20.3.11*0.5`: grid, row, column, weight. Raises `AtlasError`."""
    place, star, weight = text.strip().partition("*")
    parts = place.split(".")
    try:
        grid, row, column = (int(part) for part in parts)
        number = float(weight) if star else 1.0
    except ValueError:
        raise AtlasError(f"{text!r} is no cell; write GRID.ROW.COLUMN, with a weight GRID.ROW.COLUMN*WEIGHT") from None
    if not np.isfinite(number):
        raise AtlasError(f"the weight of cell {text!r} must be a finite number")
    return grid, row, column, number
