"""Places for several sets of activations whose rows belong together, on planes that can be laid over each other."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.layout import FEWEST, normalize_together, with_the_rest
from pellucid.atlas.placement import Points
from pellucid.errors import AtlasError

REGULARISATION = 0.1  # measured: pairs lie within a cell of each other, at hardly any cost in trustworthiness
_MOST = 20_000  # rows that are laid out together; the others are placed among them
_GRID = 10  # cells a side that pairs are compared by


def aligned_points(
    activations: Sequence[NDArray],
    *,
    neighbors: int = 50,
    min_dist: float = 0.05,
    regularisation: float = REGULARISATION,
    seed: int = 0,
    most: int = _MOST,
) -> list[Points]:
    """Places (N, 2) in one unit square for each of several sets of activations (N, C_i) whose rows belong together.

    By aligned UMAP (umap-learn; cosine): each set is laid out by its own neighbours, and a row is drawn to the places
    of the same row in the sets beside it, the more the larger `regularisation` is. Of more than `most` rows as many
    are laid out, chosen at random, and the others placed among them. Raises `AtlasError` for fewer than 10 rows, and
    for sets of different length.
    """
    counts = {len(values) for values in activations}
    if len(counts) != 1:
        raise AtlasError(f"activations that are laid out together must be as many: not {sorted(counts)}")
    (count,) = counts
    if count < FEWEST:
        raise AtlasError(f"{count} activations are too few to lay out; harvest at least {FEWEST}")
    rows = np.arange(count)
    if count > most:
        rows = np.sort(np.random.default_rng(seed).choice(count, size=most, replace=False))
    some = [np.asarray(values[rows], dtype=np.float32) for values in activations]
    found = normalize_together(_aligned_umap(some, min(neighbors, len(rows) - 1), min_dist, regularisation, seed))
    if len(rows) == count:
        return found
    return [with_the_rest(values, rows, points) for values, points in zip(activations, found, strict=True)]


def _aligned_umap(
    sets: list[NDArray[np.float32]], neighbors: int, min_dist: float, regularisation: float, seed: int
) -> list[NDArray[np.float64]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports, and that a seed means one thread
        import umap

        mapper = umap.AlignedUMAP(
            n_neighbors=neighbors,
            min_dist=min_dist,
            metric="cosine",
            alignment_regularisation=regularisation,
            random_state=seed,
            transform_seed=seed,
        )
        same = {row: row for row in range(len(sets[0]))}
        found = mapper.fit_transform(sets, relations=[same] * (len(sets) - 1))
    places = [np.asarray(each, dtype=np.float64) for each in found]
    # An activation without neighbours (of zeros alone) has no place: it stands in the middle.
    return [np.where(np.isfinite(each), each, np.nanmedian(each, axis=0)) for each in places]


@dataclass(frozen=True)
class PairCheck:
    """How near the same places of the same views lie in two maps of the unit square.

    `within` is the share of pairs that are less than a cell apart in both directions, on a grid of 10 x 10, and
    `shift` their median distance; `*_random` are those of pairs made at random.
    """

    within: float
    within_random: float
    shift: float
    shift_random: float


def check_pair(first: Points, second: Points, *, grid: int = _GRID, seed: int = 0) -> PairCheck:
    """Compare two maps (N, 2) of the same things, beside things paired at random."""
    other = np.random.default_rng(seed).permutation(second)
    within, shift = _apart(first, second, grid)
    return PairCheck(within, _apart(first, other, grid)[0], shift, _apart(first, other, grid)[1])


def _apart(first: Points, second: Points, grid: int) -> tuple[float, float]:
    apart = np.abs(first.astype(np.float64) - second)
    return float((apart.max(axis=1) < 1 / grid).mean()), float(np.median(np.linalg.norm(apart, axis=1)))
