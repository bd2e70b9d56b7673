"""Painting with concepts: a canvas of activations, dipped from the cells of an atlas, becomes a picture.

What the article asks for (Carter et al. 2019, "Conclusion"): a brush is dipped into cells, positions of a layer's map
are painted with it, and the picture is optimized whose activations there point where the paint points.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.atlas.palette import Cell, Palette
from pellucid.errors import AtlasError
from pellucid.networks import Layer, Network
from pellucid.visualize import Callback, Jitter, Rendering, render, spatial_direction

Stroke = tuple[int, int, Sequence[Cell]]
"""A place of the canvas, row and column, and the cells that are mixed there."""


@dataclass(frozen=True)
class PaintConfig:
    """How a painting becomes a picture.

    `steps` of optimization, the dot product at each painted position times the cosine there to `power`; `contrast` is
    how much of what all cells have in common is taken out of the paint, 0 for nothing; `size` is the picture's shorter
    side in pixels, by default the network's own; `seed` that of its start.
    """

    steps: int = 128
    power: float = 4.0
    contrast: float = 0.6
    size: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Painting:
    """A picture and what the network makes of it.

    `image` (C, H, W) in [0, 1]; `top` the likeliest classes with their probabilities. `cosine` (h, w) is that between
    the picture's activation and the paint, NaN where nothing is painted. Of the painted positions `own_first` is the
    share whose activation is nearer to the cell that is painted there than to any other cell of its level, `own_near`
    the share with that cell among the nearest five; both count positions of one single cell, and are NaN if none is.
    """

    image: Tensor
    top: tuple[tuple[str, float], ...]
    cosine: Tensor
    own_first: float
    own_near: float


def canvas_size(network: Network, palette: Palette) -> tuple[int, int]:
    """Rows and columns of the canvas: the map of the atlas's layer at the network's own size.

    Raises `AtlasError` for an atlas of another network, `LayerError` if the network has no such layer.
    """
    record = palette.record
    if record.network != network.name or record.kind == "network":
        raise AtlasError(f"the atlas {palette.folder.name} is of {record.network}, not of {network.name}")
    size = network.spatial_layer(record.layer).size
    assert size is not None
    return size


def target_of(palette: Palette, strokes: Iterable[Stroke], size: tuple[int, int]) -> Tensor:
    """What is painted on a canvas of `size` (rows, columns): vectors of length one, 0 where nothing is, (C, h, w).

    Raises `AtlasError` for a place outside of the canvas or painted twice, and if nothing is painted.
    """
    rows, columns = size
    target: Tensor | None = None
    painted: set[tuple[int, int]] = set()
    mixed: dict[tuple[Cell, ...], Tensor] = {}  # a brush paints many places
    for row, column, cells in strokes:
        if not (0 <= row < rows and 0 <= column < columns):
            raise AtlasError(f"place {row},{column} lies outside of the canvas of {rows} x {columns}")
        if (row, column) in painted:
            raise AtlasError(f"place {row},{column} of the canvas is painted twice")
        painted.add((row, column))
        brush = tuple(cells)
        if brush not in mixed:
            mixed[brush] = F.normalize(torch.from_numpy(palette.mix(brush)).double(), dim=0).float()
        if target is None:
            target = torch.zeros(len(mixed[brush]), rows, columns)
        target[:, row, column] = mixed[brush]
    if target is None:
        raise AtlasError("nothing is painted; give at least one stroke")
    return target


def picture_size(network: Network, layer: Layer, size: int | None) -> tuple[int, int]:
    """Height and width of a picture whose shorter side is `size`, in the form of the network's input.

    Raises `AtlasError` for another size than the network's own where a layer's positions are those of tokens.
    """
    height, width = network.size
    if size is None or size == min(height, width):
        return height, width
    if size < 1:
        raise AtlasError(f"a picture of {size} pixels cannot be painted")
    if layer.sequence:
        raise AtlasError(f"{layer.name} has tokens for pictures of {height}x{width} pixels only; paint at that size")
    return max(1, round(height * size / min(height, width))), max(1, round(width * size / min(height, width)))


def contrasted(target: Tensor, mean: Tensor, contrast: float) -> Tensor:
    """A target (C, h, w) of unit vectors, from each of which `contrast` times the unit mean (C,) is taken: unit again.

    After a rectifier all cells point much the same way, so that a picture may please any paint without being told
    apart from its neighbours; what is left is what the paint has beyond them.
    """
    common = contrast * F.normalize(mean, dim=0)[:, None, None]
    return torch.where(target.norm(dim=0) > 0, F.normalize(target - common, dim=0), target)


def laid_on(target: Tensor, size: tuple[int, int]) -> Tensor:
    """A target (C, h, w) for a map of another `size`: each position gets the mean of what it covers of the canvas."""
    if tuple(target.shape[1:]) == size:
        return target
    return F.interpolate(target[None], size, mode="area")[0]


def paint(
    network: Network,
    palette: Palette,
    strokes: Iterable[Stroke],
    *,
    config: PaintConfig | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
) -> Painting:
    """Optimize the picture that the network sees a painting in.

    At every painted position of the layer's map the dot product of activation h and paint t, times max(0.1, cos(h,
    t))^power, mean over positions; positions without paint are free. t is the mixture of the cells' mean activations,
    of length one, less `contrast` times the mean of all (`contrasted`). Raises `AtlasError` for strokes that cannot be
    painted and for another network's atlas.
    """
    config = config or PaintConfig()
    strokes = list(strokes)
    target = target_of(palette, strokes, canvas_size(network, palette))
    layer = network.spatial_layer(palette.record.layer)
    size = picture_size(network, layer, config.size)
    aim = contrasted(target, torch.from_numpy(palette.mean), config.contrast)
    rendering = _render(network, layer, aim, size, config, callbacks, progress)
    image = rendering.images[0]
    return Painting(image, top_classes(network, image), *agreement(network, palette, strokes, target, image))


def _render(
    network: Network,
    layer: Layer,
    target: Tensor,
    size: tuple[int, int],
    config: PaintConfig,
    callbacks: Sequence[Callback],
    progress: bool,
) -> Rendering:
    maps = _maps(network, layer, network.blank(1, size))
    there = laid_on(target, (maps.shape[2], maps.shape[3]))
    stride = min(size[0] // maps.shape[2], size[1] // maps.shape[3])
    return render(
        network,
        spatial_direction(layer.name, there, power=config.power),
        steps=config.steps,
        size=size,
        seed=config.seed,
        # A turn or a larger shift would lay a position's paint on its neighbours.
        transforms=[Jitter(max(1, stride // part)) for part in (4, 4, 8)],
        callbacks=callbacks,
        progress=progress,
    )


def agreement(
    network: Network, palette: Palette, strokes: Sequence[Stroke], target: Tensor, image: Tensor
) -> tuple[Tensor, float, float]:
    """How far a picture's activations are what was painted: see `Painting`."""
    layer = network.spatial_layer(palette.record.layer)
    seen = _maps(network, layer, image[None].to(network.device, network.dtype))[0].float().cpu()
    seen = laid_on(seen, (target.shape[1], target.shape[2]))
    cosine = F.cosine_similarity(seen, target, dim=0)
    cosine[target.norm(dim=0) == 0] = torch.nan
    ranks = []
    for row, column, cells in strokes:
        if len(cells) == 1 and cells[0][3] > 0:
            grid, cell_row, cell_column, _ = cells[0]
            means = F.normalize(torch.from_numpy(palette.level(grid).mean).double(), dim=1)
            cosines = means @ F.normalize(seen[:, row, column].double(), dim=0)
            ranks.append(int((cosines > cosines[palette.index(grid, cell_row, cell_column)]).sum()))
    if not ranks:
        return cosine, float("nan"), float("nan")
    return cosine, float(np.mean([rank == 0 for rank in ranks])), float(np.mean([rank < 5 for rank in ranks]))


def top_classes(network: Network, image: Tensor, count: int = 5) -> tuple[tuple[str, float], ...]:
    """The likeliest classes of a picture (C, H, W), shown at the network's size, with their softmax probabilities."""
    shown = image[None].to(network.device, network.dtype)
    if tuple(shown.shape[2:]) != tuple(network.size):
        shown = F.interpolate(shown, network.size, mode="bilinear", antialias=True, align_corners=False)
    with torch.no_grad():
        probabilities = network(shown).float().flatten(1).softmax(dim=1)[0].cpu()
    values, classes = probabilities.topk(min(count, len(probabilities)))
    names = network.labels
    return tuple(
        (names[index] if names else str(index), value)
        for index, value in zip(classes.tolist(), values.tolist(), strict=True)
    )


def _maps(network: Network, layer: Layer, images: Tensor) -> Tensor:
    with torch.no_grad():
        return layer.maps(network.activations(images, [layer.name])[layer.name])
