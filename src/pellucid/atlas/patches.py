"""Pieces of real photographs that stand for a cell."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.activations import Box, Samples
from pellucid.activations.sources import Source
from pellucid.atlas.grid import Grid
from pellucid.networks import Layer, Network


def choose_patches(grid: Grid, cosines: NDArray[np.float32], samples: Samples, per_cell: int) -> list[list[int]]:
    """For each cell its samples nearest to the mean, each from another photograph where there are enough.

    `cosines` (N,) are those of the samples with the means of their cells.
    """
    order = np.lexsort((-cosines, grid.cell))  # by cell, the nearest first, and the first of equals first
    bounds = np.searchsorted(grid.cell[order], np.arange(len(grid) + 1))
    chosen = []
    for cell in range(len(grid)):
        ranked = order[bounds[cell] : bounds[cell + 1]]
        _, firsts = np.unique(samples.image[ranked], return_index=True)
        distinct = ranked[np.sort(firsts)]
        rest = np.setdiff1d(ranked, distinct, assume_unique=True) if len(distinct) < per_cell else distinct[:0]
        chosen.append([int(sample) for sample in [*distinct[:per_cell], *rest][:per_cell]])
    return chosen


def patch_box(network: Network, layer: Layer, box: NDArray, place: NDArray, pixels: int) -> Box:
    """The square of a photograph around one position: as much of the view as `pixels` of the network's input."""
    assert layer.size is not None
    left, top, right, bottom = (int(edge) for edge in box)
    height, width = network.size
    x = left + (int(place[1]) + 0.5) / layer.size[1] * (right - left)
    y = top + (int(place[0]) + 0.5) / layer.size[0] * (bottom - top)
    side = pixels / min(height, width) * (right - left)
    return Box(round(x - side / 2), round(y - side / 2), round(x + side / 2), round(y + side / 2))


def cut_patches(
    network: Network,
    layer: Layer,
    samples: Samples,
    chosen: list[list[int]],
    source: Source,
    size: int,
    window: int,
) -> dict[int, NDArray[np.uint8]]:
    """Cut the chosen samples' patches at `size` pixels: sample -> (size, size, 3). Each photograph is opened once.

    A patch shows as much as `window` pixels of the network's input, moved inside the photograph where it would leave
    it.
    """
    by_image: dict[int, list[int]] = {}
    for sample in sorted({sample for cell in chosen for sample in cell}):
        by_image.setdefault(int(samples.image[sample]), []).append(sample)
    cut = {}
    for number, members in sorted(by_image.items()):
        image = source.open(number)
        for sample in members:
            box = _inside(patch_box(network, layer, samples.box[sample], samples.place[sample], window), image.size)
            cut[sample] = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=box))
    return cut


def _inside(box: Box, size: tuple[int, int]) -> Box:
    side = min(max(1, box.right - box.left), *size)
    left = min(max(0, box.left), size[0] - side)
    top = min(max(0, box.top), size[1] - side)
    return Box(left, top, left + side, top + side)
