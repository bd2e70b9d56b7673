"""The records of an atlas on disk, as the builder writes them and the web app reads them.

`atlas/NAME/atlas.json` holds one `AtlasRecord`. Each of its levels names a table, `level-G.json`, which holds the
`CellRecord`s of that grid, and the sheets that hold their pictures, row by row, in the order of the table.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_json, read_record, write_json


@dataclass(frozen=True)
class SheetRecord:
    """Pictures of one size in one file: picture i stands in row `i // columns`, column `i % columns`.

    `per_cell` pictures belong to each cell: those of cell i are i·per_cell, i·per_cell + 1, ...
    """

    file: str
    size: int  # side of one picture in pixels
    columns: int
    per_cell: int = 1


@dataclass(frozen=True)
class CellRecord:
    """One cell of a grid over the layout: column 0 is at the left, row 0 at the top."""

    row: int
    column: int
    count: int  # activations whose point lies in the cell
    labels: tuple[tuple[int, float], ...]  # (class, mean attribution), largest first
    stable: bool  # both halves of the cell's activations agree on the first class
    patches: tuple[str, ...]  # the photographs that the cell's patches are cut from


@dataclass(frozen=True)
class LevelRecord:
    """One zoom level: a grid of `grid` x `grid` cells, of which `cells` hold enough activations to be drawn."""

    grid: int
    cells: int
    table: str
    icons: SheetRecord
    patches: SheetRecord


@dataclass(frozen=True)
class AtlasRecord:
    """An atlas: what it shows, its levels from coarse to fine, and the configuration that made it."""

    network: str
    layer: str
    samples: int  # activations that the layout places
    images: int  # photographs that they come from
    classes: tuple[str, ...]  # the network's labels, by class index
    levels: tuple[LevelRecord, ...]
    config: dict[str, Any]
    format: int = 1

    @classmethod
    def read(cls, folder: Path) -> "AtlasRecord":
        """Read `atlas.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        content = read_record(folder / "atlas.json", cls.format, "the record of an atlas")
        try:
            levels = tuple(
                LevelRecord(
                    level["grid"],
                    level["cells"],
                    level["table"],
                    SheetRecord(**level["icons"]),
                    SheetRecord(**level["patches"]),
                )
                for level in content["levels"]
            )
            return cls(**{**content, "levels": levels, "classes": tuple(content["classes"])})
        except (TypeError, KeyError) as error:
            raise StudyError(f"{folder / 'atlas.json'} is not the record of an atlas: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `atlas.json` into a folder."""
        write_json(folder / "atlas.json", asdict(self))

    def files(self) -> tuple[str, ...]:
        """The files that the atlas is made of, relative to its folder."""
        names = ["atlas.json"]
        for level in self.levels:
            names += [level.table, level.icons.file, level.patches.file]
        return tuple(names)


def read_cells(path: Path) -> tuple[CellRecord, ...]:
    """Read a level's table of cells."""
    content = read_json(path)
    try:
        return tuple(
            CellRecord(
                cell["row"],
                cell["column"],
                cell["count"],
                tuple((int(label), float(value)) for label, value in cell["labels"]),
                cell["stable"],
                tuple(cell["patches"]),
            )
            for cell in content["cells"]
        )
    except (TypeError, KeyError) as error:
        raise StudyError(f"{path} is not a table of cells: {error}") from None


def write_cells(path: Path, grid: int, cells: tuple[CellRecord, ...]) -> None:
    """Write a level's table of cells."""
    write_json(path, {"grid": grid, "cells": [asdict(cell) for cell in cells]})
