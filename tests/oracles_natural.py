"""Turned photographs a second time: pixel by pixel, and sums written out."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Picture = NDArray[np.float64]


def turned(
    photograph: Picture,
    centre: tuple[float, float],
    scale: tuple[float, float],
    angle: float,
    size: tuple[int, int],
    out_centre: tuple[float, float],
    samples: tuple[int, int] = (1, 1),
) -> Picture:
    """One picture (C, H, W) of a photograph (C, H, W), read bilinearly, mirrored at its edges.

    With samples to a pixel they are averaged under a triangle as wide as two pixels.
    """
    height, width = size[0] * samples[0], size[1] * samples[1]
    fine = np.empty((len(photograph), height, width))
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    for row, column in np.ndindex(height, width):
        down = (row + 0.5) / samples[0] - 0.5 - out_centre[0]
        right = (column + 0.5) / samples[1] - 0.5 - out_centre[1]
        # What stands here was turned clockwise: (right, down) = turn(x, y), so that (x, y) is turned back.
        x, y = right * cosine + down * sine, down * cosine - right * sine
        at = [[centre[0] + y * scale[0]], [centre[1] + x * scale[1]]]
        fine[:, row, column] = [map_coordinates(channel, at, order=1, mode="grid-mirror")[0] for channel in photograph]
    return np.einsum("oi,cij,pj->cop", triangles(size[0], samples[0]), fine, triangles(size[1], samples[1]))


def triangles(length: int, samples: int) -> Picture:
    """The weights (length, length · samples) of samples in pixels."""
    if samples == 1:
        return np.eye(length)
    weights = np.zeros((length, length * samples))
    for pixel, sample in np.ndindex(weights.shape):
        weights[pixel, sample] = max(0.0, 1 - abs((sample + 0.5) / samples - 0.5 - pixel))
    return weights / weights.sum(axis=1, keepdims=True)


def agreement_at(
    direction: float,
    answers: Mapping[int, Callable[[float], float]],
    drawn: Mapping[int, Callable[[float], float]],
    weights: Mapping[int, float],
    turns: Sequence[float],
) -> float:
    """The sum over units and turns of what they answer to a photograph that is turned, and to the curve that it is."""
    total = 0.0
    for unit, weight in weights.items():
        seen = [answers[unit](turn) for turn in turns]
        known = [drawn[unit](direction + turn) for turn in turns]
        mean_seen, mean_known = sum(seen) / len(seen), sum(known) / len(known)
        total += weight * sum((a - mean_seen) * (b - mean_known) for a, b in zip(seen, known, strict=True))
    return total


def off(one: float, other: float) -> float:
    """How far two directions are apart, 0 to 180 degrees."""
    return abs((one - other + 180) % 360 - 180)
