"""Slow, plain truths for the stimuli of experiments, pixel by pixel and pair by pair."""

import math
from collections.abc import Callable, Sequence

import numpy as np


def plain_scan(
    respond: Callable[[np.ndarray], float], image: np.ndarray, side: int, stride: int, fill: str
) -> list[list[float]]:
    """Cover every place of an image (C, H, W) in turn and ask for the response to each copy."""
    channels, height, width = image.shape
    rows, top = [], 0
    while top + side <= height:
        row, left = [], 0
        while left + side <= width:
            copy = image.copy()
            for channel in range(channels):
                total = 0.0
                for y in range(top, top + side):
                    for x in range(left, left + side):
                        total += image[channel, y, x]
                value = total / side**2 if fill == "mean" else 0.5
                for y in range(top, top + side):
                    for x in range(left, left + side):
                        copy[channel, y, x] = value
            row.append(respond(copy))
            left += stride
        rows.append(row)
        top += stride
    return rows


def plain_blur(image: np.ndarray, sigma: float, radius: int) -> np.ndarray:
    """A Gaussian in two dimensions, the picture mirrored about its outermost pixels."""

    def mirrored(place: int, length: int) -> int:
        while not 0 <= place < length:
            place = -place if place < 0 else 2 * (length - 1) - place
        return place

    out = np.zeros_like(image)
    channels, height, width = image.shape
    for channel in range(channels):
        for y in range(height):
            for x in range(width):
                total = weights = 0.0
                for dy in range(-radius, radius + 1):
                    for dx in range(-radius, radius + 1):
                        weight = math.exp(-(dy**2 + dx**2) / (2 * sigma**2))
                        total += weight * image[channel, mirrored(y + dy, height), mirrored(x + dx, width)]
                        weights += weight
                out[channel, y, x] = total / weights
    return out


def plain_best_difference(
    places: Sequence[tuple[int, int]], values: Sequence[float], side: int, max_overlap: float
) -> float:
    """The largest difference between two patches whose common pixels, counted, are few enough; -inf without any."""
    best = -math.inf
    for (top, left), value in zip(places, values, strict=True):
        for (other_top, other_left), other in zip(places, values, strict=True):
            rows = set(range(top, top + side)) & set(range(other_top, other_top + side))
            columns = set(range(left, left + side)) & set(range(other_left, other_left + side))
            if len(rows) * len(columns) <= max_overlap * side**2:
                best = max(best, value - other)
    return best
