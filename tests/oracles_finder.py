"""Slow twins of the finder's measurements, one unit and one stimulus at a time."""

import math

import numpy as np
import torch
from torch import Tensor


def scale_of(maps: list[Tensor]) -> tuple[list[float], list[float], list[float]]:
    """Mean and deviation of max(x, 0), and the share above 0, of each unit of activations (U, P), one by image."""
    means, deviations, fires = [], [], []
    for unit in range(maps[0].shape[0]):
        values = [max(float(value), 0.0) for one in maps for value in one[unit].double()]
        mean = sum(values) / len(values)
        means.append(mean)
        deviations.append(math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)))
        fires.append(sum(value > 0 for value in values) / len(values))
    return means, deviations, fires


def best_images(maps: list[Tensor], unit: int, count: int) -> list[tuple[int, int, float]]:
    """The images with the highest activation of a unit: number, position, value; the first of equal ones first."""
    rows = []
    for number, one in enumerate(maps):
        place = int(one[unit].argmax())
        rows.append((number, place, float(one[unit, place])))
    return sorted(rows, key=lambda row: (-row[2], row[0]))[:count]


def tuning(
    answers: dict[tuple[float, float], float], orientations: list[float], radii: list[float]
) -> dict[float, float]:
    """Response by outward normal: the mean over radii of what is above 0, of answers by (radius, orientation)."""
    return {
        (orientation + 180) % 360: float(np.mean([max(answers[radius, orientation], 0.0) for radius in radii]))
        for orientation in orientations
    }


def spread(gradient: Tensor) -> float:
    """Twice the root of the second moment of root mean square gradients (N, C, H, W), about their middle, and 1."""
    strength = torch.sqrt((gradient.double() ** 2).mean(dim=(0, 1)))
    rows, columns = np.mgrid[: strength.shape[0], : strength.shape[1]]
    weights = strength.numpy() / float(strength.sum())
    y, x = (weights * rows).sum(), (weights * columns).sum()
    return 2 * math.sqrt((weights * ((rows - y) ** 2 + (columns - x) ** 2)).sum()) + 1
