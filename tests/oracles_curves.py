"""Tuning curves and labels a second time: sums over single samples, single images and all pairs, nothing clever."""

import cmath
import math
import random
from collections.abc import Mapping, Sequence
from itertools import combinations


def moment(angles: Sequence[float], values: Sequence[float], order: int, period: float) -> complex:
    """Σ a exp(i·order·2πθ/period) / Σ a of the positive values."""
    total = math.fsum(max(value, 0) for value in values)
    return (
        sum(
            max(value, 0) * cmath.exp(2j * math.pi * order * angle / period)
            for angle, value in zip(angles, values, strict=True)
        )
        / total
    )


def circular_mean(angles: Sequence[float], values: Sequence[float], period: float = 360) -> float:
    """The angle of the first moment, in 0 to the period."""
    return cmath.phase(moment(angles, values, 1, period)) / (2 * math.pi) * period % period


def apart(one: float, other: float, period: float = 360) -> float:
    """The least degrees between two angles."""
    turn = abs(one - other) % period
    return min(turn, period - turn)


def echo(angles: Sequence[float], values: Sequence[float]) -> float:
    """The greatest value within 45 degrees of the opposite of the greatest, over that."""
    peak = max(values)
    at = angles[list(values).index(peak)]
    return max(max(v, 0) for a, v in zip(angles, values, strict=True) if apart(a, at + 180) <= 45) / peak


def at(angles: Sequence[float], values: Sequence[float], angle: float, period: float) -> float:
    """The value at an angle, on the line between the two samples beside it."""
    step = period / len(values)
    place = (angle - angles[0]) % period / step
    before = int(place) % len(values)
    share = place - int(place)
    return max(values[before], 0) * (1 - share) + max(values[(before + 1) % len(values)], 0) * share


def width(angles: Sequence[float], values: Sequence[float], period: float = 360, step: float = 0.001) -> float:
    """How far one can walk from the peak to either side before the value is below half of it."""
    peak = max(values)
    start = angles[list(values).index(peak)]
    walked = 0.0
    for sign in (1, -1):
        way = 0.0
        while at(angles, values, start + sign * way, period) >= peak / 2:
            way += step
            if way > period:
                return period
        walked += way
    return walked


def pearson(one: Sequence[float], two: Sequence[float]) -> float:
    """Pearson's correlation; 0 of a constant."""
    n = len(one)
    a, b = math.fsum(one) / n, math.fsum(two) / n
    xy = math.fsum((x - a) * (y - b) for x, y in zip(one, two, strict=True))
    xx, yy = math.fsum((x - a) ** 2 for x in one), math.fsum((y - b) ** 2 for y in two)
    return xy / math.sqrt(xx * yy) if xx and yy else 0.0


def linked(correlations: Sequence[Sequence[float]], alike: float) -> list[set[int]]:
    """Groups joined two by two, those of the highest average correlation first, while that is `alike` or more."""
    groups = [{i} for i in range(len(correlations))]
    while len(groups) > 1:
        ranked = []
        for one, two in combinations(groups, 2):
            between = [correlations[i][j] for i in one for j in two]
            ranked.append((math.fsum(between) / len(between), one, two))
        best, one, two = max(ranked, key=lambda entry: entry[0])
        if best < alike:
            break
        groups = [group for group in groups if group not in (one, two)] + [one | two]
    return groups


def solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """The solution of a small linear system, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    n = len(rows)
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(n):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [x - factor * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def smooth(counts: Sequence[float], window: int, order: int) -> list[float]:
    """At each bin the polynomial fitted to the window about it; at the ends to the last whole window."""
    half, found = window // 2, []
    for i in range(len(counts)):
        middle = min(max(i, half), len(counts) - 1 - half)
        x = range(-half, half + 1)
        y = counts[middle - half : middle + half + 1]
        normal = [[math.fsum(a ** (p + q) for a in x) for q in range(order + 1)] for p in range(order + 1)]
        right = [math.fsum(b * a**p for a, b in zip(x, y, strict=True)) for p in range(order + 1)]
        found.append(sum(c * (i - middle) ** p for p, c in enumerate(solved(normal, right))))
    return [max(value, 0.0) for value in found]


def shares_of_value(
    counts: Sequence[Sequence[float]], x: Sequence[float], positions: Sequence[int], window: int, order: int
) -> list[float]:
    """Each label's part of Σ max(x, 0) · positions, from counts (L, B) smoothed unless the window is 0."""
    smoothed = [smooth(row, window, order) if window else list(row) for row in counts]
    whole = math.fsum(max(a, 0) * n for a, n in zip(x, positions, strict=True))
    found = []
    for row in smoothed:
        part = 0.0
        for b, (a, n) in enumerate(zip(x, positions, strict=True)):
            total = math.fsum(other[b] for other in smoothed)
            part += max(a, 0) * n * row[b] / total if total > 1e-9 else 0.0
        found.append(part / whole)
    return found


def drawn_again(
    counts: Sequence[Sequence[int]], left: Sequence[float], group: float, random: random.Random
) -> list[list[float]]:
    """Counts (L, B) of images that are drawn one by one, with replacement, among those of the same group."""
    groups: dict[int, list[tuple[int, int]]] = {}
    for label, row in enumerate(counts):
        for b, number in enumerate(row):
            groups.setdefault(math.floor(left[b] / group), []).extend([(label, b)] * number)
    again = [[0.0] * len(left) for _ in counts]
    for images in groups.values():
        for _ in images:
            label, b = random.choice(images)
            again[label][b] += 1
    return again


def area(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The share of pairs in which the positive is greater, ties counted half."""
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def cohen(first: Sequence[str], second: Sequence[str]) -> float:
    """Cohen's kappa by counting, with chance over all pairs of an image of the one and an image of the other."""
    n = len(first)
    same = sum(a == b for a, b in zip(first, second, strict=True)) / n
    chance = sum(a == b for a in first for b in second) / n**2
    return (same - chance) / (1 - chance)


def fleiss(ratings: Sequence[Sequence[str]]) -> float:
    """Fleiss' kappa by counting pairs of ratings."""
    pairs = [[a == b for a, b in combinations(image, 2)] for image in ratings]
    same = sum(sum(image) / len(image) for image in pairs) / len(pairs)
    labels = [label for image in ratings for label in image]
    chance = sum(a == b for a in labels for b in labels) / len(labels) ** 2
    return (same - chance) / (1 - chance)


def coverage(curves: Mapping[str, Sequence[float]]) -> float:
    """The least over the angles of the greatest of all values over peak."""
    count = len(next(iter(curves.values())))
    return min(max(max(values[i], 0) / max(values) for values in curves.values()) for i in range(count))
