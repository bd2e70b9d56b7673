"""The records of an atlas on disk, as the builder writes them and the web app reads them.

`atlas/NAME/atlas.json` holds one `AtlasRecord`. Each of its levels names a table, `level-G.json`, which holds the
`CellRecord`s of that grid, and the sheets that hold their pictures, row by row, in the order of the table. What only
some readers want lies in files of its own, in chunks: the attribution of every class to every cell, what there is to
say of each cell, and the places of single activations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pellucid.errors import StudyError
from pellucid.study.files import read_json, read_record, write_json
from pellucid.study.manifest import Study


@dataclass(frozen=True)
class SheetRecord:
    """Pictures of one size in one file: picture i stands in row `i // columns`, column `i % columns`.

    `per_cell` pictures belong to each cell: those of cell i are i·per_cell, i·per_cell + 1, ...

    With a `tile`, every square of `tile` x `tile` places of the grid has a file of its own. `file` is then a pattern,
    such as `icons-100/{row}-{column}.webp`, whose numbers are a cell's `row // tile` and `column // tile`; in each the
    pictures of its cells stand in the order of the table, `columns` in a row. `squares` are those that have cells.
    """

    file: str
    size: int  # side of one picture in pixels
    columns: int
    per_cell: int = 1
    tile: int = 0
    squares: tuple[tuple[int, int], ...] = ()  # (row, column)

    def files(self) -> tuple[str, ...]:
        """The files of the sheet."""
        if not self.tile:
            return (self.file,)
        return tuple(self.file.format(row=row, column=column) for row, column in self.squares)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "SheetRecord":
        """The record that a JSON object holds."""
        squares = tuple((int(row), int(column)) for row, column in content.get("squares", ()))
        return cls(**{**content, "squares": squares})


@dataclass(frozen=True)
class ChunkRecord:
    """Things in a fixed order, `per_file` of them in each file: `file` is a pattern with `{chunk}`, counted from 0."""

    file: str
    per_file: int
    count: int

    def files(self) -> tuple[str, ...]:
        """The files, in their order."""
        return tuple(self.file.format(chunk=chunk) for chunk in range(-(-self.count // self.per_file)))


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
    """One zoom level: a grid of `grid` x `grid` cells, of which `cells` hold enough activations to be drawn.

    `classes` are the mean attributions of every class to the cells: little-endian float32, one class after the other,
    of each all cells in the order of the table. `cards` are JSON lists of `CardRecord`s in the order of the table.
    """

    grid: int
    cells: int
    table: str
    icons: SheetRecord
    patches: SheetRecord
    classes: ChunkRecord | None = None
    cards: ChunkRecord | None = None


@dataclass(frozen=True)
class NextCells:
    """Where in another atlas of the study the activations of a cell are found again, one layer on.

    `cells` are (row, column, lift) of the level `grid` of the atlas `atlas`: how many times more often than by chance
    the views whose activations lie in the one cell have, at the same place of the view, activations in the other.
    """

    atlas: str
    grid: int
    cells: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class CardRecord:
    """What explains a cell beyond its place in the table.

    `labels` and `against` are (class, mean attribution, standard deviation over the cell's activations), those that
    speak most for and most against a class. `spread` is the mean cosine of the cell's activations with their mean,
    `norm` the mean length of its activations. `nearest` are (row, column, cosine) of the cells of the level whose mean
    activations are nearest, wherever they lie on the map.
    """

    labels: tuple[tuple[int, float, float], ...]
    against: tuple[tuple[int, float, float], ...]
    spread: float
    norm: float
    nearest: tuple[tuple[int, int, float], ...]
    next: tuple[NextCells, ...] = ()


@dataclass(frozen=True)
class PointsRecord:
    """The places of single activations: pairs of little-endian uint16 from 0 to 65,535 across the map, x first."""

    file: str
    count: int


@dataclass(frozen=True)
class AtlasRecord:
    """An atlas: what it shows, its levels from coarse to fine, and the configuration that made it.

    `kind` is "layer" for the atlas of a layer; "class" for the activations that matter to one class, `about` then says
    {"class", "filter"}; "comparison" for two classes, {"left", "right", "scale"}: across lies the difference of the
    attributions, right minus left, from -scale to scale; "network" for a layer of another network laid out with the
    study's own. Atlases that say the same `aligned` share a plane: like lies in the same place.
    """

    network: str
    layer: str
    samples: int  # activations that the layout places
    images: int  # photographs that they come from
    classes: tuple[str, ...]  # the network's labels, by class index
    levels: tuple[LevelRecord, ...]
    config: dict[str, Any]
    kind: str = "layer"
    title: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    aligned: str = ""
    points: PointsRecord | None = None
    format: int = 2

    @classmethod
    def read(cls, folder: Path) -> "AtlasRecord":
        """Read `atlas.json` of a folder. Raises `StudyError` if it is missing, damaged or newer than this version."""
        content = read_record(folder / "atlas.json", cls.format, "the record of an atlas")
        try:
            levels = tuple(_level(level) for level in content["levels"])
            points = PointsRecord(**content["points"]) if content.get("points") else None
            return cls(
                **{**content, "levels": levels, "classes": tuple(content["classes"]), "points": points, "format": 2}
            )
        except (TypeError, KeyError, ValueError) as error:
            raise StudyError(f"{folder / 'atlas.json'} is not the record of an atlas: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `atlas.json` into a folder."""
        write_json(folder / "atlas.json", asdict(self))

    def files(self) -> tuple[str, ...]:
        """The files that the atlas is made of, relative to its folder."""
        names = ["atlas.json", *([self.points.file] if self.points else [])]
        for level in self.levels:
            names += [level.table, *level.icons.files(), *level.patches.files()]
            for chunks in (level.classes, level.cards):
                names += chunks.files() if chunks else ()
        return tuple(names)


def _level(content: dict[str, Any]) -> LevelRecord:
    chunks = {name: ChunkRecord(**content[name]) if content.get(name) else None for name in ("classes", "cards")}
    return LevelRecord(
        content["grid"],
        content["cells"],
        content["table"],
        SheetRecord.of(content["icons"]),
        SheetRecord.of(content["patches"]),
        **chunks,
    )


def atlases(study: Study) -> dict[str, Path]:
    """The folders of a study's finished atlases by their names."""
    return {path.parent.name: path.parent for path in sorted((study.path / "atlas").glob("*/atlas.json"))}


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


def write_cards(folder: Path, chunks: ChunkRecord, cards: Sequence[CardRecord]) -> None:
    """Write the cards of a level, each of its files."""
    for number, name in enumerate(chunks.files()):
        some = cards[number * chunks.per_file : (number + 1) * chunks.per_file]
        write_json(folder / name, {"cards": [asdict(card) for card in some]})
