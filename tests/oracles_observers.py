"""The formulas of observers, controls and path similarity written a second time, slowly and plainly, in float64."""

import cmath
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oracles_evaluate import cosine, spearman

Numbers = NDArray[np.float64]


def centre_distance(patch: Sequence[int], height: int, width: int) -> float:
    """From the middle of a patch to the middle of the picture, in pixels, by the places of pixels' centres."""
    top, left, high, wide = patch
    rows = [row for row in range(top, top + high)]
    columns = [column for column in range(left, left + wide)]
    middle = sum(rows) / len(rows), sum(columns) / len(columns)
    return math.hypot(middle[0] - (height - 1) / 2, middle[1] - (width - 1) / 2)


def hidden_deviation(pixels: NDArray[np.uint8], patch: Sequence[int]) -> float:
    """The standard deviation over pixels and channels under a patch, in [0, 1]."""
    top, left, high, wide = patch
    values = [
        int(pixels[row, column, channel]) / 255
        for row in range(top, top + high)
        for column in range(left, left + wide)
        for channel in range(3)
    ]
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def spectral_residual(gray: Numbers) -> Numbers:
    """Hou and Zhang's map before its blur, of a small grey image, with sums in place of transforms."""
    height, width = gray.shape

    def wave(v: int, u: int, y: int, x: int) -> complex:
        return cmath.exp(-2j * math.pi * (v * y / height + u * x / width))

    every = [(v, u) for v in range(height) for u in range(width)]
    spectrum = {(v, u): sum(gray[y, x] * wave(v, u, y, x) for y, x in every) for v, u in every}
    amplitude = {at: math.log(abs(value) + 1e-9) for at, value in spectrum.items()}
    residual = {
        (v, u): amplitude[v, u]
        - sum(amplitude[(v + dv) % height, (u + du) % width] for dv in (-1, 0, 1) for du in (-1, 0, 1)) / 9
        for v, u in every
    }
    made = {at: math.exp(residual[at]) * cmath.exp(1j * cmath.phase(spectrum[at])) for at in every}
    found = np.zeros_like(gray)
    for y, x in every:
        found[y, x] = abs(sum(made[v, u] * wave(v, u, y, x).conjugate() for v, u in every) / (height * width)) ** 2
    return found


def contrast(first: Numbers, second: Numbers, positive: Sequence[Numbers], negative: Sequence[Numbers]) -> float:
    """D+ - D- with the mean cosine."""

    def s(query: Numbers, references: Sequence[Numbers]) -> float:
        return sum(cosine(query, one) for one in references) / len(references)

    return (s(first, positive) - s(first, negative)) - (s(second, positive) - s(second, negative))


def sigmoid(value: float) -> float:
    """The logistic function."""
    return 1 / (1 + math.exp(-value))


def path_similarity(
    natural: Numbers, pictures: Numbers, classes: Sequence[int], owner: Sequence[int], kind: str
) -> tuple[float, float, float, float]:
    """(i - iii) / (ii - iii) and the three means, by loops over all pairs of each class."""

    def alike(first: Numbers, second: Numbers) -> float:
        if kind == "spearman":
            return spearman(first, second)
        return cosine(first - first.mean(), second - second.mean()) if kind == "pearson" else cosine(first, second)

    means: list[tuple[float, float, float]] = []
    for one in sorted(set(owner)):
        made, same, other = [], [], []
        for a, row in enumerate(natural):
            if classes[a] != one:
                continue
            made += [alike(picture, row) for picture, of in zip(pictures, owner, strict=True) if of == one]
            for b, another in enumerate(natural):
                if classes[b] != one:
                    other.append(alike(row, another))
                elif a != b:
                    same.append(alike(row, another))
        means.append((sum(made) / len(made), sum(same) / len(same), sum(other) / len(other)))
    i, ii, iii = (sum(column) / len(means) for column in zip(*means, strict=True))
    return (i - iii) / (ii - iii), i, ii, iii


def fooled(values: Numbers, told: float, shift: int, gate: float, offset: float) -> list[float]:
    """The fooling circuit's logits of one image."""
    count = len(values)
    found = []
    for i in range(count):
        b = max(0.0, values[i] + offset - gate * told)
        v = values[(i + shift) % count] + offset
        found.append(b + max(0.0, v + gate * told - gate) - offset)
    return found


def silent_term(patch: Numbers, own: Numbers, direction: Numbers, strength: float, slant: float, b: float) -> float:
    """relu(w' · x - b) at one place, with w' made of w and what of the direction is orthogonal to it."""
    along = float((direction * own).sum()) / float((own * own).sum())
    rest = direction - along * own
    rest = rest * math.sqrt(float((own * own).sum()) / float((rest * rest).sum()))
    return max(0.0, strength * float(((own + slant * rest) * patch).sum()) - b)
