"""Placing activations in the cells of an atlas that is there."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import Samples, read_samples
from pellucid.atlas import tables
from pellucid.errors import AtlasError, StudyError
from pellucid.study import AtlasRecord, LevelRecord, Study

_NEIGHBORS = 5
_AT_ONCE = 64_000_000  # cosines held in memory


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
        atlases = sorted(path.parent for path in (study.path / "atlas").glob("*/atlas.json"))
        layers = [folder for folder in atlases if AtlasRecord.read(folder).kind == "layer"]
        if name is None and not layers:
            raise StudyError(f"the study in {study.path} has no atlas of a layer; build one with 'pellucid atlas'")
        if name is None and len(layers) > 1:
            names = ", ".join(folder.name for folder in layers)
            raise StudyError(f"the study in {study.path} has several atlases; choose one of {names}")
        folder = layers[0] if name is None else study.path / "atlas" / name
        if folder not in atlases:
            have = f"; it has {', '.join(path.name for path in atlases)}" if atlases else ""
            raise StudyError(f"the study in {study.path} has no finished atlas {name!r}{have}")
        record = AtlasRecord.read(folder)
        if record.kind != "layer":
            raise AtlasError(f"{name!r} is an atlas of the kind {record.kind!r}; take that of a whole layer")
        layout = folder / "layout.parquet"
        points, chosen = tables.read_layout(layout), tables.read_chosen(layout)
        samples = read_samples(study, record.layer)
        if len(chosen) and chosen.max() >= len(samples):
            raise StudyError(
                f"the atlas {folder.name} lays out more than the {len(samples)} activations that are harvested; build "
                "it again"
            )
        return cls(study, folder, record, _rows(samples, chosen), points)

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
        known = _unit(self.samples.activation)
        if activations.ndim != 2 or activations.shape[1] != known.shape[1]:
            raise AtlasError(
                f"activations {activations.shape} cannot be placed among those of {known.shape[1]} channels"
            )
        points, distance = np.zeros((len(activations), 2), np.float32), np.zeros(len(activations), np.float32)
        step = max(1, _AT_ONCE // max(len(known), 1))
        count = min(_NEIGHBORS, len(known))
        for at in range(0, len(activations), step):
            cosines = _unit(activations[at : at + step]) @ known.T
            if images is not None:
                cosines[images[at : at + step, None] == self.samples.image[None]] = -2
            nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
            far = 1 - np.take_along_axis(cosines, nearest, axis=1)
            weights = 1 / np.maximum(far, 1e-6)  # float32 tells cosines apart no further
            weights /= weights.sum(axis=1, keepdims=True)
            points[at : at + step] = (weights[:, :, None] * self.points[nearest]).sum(axis=1)
            distance[at : at + step] = far.min(axis=1)
        return Placed(points, distance)

    def cell_of(self, points: NDArray, level: LevelRecord) -> NDArray[np.int64]:
        """The cell of a level (N,) that each point (N, 2) lies in, by its number in the table; -1 for none."""
        cells = self.cells(level)
        index = np.full(level.grid * level.grid, -1, dtype=np.int64)
        index[cells.row * level.grid + cells.column] = np.arange(len(cells.row))
        column, row = np.clip((points * level.grid).astype(np.int64), 0, level.grid - 1).T
        return index[row * level.grid + column]


def _rows(samples: Samples, chosen: NDArray[np.int64]) -> Samples:
    if np.array_equal(chosen, np.arange(len(samples))):
        return samples
    names = ("image", "box", "place", "activation", "attribution")
    return Samples(*(getattr(samples, name)[chosen] for name in names))


def _unit(activations: NDArray) -> NDArray[np.float32]:
    values = activations.astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)
