"""Summaries written a second time: every activation is kept, and everything is counted from the list of them."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_GOLDEN, _MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


@dataclass(frozen=True)
class Seen:
    """One activation of one unit."""

    value: float
    item: int
    place: int
    label: int


def seen(maps: np.ndarray, items: Sequence[int], labels: Sequence[int], unit: int) -> list[Seen]:
    """All finite activations of a unit in maps (N, U, P)."""
    return [
        Seen(float(value), item, place, label)
        for values, item, label in zip(maps[:, unit], items, labels, strict=True)
        for place, value in enumerate(values)
        if math.isfinite(value)
    ]


def moments(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Mean, variance, skewness and excess kurtosis."""
    mean = math.fsum(values) / len(values)
    second, third, fourth = (
        math.fsum((value - mean) ** power for value in values) / len(values) for power in (2, 3, 4)
    )
    return mean, second, third / second**1.5, fourth / second**2 - 3


def histogram(values: Sequence[float], edges: Sequence[float]) -> tuple[list[int], int, int]:
    """Counts of half-open bins, and of what lies under and over them."""
    counts = [sum(low <= value < high for value in values) for low, high in itertools.pairwise(edges)]
    return counts, sum(value < edges[0] for value in values), sum(value >= edges[-1] for value in values)


def best(activations: Sequence[Seen], length: int, *, lowest: bool = False) -> list[Seen]:
    """The best activation of each image, and of those the best."""
    ordered = sorted(activations, key=lambda one: (one.value if lowest else -one.value, one.item, one.place))
    images: set[int] = set()
    found = []
    for one in ordered:
        if one.item >> 16 not in images:
            images.add(one.item >> 16)
            found.append(one)
    return found[:length]


def sample(activations: Sequence[Seen], edges: Sequence[float], length: int, seed: int) -> list[list[Seen]]:
    """Of each group of bins, the outermost open, the activations with the least priority."""
    groups: list[list[Seen]] = [[] for _ in edges[1:]]
    for one in activations:
        group = sum(one.value >= edge for edge in edges[1:-1])
        groups[group].append(one)
    return [sorted(group, key=lambda one: priority(seed, one.item, one.place))[:length] for group in groups]


def priority(seed: int, item: int, place: int) -> int:
    """SplitMix64 of seed, item and place, in whole numbers."""
    start = _mix((item + seed * _GOLDEN) & _MASK)
    return min(_mix((start + place * _GOLDEN) & _MASK), _MASK - 1)


def _mix(state: int) -> int:
    state = (state + _GOLDEN) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)
