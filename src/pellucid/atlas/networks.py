"""Two networks that saw the same photographs: which regions of its map does only one of them have?"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas import tables
from pellucid.atlas.align import AlignmentCheck, Slice, align
from pellucid.atlas.config import AtlasConfig
from pellucid.atlas.grid import Grid, flat_places, make_grid
from pellucid.atlas.page_names import page_name
from pellucid.atlas.placement import Points
from pellucid.atlas.regions import NEIGHBOURS, Region, Seen, falsely_missing, linear_cka, missing, overlap
from pellucid.errors import AtlasError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.study import AtlasRecord, PageRecord, Study, digest, page_folder

_MOST = 8000  # activations whose neighbours are compared: each is compared with all others


@dataclass(frozen=True)
class NetworkComparison:
    """Two aligned atlases, the page that compares them, and how well they are aligned.

    `name` is the page's; `own` and `other` are the regions of the first and of the second network, each with how much
    the other has of it.
    """

    atlases: tuple[AtlasRecord, ...]
    alignment: AlignmentCheck
    page: PageRecord
    name: str
    own: tuple[Region, ...]
    other: tuple[Region, ...]


def compare_networks(
    network: Network,
    study: Study,
    layer: str,
    other_network: Network,
    other_study: Study,
    other_layer: str,
    *,
    config: AtlasConfig | None = None,
    grid: int = 10,
    most: int = _MOST,
    progress: bool = False,
) -> NetworkComparison:
    """Lay out two harvests of the same places together, draw both, and measure which regions only one network has.

    The study gets two atlases, `LAYER@with-NETWORK` of its own network and `LAYER@NETWORK` of the other one, and the
    page `networks/LAYER@NETWORK`. Regions are the cells of a grid of `grid` x `grid` on either map; `pellucid.atlas.
    regions` says how they are compared, on at most `most` activations.

    Raises what `align` raises, and `AtlasError` if no cell of a map holds enough activations.
    """
    config = config or AtlasConfig()
    called = _folder_name(other_network.name)
    if other_network.digest == network.digest and other_layer == layer:
        raise AtlasError(f"{network.name} is compared with itself: give the study of another network or checkpoint")
    names = f"{layer}@with-{called}", f"{other_layer}@{called}"
    slices = (
        Slice(network, study, layer, names[0]),
        Slice(other_network, other_study, other_layer, names[1]),
    )
    records, alignment = align(slices, name=names[1], config=config, progress=progress)
    maps = [tables.read_layout(study.path / "atlas" / name / "layout.parquet") for name in names]
    grids = [make_grid(points, grid, config.min_count) for points in maps]
    measured = _Measured.of(slices, most, config.seed, progress)
    sides = [measured.side(grids[0], 0), measured.side(grids[1], 1)]
    content = {
        "atlas": names[0],
        "other": names[1],
        "grid": grid,
        "cells": _cells(maps, grids, measured, grid),
        "only_own": _lost(grids[0], sides[0]),
        "only_other": _lost(grids[1], sides[1]),
        "measures": measured.measures(grids, sides, alignment),
        "matches": matches(*grids),
        "regions": {side: _said(grids[i], sides[i]) for i, side in enumerate(("own", "other"))},
    }
    said = {"layouts": [record.config for record in records], "grid": grid, "most": most}
    title = f"{network.name} {layer} and {other_network.name} {other_layer}"
    page = PageRecord("networks", title, (), content, {"digest": digest(said), "grid": grid, "most": most})
    name = page_name(names[1])
    page.write(page_folder(study, "networks", name))
    return NetworkComparison(records, alignment, page, name, tuple(sides[0]), tuple(sides[1]))


@dataclass(frozen=True)
class _Measured:
    """Neighbours of a choice of rows in both networks."""

    rows: NDArray[np.int64]
    images: NDArray
    seen: tuple[Seen, Seen]
    overlap: NDArray[np.float64]
    cka: float

    @classmethod
    def of(cls, slices: tuple[Slice, Slice], most: int, seed: int, progress: bool) -> "_Measured":
        total = len(slices[0].samples)
        rows = np.sort(np.random.default_rng(seed).choice(total, size=min(most, total), replace=False))
        images = slices[0].samples.image[rows]
        if len(np.unique(images)) < 2 or len(rows) - np.bincount(images).max() < NEIGHBOURS:
            raise AtlasError(
                f"{len(rows)} activations of {len(np.unique(images))} photographs are too few to compare neighbours"
            )
        chosen = [np.asarray(slice.samples.activation[rows]) for slice in slices]
        with progress_bar("comparing neighbours", 6, shown=progress) as advance:
            first, second = (Seen.of(values, images, seed=seed, advance=advance) for values in chosen)
        shared = overlap(first.whole, second.whole)
        return cls(rows, images, (first, second), shared, linear_cka(*chosen))

    def side(self, grid: Grid, which: int) -> list[Region]:
        return missing(grid.cell[self.rows], self.images, self.seen[which], self.seen[1 - which].whole)

    def measures(self, grids: list[Grid], sides: list[list[Region]], alignment: AlignmentCheck) -> dict[str, Any]:
        own, other = self.seen
        pair = alignment.pairs[0]
        return {
            "activations": len(self.rows),
            "photographs": len(np.unique(self.images)),
            "neighbours": NEIGHBOURS,
            "overlap": float(self.overlap.mean()),
            "overlap_halves_own": float(overlap(*own.halves).mean()),
            "overlap_halves_other": float(overlap(*other.halves).mean()),
            "overlap_chance": NEIGHBOURS / max(1, len(self.rows) - 1),
            "cka": self.cka,
            "regions_own": len(sides[0]),
            "regions_other": len(sides[1]),
            "only_own": sum(region.lost for region in sides[0]),
            "only_other": sum(region.lost for region in sides[1]),
            "only_own_by_chance": _number(falsely_missing(grids[0].cell[self.rows], self.images, own)),
            "only_other_by_chance": _number(falsely_missing(grids[1].cell[self.rows], self.images, other)),
            **asdict(pair),
            "trust_own": alignment.trust[0],
            "trust_other": alignment.trust[1],
        }


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return value if np.isfinite(value) else None


def _place(grid: Grid, cell: int) -> list[int]:
    return [int(grid.row[cell]), int(grid.column[cell])]


def _lost(grid: Grid, side: list[Region]) -> list[list[int]]:
    """The places of the regions that the other network does not have, the largest first."""
    lost = sorted((region for region in side if region.lost), key=lambda region: -region.count)
    return [_place(grid, region.cell) for region in lost]


def _said(grid: Grid, side: list[Region]) -> list[list[Any]]:
    """Each region: row, column, activations, photographs, share beyond chance in own, halves and other, p, q."""
    return [
        [*_place(grid, each.cell), each.count, each.photographs, each.own, each.halves, each.other,
         _number(each.p), _number(each.q)]
        for each in side
    ]  # fmt: skip


def _cells(maps: list[Points], grids: list[Grid], measured: _Measured, size: int) -> list[list[Any]]:
    """All cells that either map has: row, column, both counts, and the mean overlap of neighbours there."""
    counts = [np.bincount(flat_places(points, size), minlength=size * size) for points in maps]
    kept = sorted({row * size + column for grid in grids for row, column in zip(grid.row, grid.column, strict=True)})
    total, number = np.zeros(size * size), np.zeros(size * size)
    for points in maps:
        place = flat_places(points[measured.rows], size)
        np.add.at(total, place, measured.overlap)
        np.add.at(number, place, 1)
    return [
        [int(flat) // size, int(flat) % size, int(counts[0][flat]), int(counts[1][flat]),
         float(total[flat] / number[flat]) if number[flat] else None]
        for flat in kept
    ]  # fmt: skip


def matches(first: Grid, second: Grid) -> list[list[Any]]:
    """The pairs of cells of two maps of the same rows that hold each other's activations best: row, column, row,
    column, score.

    The score is the number of rows in both over the geometric mean of both numbers; a pair is one where each cell is
    the best for the other.
    """
    shared = np.zeros((len(first), len(second)))
    both = (first.cell >= 0) & (second.cell >= 0)
    np.add.at(shared, (first.cell[both], second.cell[both]), 1)
    score = shared / np.sqrt(np.outer(first.count, second.count))
    best, back = score.argmax(axis=1), score.argmax(axis=0)
    pairs = [(cell, int(best[cell])) for cell in range(len(first)) if back[best[cell]] == cell]
    found = [[*_place(first, a), *_place(second, b), float(score[a, b])] for a, b in pairs if score[a, b] > 0]
    return sorted(found, key=lambda match: -match[4])


def _folder_name(name: str) -> str:
    """A name without what a folder's name may not hold."""
    return name.replace("/", "-").replace("\\", "-").replace(":", "-")
