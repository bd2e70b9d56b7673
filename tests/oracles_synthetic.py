"""Heatmaps a second time: one stimulus at a time, drawn by counting samples, through the plain module."""

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

SAMPLES = 12  # of a pixel along each axis


def circle(orientation: float, radius: float, size: int, *, fill: bool = False) -> Tensor:
    """A black circle (1, 3, size, size), 2 px wide or filled, through the middle pixel, its centre that way from it."""
    x = size // 2 + radius * math.cos(math.radians(orientation))
    y = size // 2 + radius * math.sin(math.radians(orientation))
    right, down = places(size)
    outside = np.hypot(right - x, down - y) - radius
    return ink(outside < 0 if fill else np.abs(outside) < 1, size)


def corner(orientation: float, opening: float, size: int) -> Tensor:
    """A black angle (1, 3, size, size), 2 px wide, with its corner in the middle pixel and open that way."""
    right, down = places(size)
    nearest = np.full(np.broadcast(right, down).shape, np.inf)
    for side in (-opening / 2, opening / 2):
        way = math.radians(orientation + side)
        x, y = right - size // 2, down - size // 2
        along = np.maximum(x * math.cos(way) + y * math.sin(way), 0)
        nearest = np.minimum(nearest, np.hypot(x - along * math.cos(way), y - along * math.sin(way)))
    return ink(nearest < 1, size)


def places(size: int) -> tuple[np.ndarray, np.ndarray]:
    """How far samples lie to the right and down, where whole numbers are the middles of pixels."""
    along = (np.arange(size * SAMPLES) + 0.5) / SAMPLES - 0.5
    return along[None, :], along[:, None]


def ink(black: np.ndarray, size: int) -> Tensor:
    """White pixels with the share of their samples that is black."""
    shares = black.reshape(size, SAMPLES, size, SAMPLES).mean(axis=(1, 3))
    return torch.from_numpy(1 - shares)[None, None].expand(1, 3, -1, -1).contiguous()


def answer(module: nn.Module, layer: str, picture: Tensor) -> np.ndarray:
    """What the units (C,) in the middle of a map of a plain sequence of layers answer to one picture, in float64."""
    x = picture.double()
    with torch.no_grad():
        for name, child in copy.deepcopy(module).double().named_children():
            x = child(x)
            if name == layer:
                return x[0, :, x.shape[2] // 2, x.shape[3] // 2].numpy()
    raise KeyError(layer)


def sigma(activation: float, mean: float, deviation: float) -> float:
    """One value of a heatmap."""
    return (max(activation, 0.0) - mean) / deviation


def radial(heatmap: Sequence[Sequence[float]], orientations: Sequence[float]) -> dict[float, float]:
    """The mean over the rows of what is above 0, by outward normal."""
    found = {}
    for column, orientation in enumerate(orientations):
        found[(orientation + 180) % 360] = math.fsum(max(row[column], 0.0) for row in heatmap) / len(heatmap)
    return found


def wisps(heatmap: Sequence[Sequence[float]]) -> float:
    """How far one goes up and down on the way round all rows, over twice the height of each."""
    walked, hills = 0.0, 0.0
    for row in heatmap:
        above = [max(value, 0.0) for value in row]
        for here, there in zip(above, above[1:] + above[:1], strict=True):
            walked += abs(there - here)
        hills += 2 * (max(above) - min(above))
    return walked / hills


def steepest(heatmap: Sequence[Sequence[float]], step: float) -> float:
    """The greatest change for a degree between neighbours in a row."""
    return max(
        abs(max(row[column], 0.0) - max(row[column - 1], 0.0)) / step for row in heatmap for column in range(len(row))
    )
