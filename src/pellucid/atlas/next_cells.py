"""Where the activations of a cell are found again in the atlas of the next layer."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.store import layer_folder
from pellucid.atlas import tables
from pellucid.atlas.gathered import sampled_places
from pellucid.atlas.grid import cells_at
from pellucid.errors import StudyError
from pellucid.networks import Network
from pellucid.study import AtlasRecord, LevelRecord, Study, write_json
from pellucid.study.files import read_json
from pellucid.study.records import NextCells

_SHOWN = 4
_FEWEST = 2  # pairs of activations that make a link


@dataclass(frozen=True)
class _Places:
    """Of an atlas's activations the views (N, 5), the places there from 0 to 1 (N, 2), the points on the map (N, 2)."""

    views: NDArray[np.int64]
    where: NDArray[np.float64]
    points: NDArray[np.float32]


def link_next(network: Network, study: Study, layer: str) -> None:
    """Write to the cards of a layer's atlas where its cells go on in the atlas of the next layer; the same before it.

    Two activations belong together if they come from the same view of the same photograph and lie in the same unit of
    the coarser of the two maps. How often that happens between two cells, over how often it would if the cells had
    nothing to do with each other, is their lift. Cells with less than two such pairs are not linked. Atlases whose
    harvest has been removed are passed over. Raises `StudyError` for one that is of another harvest.
    """
    order = [other.name for other in network.layers() if _is_whole(study, other.name)]
    if layer not in order:
        return
    at = order.index(layer)
    for before, after in zip(order[max(at - 1, 0) : at + 1], order[max(at - 1, 0) + 1 : at + 2], strict=False):
        _link(network, study, before, after)


def _is_whole(study: Study, layer: str) -> bool:
    atlas, harvest = study.path / "atlas" / layer / "atlas.json", layer_folder(study, layer) / "harvest.json"
    return atlas.is_file() and harvest.is_file()


def _link(network: Network, study: Study, before: str, after: str) -> None:
    folders = study.path / "atlas" / before, study.path / "atlas" / after
    records = AtlasRecord.read(folders[0]), AtlasRecord.read(folders[1])
    if any(record.kind != "layer" for record in records):
        return
    here, there = _places(network, study, before, folders[0]), _places(network, study, after, folders[1])
    first, second = paired(here.views, there.views, here.where, there.where, _coarser(network, before, after))
    for level in records[0].levels:
        target = min(records[1].levels, key=lambda other: (abs(other.grid - level.grid), other.grid))
        cells = cells_of(folders[0], level, here.points[first]), cells_of(folders[1], target, there.points[second])
        _write(folders[0], level, _links(cells, folders[1], target))


def _places(network: Network, study: Study, layer: str, folder: Path) -> _Places:
    found = network.spatial_layer(layer)
    assert found.size is not None
    samples = sampled_places(study, layer)
    views = np.concatenate([samples.image[:, None], samples.box], axis=1)
    where = (samples.place + 0.5) / np.array(found.size)
    chosen = tables.read_chosen(folder / "layout.parquet")
    if len(chosen) and chosen.max() >= len(views):
        raise StudyError(
            f"the atlas in {folder} places {len(chosen)} activations, and the harvest of {layer!r} has {len(views)}; "
            "build that atlas again"
        )
    return _Places(views[chosen].astype(np.int64), where[chosen], tables.read_layout(folder / "layout.parquet"))


def _coarser(network: Network, *layers: str) -> tuple[int, int]:
    sizes = [network.spatial_layer(layer).size or (1, 1) for layer in layers]
    return min(height for height, _ in sizes), min(width for _, width in sizes)


def paired(
    first_views: NDArray[np.int64],
    second_views: NDArray[np.int64],
    first_where: NDArray[np.float64],
    second_where: NDArray[np.float64],
    units: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of rows whose views (N, 5) are the same and whose places (N, 2), from 0 to 1, lie in the same unit.

    `units` are how many there are down and across. Gives the rows of the first and of the second, both (P,).
    """
    keys = [
        np.concatenate([views, np.floor(where * np.array(units)).astype(np.int64)], axis=1)
        for views, where in ((first_views, first_where), (second_views, second_where))
    ]
    _, number = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
    first, second = number[: len(first_views)], number[len(first_views) :]
    order = np.argsort(second, kind="stable")
    low, high = (np.searchsorted(second[order], first, side=side) for side in ("left", "right"))
    count = high - low
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(first)), count), order[np.repeat(low, count) + within]


def cells_of(folder: Path, level: LevelRecord, points: NDArray[np.float32]) -> NDArray[np.int64]:
    """The cell of a level that each point (P, 2) lies in, -1 for none that is drawn: (P,)."""
    table = tables.read_cells(folder / f"cells-{level.grid}.parquet")
    return cells_at(points, level.grid, table.row, table.column)


def _links(
    cells: tuple[NDArray[np.int64], NDArray[np.int64]], folder: Path, target: LevelRecord
) -> dict[int, NextCells]:
    table = tables.read_cells(folder / f"cells-{target.grid}.parquet")
    return {
        cell: NextCells(
            folder.name,
            target.grid,
            tuple((int(table.row[other]), int(table.column[other]), round(lift, 2)) for other, lift in found),
        )
        for cell, found in lifts(*cells).items()
    }


def lifts(first: NDArray[np.int64], second: NDArray[np.int64]) -> dict[int, list[tuple[int, float]]]:
    """Of each cell the four others that go with it most clearly, with their lift: P(both) / (P(first)·P(second)).

    `first` and `second` (P,) are the cells of pairs; pairs with a -1 are left out. Clearest is what has the largest
    count times the logarithm of the lift, as in a test of likelihood ratios; only lifts above 1 are there.
    """
    inside = (first >= 0) & (second >= 0)
    pairs, count = np.unique(np.stack([first[inside], second[inside]], axis=1), axis=0, return_counts=True)
    if len(pairs) == 0:
        return {}
    totals = [np.bincount(cells[inside]) for cells in (first, second)]
    lift = count * inside.sum() / (totals[0][pairs[:, 0]] * totals[1][pairs[:, 1]])
    kept = np.flatnonzero((count >= _FEWEST) & (lift > 1))
    clearest = kept[np.lexsort((-(count * np.log(lift))[kept], pairs[kept, 0]))]
    found: dict[int, list[tuple[int, float]]] = {}
    for at in clearest:
        others = found.setdefault(int(pairs[at, 0]), [])
        if len(others) < _SHOWN:
            others.append((int(pairs[at, 1]), float(lift[at])))
    return found


def _write(folder: Path, level: LevelRecord, links: dict[int, NextCells]) -> None:
    """Put the links into the cards, and leave files alone that say them already."""
    if level.cards is None:
        return
    for number, name in enumerate(level.cards.files()):
        content = read_json(folder / name)
        at = number * level.cards.per_file
        said = [[asdict(links[cell])] if cell in links else [] for cell in range(at, at + len(content["cards"]))]
        said = json.loads(json.dumps(said))  # tuples as the file gives them back
        if [card["next"] for card in content["cards"]] != said:
            for card, links_of in zip(content["cards"], said, strict=True):
                card["next"] = links_of
            write_json(folder / name, content)
