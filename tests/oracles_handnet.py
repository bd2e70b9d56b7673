"""The network made by hand a second time: strokes drawn as distance fields, weights one by one, circular statistics."""

import math

import numpy as np
import torch
from torch import Tensor

RADII = (26, 52, 77, 103)  # pixels
RING = torch.arange(0, 360, 3)  # normals of arcs in degrees
HALF_RING = torch.arange(0, 180, 5)  # normals of lines
FORMS = {  # how the strokes of each layer hear lines
    "conv2": {"width": 0.75, "tuning": 16, "oblique": 0.4, "lobe": 40},
    "conv3": {"width": 0.75, "tuning": 16, "oblique": 0.6, "lobe": 45},
    "conv4": {"width": 0.9, "tuning": 10, "oblique": 0.75, "lobe": 32},
}


def arcs(normals: Tensor, radius: float, *, size: int = 128, filled: bool = False, inverse: bool = False) -> Tensor:
    """Black circles (N, 3, size, size) on white through the middle pixel, where their outward normals are given."""
    x, y = _pixels(size)
    turn = torch.deg2rad(normals.double())[:, None, None]
    outside = torch.hypot(x + radius * turn.cos(), y + radius * turn.sin()) - radius
    return _drawn(-outside if filled else 1 - outside.abs(), inverse)


def lines(normals: Tensor, *, size: int = 128) -> Tensor:
    """Black lines (N, 3, size, size) on white through the middle pixel, 2 pixels wide."""
    x, y = _pixels(size)
    turn = torch.deg2rad(normals.double())[:, None, None]
    return _drawn(1 - (x * turn.cos() + y * turn.sin()).abs(), inverse=False)


def middle(maps: Tensor) -> Tensor:
    """The units (N, C) that look at the middle pixel."""
    return maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]


def circular_means(curves: Tensor) -> np.ndarray:
    """The preferred orientations in degrees of tuning curves (orientations, units) over a whole turn."""
    return np.rad2deg(np.angle(_resultants(curves))) % 360


def lengths(curves: Tensor) -> np.ndarray:
    """The resultant lengths R = |Σ a·exp(iθ)| / Σ a."""
    return np.abs(_resultants(curves))


def echoes(curves: Tensor) -> np.ndarray:
    """The largest response within 45 degrees of the opposite of the best orientation, divided by the best response."""
    values = curves.double().numpy()
    count = len(values)
    found = []
    for column in values.T:
        opposite = column.argmax() + count // 2
        near = [column[(opposite + step) % count] for step in range(-count // 8, count // 8 + 1)]
        found.append(max(near) / column.max())
    return np.array(found)


def off(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """By how many degrees angles differ."""
    return np.abs((found - expected + 180) % 360 - 180)


def weight_of_a_curve(normal: float, heard: float, column: int, row: int, size: int) -> float:
    """How the curve of a normal weighs the early curve of another in one cell of its window, before scaling."""
    distance, along = _arc(normal, column - size // 2, row - size // 2, radius=7)
    turned = (heard - along + 180) % 360 - 180
    on = math.exp(-((abs(distance) / 0.9) ** 2.4))
    opposed = 180 - abs(turned)
    excited = math.exp(-(turned**2) / (2 * 26**2)) * (1.1 * on - 0.1)
    return excited - 1.25 * math.exp(-(opposed**2) / (2 * 22**2)) * on


def weight_of_a_line(
    normal: float, heard: float, column: int, row: int, size: int, *, radius: float | None, form: dict[str, float]
) -> float:
    """How a stroke weighs a line in one cell of its window, before scaling; a straight stroke has no radius."""
    x, y = column - size // 2, row - size // 2
    across = x * math.cos(math.radians(normal)) + y * math.sin(math.radians(normal))
    distance, along = (across, normal) if radius is None else _arc(normal, x, y, radius)
    turned = abs((heard - along + 90) % 180 - 90)
    on = math.exp(-((abs(distance) / form["width"]) ** 2.4))
    excited = math.exp(-(turned**2) / (2 * form["tuning"] ** 2)) * (1.1 * on - 0.1)
    return excited - form["oblique"] * math.exp(-((turned - form["lobe"]) ** 2) / (2 * 13**2)) * on


def gabor(normal: float, phase: float) -> np.ndarray:
    """One filter of `conv0`, (7, 7)."""
    envelope, filters = np.zeros((7, 7)), np.zeros((7, 7))
    for row in range(7):
        for column in range(7):
            x, y = column - 3, row - 3
            across = x * math.cos(math.radians(normal)) + y * math.sin(math.radians(normal))
            envelope[row, column] = math.exp(-(x * x + y * y) / (2 * 2.4**2))
            filters[row, column] = envelope[row, column] * math.cos(2 * math.pi * across / 3.5 + math.radians(phase))
    filters -= envelope * filters.sum() / envelope.sum()
    return filters / np.abs(filters).sum()


def _arc(normal: float, x: float, y: float, radius: float) -> tuple[float, float]:
    from_x, from_y = x + radius * math.cos(math.radians(normal)), y + radius * math.sin(math.radians(normal))
    return math.hypot(from_x, from_y) - radius, math.degrees(math.atan2(from_y, from_x))


def _resultants(curves: Tensor) -> np.ndarray:
    values = curves.double().numpy()
    turn = np.exp(2j * np.pi * np.arange(len(values)) / len(values))
    return (values * turn[:, None]).sum(axis=0) / values.sum(axis=0)


def _pixels(size: int) -> tuple[Tensor, Tensor]:
    along = torch.arange(size, dtype=torch.float64) - size // 2
    y, x = torch.meshgrid(along, along, indexing="ij")
    return x, y


def _drawn(inside: Tensor, inverse: bool) -> Tensor:
    ink = (inside + 0.5).clamp(0, 1)[:, None].expand(-1, 3, -1, -1).float()
    return ink if inverse else 1 - ink
