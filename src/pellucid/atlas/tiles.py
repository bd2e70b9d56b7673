"""Sheets of a level's pictures: one file where they are few, one for each square of the grid where they are many."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.grid import Grid
from pellucid.pictures import Pixels, encode, sheet
from pellucid.study import SheetRecord, write_bytes

_LARGEST_SHEET = 8192  # pixels a side; graphics hardware takes no larger textures
MOST_IN_ONE = 1024  # cells whose pictures make one sheet
TILE = 10  # grid places a side of a square: a few hundred kB of icons


def describe_sheet(kind: str, grid: Grid, size: int, per_cell: int = 1) -> SheetRecord:
    """The sheet for `per_cell` pictures of `size` pixels for each cell of a level; it is named after their kind."""
    if len(grid) <= MOST_IN_ONE:
        columns = math.ceil(math.sqrt(len(grid) * per_cell))
        return SheetRecord(f"{kind}-{grid.size}.webp", _fitting(size, columns), columns, per_cell)
    squares = tuple(square for square, _ in _squares(grid))
    columns = math.ceil(TILE * math.sqrt(per_cell))
    file = f"{kind}-{grid.size}/{{row}}-{{column}}.webp"
    return SheetRecord(file, _fitting(size, columns), columns, per_cell, TILE, squares)


def write_sheet(folder: Path, record: SheetRecord, grid: Grid, pictures: Sequence[Pixels] | Pixels) -> None:
    """Write the pictures, those of the first cell first, to the file or the files of a sheet."""
    if not record.tile:
        _write(folder / record.file, record, pictures)
        return
    for (row, column), cells in _squares(grid):
        some = [pictures[cell * record.per_cell + place] for cell in cells for place in range(record.per_cell)]
        _write(folder / record.file.format(row=row, column=column), record, some)


def _fitting(size: int, columns: int) -> int:
    return min(size, max(1, _LARGEST_SHEET // columns))


def _squares(grid: Grid) -> Iterator[tuple[tuple[int, int], NDArray[np.intp]]]:
    """The squares of a grid that have cells, row by row, each with its cells in the order of the table."""
    flat = grid.row // TILE * grid.size + grid.column // TILE
    order = np.argsort(flat, kind="stable")
    found, starts = np.unique(flat[order], return_index=True)
    for square, cells in zip(found, np.split(order, starts[1:]), strict=True):
        yield (int(square) // grid.size, int(square) % grid.size), cells


def _write(path: Path, record: SheetRecord, pictures: Sequence[Pixels] | Pixels) -> None:
    picture = sheet(pictures, record.columns)
    if record.size != pictures[0].shape[0]:
        rows = -(-len(pictures) // record.columns)
        picture = picture.resize((record.columns * record.size, rows * record.size))
    write_bytes(path, encode(picture, path.suffix))
