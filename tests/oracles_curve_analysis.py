"""Curve analysis a second time: pixel by pixel and point by point, nothing clever."""

import math
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from pellucid.curves import SCurve

Point = tuple[float, float]
Map = NDArray[np.float64]


def f1(found: NDArray, truth: NDArray, tolerance: float) -> tuple[float, float, float]:
    """F1, precision and recall of yes-and-no maps, each pixel against each."""
    ours, theirs = [tuple(p) for p in np.argwhere(found)], [tuple(p) for p in np.argwhere(truth)]
    if not ours:
        return 0.0, 0.0, 0.0
    precision = sum(min(math.dist(p, q) for q in theirs) <= tolerance for p in ours) / len(ours)
    recall = sum(min(math.dist(p, q) for q in ours) <= tolerance for p in theirs) / len(theirs)
    both = precision + recall
    return (2 * precision * recall / both if both else 0.0), precision, recall


def hysteresis(strength: Map, low: float, high: float) -> NDArray[np.bool_]:
    """Pixels of at least `low` that are joined, by eight neighbours, to one of at least `high`: by flooding."""
    kept = np.zeros(strength.shape, dtype=bool)
    waiting = [tuple(p) for p in np.argwhere(strength >= high)]
    while waiting:
        row, column = waiting.pop()
        if not (0 <= row < strength.shape[0] and 0 <= column < strength.shape[1]):
            continue
        if kept[row, column] or strength[row, column] < low:
            continue
        kept[row, column] = True
        waiting += [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return kept


def spline(knots: list[Point], pieces: int) -> list[Point]:
    """The uniform Catmull-Rom spline by repeated linear interpolation (Barry and Goldman 1988)."""
    first = (2 * knots[0][0] - knots[1][0], 2 * knots[0][1] - knots[1][1])
    last = (2 * knots[-1][0] - knots[-2][0], 2 * knots[-1][1] - knots[-2][1])
    p = [first, *knots, last]
    points = []
    for start in range(len(knots) - 1):
        for step in range(pieces):
            t = 1 + step / pieces
            a = [mixed(p[start + k], p[start + k + 1], t - k) for k in range(3)]
            b = [mixed(a[k], a[k + 1], (t - k) / 2) for k in range(2)]
            points.append(mixed(b[0], b[1], t - 1))
    return [*points, knots[-1]]


def mixed(a: Point, b: Point, t: float) -> Point:
    """The point a share of the way."""
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])


def ink(line: list[Point], size: tuple[int, int], width: float, soft: float) -> Map:
    """How much of each pixel is covered by a line with soft edges."""
    drawn = np.zeros(size)
    for place in np.ndindex(*size):
        away = min(to_piece(place, a, b) for a, b in pairwise(line))
        drawn[place] = min(1.0, max(0.0, (width - away) / (2 * soft) + 0.5))
    return drawn


def to_piece(place: Point, a: Point, b: Point) -> float:
    """The distance to a straight piece."""
    length = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    share = ((place[0] - a[0]) * (b[0] - a[0]) + (place[1] - a[1]) * (b[1] - a[1])) / length
    return math.dist(place, mixed(a, b, min(1.0, max(0.0, share))))


def s_path(curve: SCurve, count: int) -> list[Point]:
    """Places (x, y) along the curve, by walking: a small step ahead, a small turn."""
    x, y = 0.0, 0.0
    turn = 1 if curve.bend == "clockwise" else -1
    heading = math.radians(curve.orientation)
    step = math.radians(curve.arc) * curve.radius / count
    ahead = []
    for _ in range(count):
        heading += turn * step / curve.radius / 2
        # The chord of the step.
        chord = 2 * curve.radius * math.sin(step / curve.radius / 2)
        x, y = x + chord * math.cos(heading), y + chord * math.sin(heading)
        heading += turn * step / curve.radius / 2
        ahead.append((x, y))
    return [(-x, -y) for x, y in reversed(ahead)] + [(0.0, 0.0), *ahead]


def to_path(place: Point, path: list[Point]) -> float:
    """The distance to the straight pieces through some points."""
    return min(to_piece(place, a, b) for a, b in pairwise(path))


def best_ious(regions: NDArray, bands: NDArray) -> float:
    """The greatest sum of intersections over unions, over all ways to give each band a region of its own."""
    table = [[(r & b).sum() / max((r | b).sum(), 1) for r in regions] for b in bands]
    return max(
        sum(table[b][r] for b, r in enumerate(chosen)) for chosen in permutations(range(len(regions)), len(bands))
    )


def tick_distance(
    place: Point, orientation: float, radius: float, ticks: list[tuple[float, float]], aside: float, length: float
) -> float:
    """The distance to ticks, each by its place along the curve in px and its tilt from perpendicular in radians."""
    inward = math.radians(orientation)
    middle = radius * math.cos(inward), radius * math.sin(inward)
    nearest = math.inf
    for along, tilt in ticks:
        out = inward + math.pi - along / radius
        centre = (
            middle[0] + (radius - aside) * math.cos(out),
            middle[1] + (radius - aside) * math.sin(out),
        )
        # A tilt turns a tick clockwise from the inward direction.
        way = out + math.pi + tilt
        dx, dy = length / 2 * math.cos(way), length / 2 * math.sin(way)
        start, end = (centre[0] - dx, centre[1] - dy), (centre[0] + dx, centre[1] + dy)
        nearest = min(nearest, to_piece(place, start, end) if length else math.dist(place, centre))
    return nearest
