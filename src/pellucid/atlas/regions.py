"""Regions of a map that another network does not have, by the neighbours that activations have in either.

Row i of every array is of the same place of the same view. An activation's neighbours are the nearest by cosine from
other photographs. A region is the activations of a cell of one network's map: how many of their neighbours are of the
region, too, in that network, and how many are in the other? What half of the first network's own channels, drawn at
random, keeps of it tells how much of that is due to the loss of channels, which another network of the same kind has
to bear as well. The halves have an advantage, for the map was made of all channels: the other network is asked for half
of what they keep.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 15
_BLOCK = 1024
_FEWEST = 5  # photographs in a region that can be tested
_LEVEL = 0.05  # of false discoveries
_KEPT = 0.5  # of what half the channels keep: what keeps less does not have the region


def neighbours(activations: NDArray, images: NDArray, count: int = NEIGHBOURS) -> NDArray[np.int64]:
    """The nearest activations of other photographs by cosine: (N, count), nearest first.

    `images` (N,) says which photograph each of the activations (N, C) is of.
    """
    units = activations.astype(np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True).clip(1e-12)
    found = np.empty((len(units), count), dtype=np.int64)
    for at in range(0, len(units), _BLOCK):
        cosines = units[at : at + _BLOCK] @ units.T
        cosines[images[at : at + _BLOCK, None] == images[None]] = -np.inf
        some = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(cosines, some, axis=1), axis=1, kind="stable")
        found[at : at + _BLOCK] = np.take_along_axis(some, order, axis=1)
    return found


def overlap(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of each activation's neighbours (N, k) in one network that are its neighbours in another: (N,)."""
    return (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)


def agreement(found: NDArray[np.int64], cell: NDArray[np.int64], images: NDArray) -> NDArray[np.float64]:
    """The share of each activation's neighbours that lie in its own cell, less what chance gives: (N,).

    By chance it is the share of the activations of other photographs that lie there. It is NaN outside of all cells,
    where `cell` (N,) is -1.
    """
    same = (cell[found] == cell[:, None]).mean(axis=1)
    inside = np.bincount(cell + 1, minlength=cell.max() + 2)[cell + 1].astype(np.float64)
    _, photograph = np.unique(images, return_inverse=True)
    pairs = photograph * (cell.max() + 2) + cell + 1
    own_inside = np.bincount(pairs)[pairs]
    own = np.bincount(photograph)[photograph]
    chance = (inside - own_inside) / np.maximum(len(cell) - own, 1)
    return np.where(cell >= 0, same - chance, np.nan)


@dataclass(frozen=True)
class Region:
    """A region of one network, and how much of it another has.

    `count` activations of `photographs`; `own`, `halves` and `other` are the mean shares of their neighbours that are
    of the region, beyond chance: in the network itself, in either random half of its channels, and in the other
    network. `lost` says that the other network keeps less than half of what the halves keep, `p` how likely at least so
    large a lack is where it keeps half (one-sided t-test over photographs), `q` the same after Benjamini and Hochberg
    (1995) over all regions. NaN where a region has fewer than five photographs.
    """

    cell: int
    count: int
    photographs: int
    own: float
    halves: float
    other: float
    p: float
    q: float

    @property
    def lost(self) -> bool:
        """Whether the other network does not have it."""
        return self.q < _LEVEL


def regions(
    cell: NDArray[np.int64],
    images: NDArray,
    own: NDArray[np.float64],
    halves: NDArray[np.float64],
    other: NDArray[np.float64],
) -> list[Region]:
    """Compare each region: `own`, `halves` and `other` (N,) are agreements of the activations in `cell` (N,)."""
    from scipy import stats

    found: list[Region] = []
    for number in range(cell.max() + 1):
        rows = np.flatnonzero(cell == number)
        if len(rows):
            means = (float(np.mean(values[rows])) for values in (own, halves, other))
            p = _one_sided(_KEPT * halves[rows] - other[rows], images[rows])
            found.append(Region(number, len(rows), len(np.unique(images[rows])), *means, p=p, q=float("nan")))
    chances = np.array([region.p for region in found])
    corrected = np.full(len(found), np.nan)
    known = np.isfinite(chances)
    if known.any():
        corrected[known] = stats.false_discovery_control(chances[known])
    return [replace(region, q=float(q)) for region, q in zip(found, corrected, strict=True)]


def _one_sided(values: NDArray[np.float64], images: NDArray) -> float:
    """How likely so large a mean is if the true one is 0: by photographs, whose activations are not independent."""
    from scipy import stats

    _, photograph = np.unique(images, return_inverse=True)
    count = photograph.max() + 1
    if count < _FEWEST:
        return float("nan")
    mean = values.mean()
    rest = np.bincount(photograph, weights=values - mean)
    error = np.sqrt((rest**2).sum() * count / (count - 1)) / len(values)
    if error == 0:
        return 0.0 if mean > 0 else 1.0
    return float(stats.t.sf(mean / error, count - 1))


@dataclass(frozen=True)
class Seen:
    """What one network makes of the activations (N, C): its neighbours, and those in each random half of channels."""

    whole: NDArray[np.int64]
    halves: tuple[NDArray[np.int64], NDArray[np.int64]]

    @classmethod
    def of(
        cls,
        activations: NDArray,
        images: NDArray,
        *,
        seed: int = 0,
        count: int = NEIGHBOURS,
        advance: Callable[[int], None] = lambda _amount: None,
    ) -> "Seen":
        """Find the neighbours, three searches in all."""
        channels = np.random.default_rng(seed).permutation(activations.shape[1])
        middle = len(channels) // 2
        found = []
        for some in (channels, channels[:middle], channels[middle:]):
            found.append(neighbours(activations[:, np.sort(some)], images, count))
            advance(1)
        return cls(found[0], (found[1], found[2]))


def missing(cell: NDArray[np.int64], images: NDArray, own: Seen, other: NDArray[np.int64]) -> list[Region]:
    """The regions `cell` (N,) of a network, compared with the neighbours (N, k) that another has."""
    halves = np.mean([agreement(half, cell, images) for half in own.halves], axis=0)
    return regions(cell, images, agreement(own.whole, cell, images), halves, agreement(other, cell, images))


def falsely_missing(cell: NDArray[np.int64], images: NDArray, own: Seen) -> float:
    """The share of regions that are called lost if the other network is a half of the network itself."""
    lost = []
    for half, rest in (own.halves, own.halves[::-1]):
        kept, other = agreement(half, cell, images), agreement(rest, cell, images)
        lost += [region.lost for region in regions(cell, images, agreement(own.whole, cell, images), kept, other)]
    return float(np.mean(lost)) if lost else float("nan")


def linear_cka(first: NDArray, second: NDArray) -> float:
    """Linear centred kernel alignment of (N, C) and (N, D), from 0 to 1 (Kornblith et al. 2019, equation 4)."""
    a, b = (values.astype(np.float64) - values.astype(np.float64).mean(axis=0) for values in (first, second))
    cross = np.linalg.norm(a.T @ b) ** 2
    return float(cross / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)))
