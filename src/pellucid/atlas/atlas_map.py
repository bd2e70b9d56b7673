"""Placing activations in the cells of an atlas that is there."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import Samples
from pellucid.atlas import tables
from pellucid.atlas.gathered import open_samples, take
from pellucid.atlas.grid import cells_at
from pellucid.atlas.placement import Placement
from pellucid.errors import AtlasError, StudyError
from pellucid.study import AtlasRecord, LevelRecord, Study, atlases


@dataclass(frozen=True, eq=False)
class Placed:
    """Where activations stand: `points` (N, 2) in the unit square, and `distance` (N,), 1 - cosine to the nearest."""

    points: NDArray[np.float32]
    distance: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AtlasMap:
    """The atlas of a layer with its activations: the layout into which others are placed."""

    study: Study
    folder: Path
    record: AtlasRecord
    samples: Samples
    points: NDArray[np.float32]

    @classmethod
    def open(cls, study: Study, name: str | None = None) -> "AtlasMap":
        """Open the atlas of a layer, if there is but one, or by name.

        Raises `StudyError` if there is none, `AtlasError` if it is of no whole layer.
        """
        there = atlases(study)
        if name is None:
            layers = [one for one, folder in there.items() if AtlasRecord.read(folder).kind == "layer"]
            if not layers:
                raise StudyError(f"the study in {study.path} has no atlas of a layer; build one with 'pellucid atlas'")
            if len(layers) > 1:
                raise StudyError(f"the study in {study.path} has several atlases; choose one of {', '.join(layers)}")
            name = layers[0]
        if name not in there:
            have = f"; it has {', '.join(there)}" if there else ""
            raise StudyError(f"the study in {study.path} has no finished atlas {name!r}{have}")
        folder = there[name]
        record = AtlasRecord.read(folder)
        if record.kind != "layer":
            raise AtlasError(f"{name!r} is an atlas of the kind {record.kind!r}; take that of a whole layer")
        layout = folder / "layout.parquet"
        points, chosen = tables.read_layout(layout), tables.read_chosen(layout)
        samples = open_samples(study, record.layer)
        if len(chosen) and chosen.max() >= len(samples):
            raise StudyError(
                f"the atlas {folder.name} lays out more than the {len(samples)} activations that are harvested; build "
                "it again"
            )
        return cls(study, folder, record, take(samples, chosen), points)

    def level(self, grid: int | None, *, enough: int = 20) -> LevelRecord:
        """The level of a grid; by default the finest whose cells hold `enough` activations in the median."""
        for level in reversed(self.record.levels):
            if level.grid == grid or (grid is None and np.median(self.cells(level).count) >= enough):
                return level
        if grid is None:
            return self.record.levels[0]
        have = ", ".join(str(level.grid) for level in self.record.levels)
        raise AtlasError(f"the atlas {self.folder.name} has no grid of {grid} cells a side; it has {have}")

    def cells(self, level: LevelRecord) -> tables.CellTable:
        """The cells of a level with their means."""
        return tables.read_cells(self.folder / f"cells-{level.grid}.parquet")

    def place(self, activations: NDArray, images: NDArray | None = None) -> Placed:
        """Place activations (N, C) at the weighted mean place of their nearest neighbours by cosine.

        As `pellucid.atlas.placed`. With `images` (N,), the study's numbers of the images that they come from, none is
        placed by activations of its own image: so those of the atlas itself are placed as those of others are.
        """
        own = None if images is None else (images, self.samples.image)
        return Placed(*Placement(self.samples.activation, self.points).near(activations, own))

    def cell_of(self, points: NDArray, level: LevelRecord) -> NDArray[np.int64]:
        """The cell of a level (N,) that each point (N, 2) lies in, by its number in the table; -1 for none."""
        cells = self.cells(level)
        return cells_at(points, level.grid, cells.row, cells.column)
