"""A small harvested study with the cells of an atlas, whose icons were never drawn."""

from pathlib import Path

import numpy as np
from PIL import Image

from pellucid.activations import HarvestConfig, harvest, read_samples
from pellucid.atlas import tables
from pellucid.atlas.grid import make_grid
from pellucid.networks import Network
from pellucid.study import AtlasRecord, CellRecord, LevelRecord, SheetRecord, Study
from pellucid.study.records import write_cells
from photographs import drawn_photographs
from small import small_network

LAYER, SIZE, GRIDS = "act3", 24, (2, 3)


def palette_network(seed: int = 0) -> Network:
    """The network of the study."""
    return small_network(size=SIZE, seed=seed)


def palette_study(folder: Path, network: Network, images: int = 16) -> Study:
    """A study of drawn photographs whose atlas of `act3` lies by two of the activations' main axes."""
    source = drawn_photographs(folder / "images", images)
    study = harvest(network, source, LAYER, folder / "study", config=HarvestConfig(positions=12, shard=8))
    samples = read_samples(study, LAYER)
    values = samples.activation.astype(np.float64)
    axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[2][:2]
    ranks = (values @ axes.T).argsort(axis=0).argsort(axis=0)
    points = ((ranks + 0.5) / len(ranks)).astype(np.float32)
    write_atlas(study, points, samples.activation)
    return study


def write_atlas(study: Study, points: np.ndarray, activation: np.ndarray) -> None:
    """Write the records of an atlas and black sheets."""
    levels, atlas = [], study.path / "atlas" / LAYER
    for size in GRIDS:
        grid = make_grid(points, size, 2)
        table = tables.CellTable(grid.row, grid.column, grid.count, grid.means([activation]), [[0]] * len(grid))
        tables.write_cells(atlas / f"cells-{size}.parquet", table, "drawn")
        cells = tuple(
            CellRecord(int(row), int(column), int(count), ((0, 1.0),), True, ())
            for row, column, count in zip(grid.row, grid.column, grid.count, strict=True)
        )
        write_cells(atlas / f"level-{size}.json", size, cells)
        Image.new("RGB", (16 * len(grid), 16)).save(atlas / f"level-{size}.webp")
        sheet = SheetRecord(f"level-{size}.webp", 16, len(grid))
        levels.append(LevelRecord(size, len(grid), f"level-{size}.json", sheet, sheet))
    record = AtlasRecord("Small", LAYER, len(points), 16, ("class 0",), tuple(levels), {"icons": {"size": 12}})
    record.write(atlas)
