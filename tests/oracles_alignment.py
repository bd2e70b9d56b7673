"""What is measured of two networks and of aligned maps, and tangents of pooling, a second time and slowly."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Windows = Sequence[Sequence[tuple[int, int]]]


def pooled_tangent(x: Tensor, tangent: Tensor, windows: Windows) -> list[float]:
    """Of each window of a map the tangents by the shares of its activations."""
    found = []
    for window in windows:
        activations = [max(float(x[place]), 0.0) for place in window]
        total = sum(activations)
        shares = [a / total for a in activations] if total > 0 else [1 / len(window)] * len(window)
        found.append(sum(share * float(tangent[place]) for share, place in zip(shares, window, strict=True)))
    return found


def neighbours(values: NDArray, images: Sequence[int], count: int) -> list[list[int]]:
    """The nearest rows of other photographs by cosine."""
    found = []
    for i, one in enumerate(values):
        ranked = []
        for j, other in enumerate(values):
            if images[i] != images[j]:
                cosine = float(one @ other) / math.sqrt(float(one @ one) * float(other @ other))
                ranked.append((-cosine, j))
        found.append([j for _, j in sorted(ranked)[:count]])
    return found


def agreement(found: list[list[int]], cell: Sequence[int], images: Sequence[int]) -> list[float]:
    """The share of neighbours in the own cell, less that of all rows of other photographs in it."""
    values = []
    for i, near in enumerate(found):
        if cell[i] < 0:
            values.append(math.nan)
            continue
        others = [j for j in range(len(cell)) if images[j] != images[i]]
        chance = sum(cell[j] == cell[i] for j in others) / len(others)
        values.append(sum(cell[j] == cell[i] for j in near) / len(near) - chance)
    return values


def centred_alignment(first: NDArray, second: NDArray) -> float:
    """Linear CKA by Gram matrices: trace(KHLH) over the root of both with themselves."""
    count = len(first)
    centre = np.eye(count) - 1 / count
    a, b = (centre @ (values @ values.T) @ centre for values in (first, second))
    return float(np.sum(a * b) / math.sqrt(np.sum(a * a) * np.sum(b * b)))


def chosen(attribution: NDArray, index: int, how: str, most: int) -> list[int]:
    """The rows that matter to a class."""
    rank = {row for row, values in enumerate(attribution) if max(range(len(values)), key=lambda k: values[k]) == index}
    ordered = sorted(range(len(attribution)), key=lambda row: -attribution[row][index])
    magnitude = {row for row in ordered[:most] if attribution[row][index] > 0}
    return sorted({"rank": rank, "magnitude": magnitude, "both": rank | magnitude}[how])
