"""Two sets of images as histograms over the cells of an atlas, and where they differ beyond chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.stats import false_discovery_control

from pellucid.errors import AtlasError

_AT_ONCE = 20_000_000  # numbers held in memory

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Where two sets of images differ over M cells.

    `first` and `second` (M,) are the shares of the sets' activations that lie in each cell, the mean over images of the
    share of an image's activations, so that each image counts the same. `ratio` (M,) is the binary logarithm of second
    over first; `z` (M,) the difference, second less first, in standard deviations of the permutations; `p` (M,)
    two-sided and `q` (M,) its false discovery rate (Benjamini and Hochberg 1995). `statistic` is the sum of the squares
    of `z` and `p_all` its p. `elsewhere` are the shares in no cell.
    """

    first: Floats
    second: Floats
    ratio: Floats
    z: Floats
    p: Floats
    q: Floats
    statistic: float
    p_all: float
    elsewhere: tuple[float, float]
    permutations: int

    def different(self, rate: float = 0.05) -> NDArray[np.int64]:
        """The cells that differ at this false discovery rate, those that differ most beyond chance first."""
        order = np.argsort(-np.abs(self.z), kind="stable")
        return order[self.q[order] <= rate]


def compare_histograms(
    cell: NDArray[np.int64],
    image: NDArray[np.int64],
    second: NDArray[np.bool_],
    cells: int,
    *,
    permutations: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare how two sets of images fill the cells of an atlas.

    `cell` (N,) is each activation's cell, -1 for none of the `cells`; `image` (N,) the image that it comes from, by
    numbers from 0 to n - 1, and `second` (n,) whether that image is of the second set.

    What is permuted is the images' membership, never that of single activations: activations of one image are alike,
    and taken one by one they would make every difference between images one between the sets. Under the null hypothesis
    that the images' sets are arbitrary, p is exact whatever the images hold (Fisher 1935; Phipson and Smyth 2010 for
    1 being added to both counts). Raises `AtlasError` if a set has less than two images with activations.
    """
    shares = image_shares(cell, image, len(second), cells)
    kept = np.flatnonzero(shares.sum(axis=1) > 0)
    shares, second = shares[kept], second[kept]
    sizes = int((~second).sum()), int(second.sum())
    if min(sizes) < 2 or permutations < 1:
        raise AtlasError(
            f"sets of {sizes[0]} and {sizes[1]} images with activations cannot be compared with {permutations} "
            "permutations; give at least two images each and one permutation"
        )
    means = [shares[~second].mean(axis=0), shares[second].mean(axis=0)]
    z, p, statistic, p_all = _permuted(shares[:, :-1], second, permutations, seed)
    theirs = int(second[np.searchsorted(kept, image)].sum())
    return Comparison(
        means[0][:-1],
        means[1][:-1],
        log_ratio(means[0][:-1], means[1][:-1], len(image) - theirs, theirs),
        z,
        p,
        false_discovery_control(p) if len(p) else p,
        statistic,
        p_all,
        (float(means[0][-1]), float(means[1][-1])),
        permutations,
    )


def image_shares(cell: NDArray[np.int64], image: NDArray[np.int64], images: int, cells: int) -> Floats:
    """The share of each image's activations in each cell, and last in none: (images, cells + 1).

    Images without activations have zeros.
    """
    column = np.where(cell >= 0, cell, cells)
    counts = np.zeros((images, cells + 1))
    np.add.at(counts, (image, column), 1.0)
    totals = counts.sum(axis=1, keepdims=True)
    return counts / np.where(totals > 0, totals, 1.0)


def log_ratio(first: Floats, second: Floats, first_count: int, second_count: int) -> Floats:
    """The binary logarithm of second over first share, with half an activation added to each, so that 0 is no end."""
    return np.log2((second + 0.5 / second_count) / (first + 0.5 / first_count))


def _permuted(
    shares: Floats, second: NDArray[np.bool_], permutations: int, seed: int
) -> tuple[Floats, Floats, float, float]:
    """z and p of each cell, the sum of z² and its p, from permutations of whole images."""
    count, chosen = len(shares), int(second.sum())
    centre = shares.mean(axis=0)
    # Σ over the second set is a sum drawn without replacement, whose variance is known: no permutations needed for it.
    spread = np.sqrt(shares.var(axis=0, ddof=1) * count / (chosen * (count - chosen)))
    safe = np.where(spread > 0, spread, 1.0)
    values: Any = csr_matrix(shares)
    scale = count / (count - chosen)  # mean of second less mean of first = scale · (mean of second - mean of all)

    def scores(members: Any) -> Floats:
        return np.where(spread > 0, ((members @ values).toarray() / chosen - centre) * scale / safe, 0.0)

    observed = scores(_members([np.flatnonzero(second)], count))[0]
    statistic = float(np.square(observed).sum())
    rng = np.random.default_rng(seed)
    more, more_all = np.zeros(shares.shape[1]), 0
    step = max(1, _AT_ONCE // max(shares.shape[1], chosen))
    for at in range(0, permutations, step):
        drawn = [rng.permutation(count)[:chosen] for _ in range(min(step, permutations - at))]
        found = scores(_members(drawn, count))
        more += (np.abs(found) >= np.abs(observed) * (1 - 1e-9)).sum(axis=0)
        more_all += int((np.square(found).sum(axis=1) >= statistic * (1 - 1e-9)).sum())
    return observed, (1 + more) / (1 + permutations), statistic, (1 + more_all) / (1 + permutations)


def _members(chosen: Sequence[NDArray[np.intp]], count: int) -> csr_matrix:
    """Which images are in the second set: (len(chosen), count)."""
    columns = np.concatenate(chosen)
    ends = np.arange(len(chosen) + 1) * len(chosen[0])
    return csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(chosen), count))
