"""Tests of patches and of histograms written a second time: loops, whole enumerations, and textbook sums."""

import math
from itertools import combinations, product

import numpy as np


def pasted_by_loops(image: np.ndarray, patch: np.ndarray, corner: int) -> np.ndarray:
    """An image (C, H, W) with a patch (C, h, w) in a corner, pixel by pixel."""
    out = image.copy()
    channels, height, width = patch.shape
    for channel in range(channels):
        for row in range(height):
            for column in range(width):
                down = row if corner in (0, 1) else image.shape[1] - height + row
                across = column if corner in (0, 2) else image.shape[2] - width + column
                out[channel, down, across] = patch[channel, row, column]
    return out


def wilson_by_roots(share: float, count: int, z: float) -> tuple[float, float]:
    """Wilson's interval as what it is: the shares p with (share - p)² = z² p (1 - p) / n."""
    low, high = np.roots([1 + z * z / count, -(2 * share + z * z / count), share * share])[::-1]
    return float(min(low, high)), float(max(low, high))


def mcnemar_by_sum(first: list[bool], second: list[bool]) -> float:
    """The exact two-sided test: twice the smaller tail of fair coins for the pairs that differ."""
    b = sum(one and not two for one, two in zip(first, second, strict=True))
    c = sum(two and not one for one, two in zip(first, second, strict=True))
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    return min(1.0, 2 * tail)


def all_sign_flips(differences: list[float]) -> float:
    """The share of all 2^n changes of sign whose mean is as far from 0 as the one that was seen."""
    seen = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    return sum(value >= seen - 1e-12 for value in sums) / len(sums)


def all_permutations(shares: np.ndarray, second: np.ndarray) -> tuple[list[float], list[float], float]:
    """z and p of each cell, and p of the sum of z², from every choice of so many images for the second set."""
    count, chosen = len(second), int(second.sum())

    def differences(members: set[int]) -> np.ndarray:
        inside = [shares[i] for i in range(count) if i in members]
        outside = [shares[i] for i in range(count) if i not in members]
        return np.mean(inside, axis=0) - np.mean(outside, axis=0)

    every = np.array([differences(set(members)) for members in combinations(range(count), chosen)])
    spread = every.std(axis=0)
    seen = differences({i for i in range(count) if second[i]})
    z, scores = seen / spread, every / spread
    p = [(np.abs(every[:, cell]) >= abs(seen[cell]) - 1e-12).mean() for cell in range(shares.shape[1])]
    p_all = (np.square(scores).sum(axis=1) >= np.square(z).sum() - 1e-9).mean()
    return z.tolist(), [float(value) for value in p], float(p_all)


def benjamini_hochberg(p: list[float]) -> list[float]:
    """The smallest false discovery rate at which each would be called different: the step-up rule tried for each."""
    ranked = sorted(p)
    count = len(p)
    return [min(min(1.0, count * ranked[k] / (k + 1)) for k in range(count) if ranked[k] >= value) for value in p]
