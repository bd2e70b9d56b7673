"""What the cells of an atlas hold, worked out one cell and one activation at a time in float64."""

import math
from collections import Counter

import numpy as np

Members = dict[tuple[int, int], list[int]]


def members(points: np.ndarray, size: int, min_count: int) -> Members:
    """The samples of each cell (row, column) that holds enough of them, row by row."""
    cells: Members = {}
    for sample, (x, y) in enumerate(points.tolist()):
        cells.setdefault((min(int(y * size), size - 1), min(int(x * size), size - 1)), []).append(sample)
    return {cell: cells[cell] for cell in sorted(cells) if len(cells[cell]) >= min_count}


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second) / (math.sqrt(float(first @ first)) * math.sqrt(float(second @ second)))


def card(activations: np.ndarray, attributions: np.ndarray) -> dict:
    """Mean cosine with the mean, mean length, and every class with its mean and standard deviation."""
    values, classes = activations.astype(np.float64), attributions.astype(np.float64)
    mean = np.add.reduce(list(values)) / len(values)
    return {
        "mean": mean,
        "spread": sum(cosine(value, mean) for value in values) / len(values),
        "norm": sum(math.sqrt(float(value @ value)) for value in values) / len(values),
        "classes": [
            (label, float(column.mean()), math.sqrt(float(((column - column.mean()) ** 2).mean())))
            for label, column in enumerate(classes.T)
        ],
    }


def first_of_each_half(attributions: np.ndarray, halves: list[int]) -> tuple[int | None, int | None]:
    """The class with the largest mean among the activations of either half, None for one with less than 8."""
    best: list[int | None] = []
    for half in (0, 1):
        some = [row for row, other in zip(attributions.astype(np.float64), halves, strict=True) if other == half]
        best.append(int(np.argmax(sum(some) / len(some))) if len(some) >= 8 else None)
    return best[0], best[1]


def lifts(first: list, second: list, first_cells: list, second_cells: list) -> dict[tuple, tuple[int, float]]:
    """Of every two cells how many pairs of samples with the same key there are, and over how many there would be."""
    pairs = [
        (a, b)
        for key, a in zip(first, first_cells, strict=True)
        for other, b in zip(second, second_cells, strict=True)
        if key == other and a is not None and b is not None
    ]
    of_first, of_second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    return {
        (a, b): (count, count * len(pairs) / (of_first[a] * of_second[b])) for (a, b), count in Counter(pairs).items()
    }
