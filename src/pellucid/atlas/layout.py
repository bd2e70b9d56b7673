"""Placing activations in the plane."""

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.gathered import BLOCK
from pellucid.atlas.placement import Placement, Points
from pellucid.atlas.placement import placed as placed
from pellucid.errors import AtlasError

FEWEST = 10  # activations that can be laid out


@dataclass(frozen=True)
class Layout(ABC):
    """A way to place activations in the plane, by their cosine; the same places for the same seed."""

    def __call__(self, activations: NDArray, dimensions: int = 2) -> Points:
        """The places (N, 2) of activations (N, C), or (N, `dimensions`). Raises `AtlasError` for fewer than 10."""
        if len(activations) < FEWEST:
            raise AtlasError(f"{len(activations)} activations are too few to lay out; harvest at least {FEWEST}")
        return np.asarray(self.place(np.asarray(activations, dtype=np.float32), dimensions), dtype=np.float32)

    @abstractmethod
    def place(self, activations: NDArray[np.float32], dimensions: int) -> NDArray:
        """The same for 10 activations at least."""


@dataclass(frozen=True)
class UMAP(Layout):
    """Uniform manifold approximation (McInnes, Healy and Melville 2018), as the published atlases were laid out.

    `neighbors` is lowered where there are fewer activations; the published atlases have 50, and 0.05 for `min_dist`
    (Carter et al. 2019).
    """

    neighbors: int = 50
    min_dist: float = 0.05
    seed: int = 0

    def place(self, activations: NDArray[np.float32], dimensions: int) -> NDArray:
        """The places."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)  # that its part for TensorFlow is not there
            import umap  # slow to import, and not needed to read an atlas

        reducer = umap.UMAP(
            n_components=dimensions,
            n_neighbors=min(self.neighbors, len(activations) - 1),
            min_dist=self.min_dist,
            metric="cosine",
            random_state=self.seed,
            n_jobs=1,  # what a seed demands
            low_memory=True,
        )
        return np.asarray(reducer.fit_transform(activations))


@dataclass(frozen=True)
class TSNE(Layout):
    """t-distributed stochastic neighbour embedding (van der Maaten and Hinton 2008), by openTSNE.

    `perplexity` is lowered where there are fewer activations. The article has it for the atlases of one class.
    """

    perplexity: int = 30
    seed: int = 0

    def place(self, activations: NDArray[np.float32], dimensions: int) -> NDArray:
        """The places."""
        try:
            import openTSNE
        except ImportError as error:
            raise AtlasError("the layout 'tsne' needs openTSNE; install it: pip install 'pellucid[layouts]'") from error
        found = openTSNE.TSNE(
            dimensions,
            perplexity=min(self.perplexity, (len(activations) - 1) // 3),
            metric="cosine",
            random_state=self.seed,
            n_jobs=1,  # sums of several threads come in any order
        )
        return np.asarray(found.fit(activations))


@dataclass(frozen=True)
class PaCMAP(Layout):
    """Pairwise controlled manifold approximation (Wang et al. 2021): the fastest, for a first look."""

    neighbors: int = 10
    seed: int = 0

    def place(self, activations: NDArray[np.float32], dimensions: int) -> NDArray:
        """The places."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of what it imports
                import pacmap
        except ImportError as error:
            raise AtlasError("the layout 'pacmap' needs PaCMAP; install it: pip install 'pellucid[layouts]'") from error
        count = max(1, min(self.neighbors, (len(activations) - 1) // 4))
        with _quiet(pacmap.pacmap.__name__), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pacmap.PaCMAP(
                dimensions, n_neighbors=count, distance="angular", random_state=self.seed, apply_pca=False
            )
            return np.asarray(found.fit_transform(activations, init="pca"))


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Let a library warn of errors only: PaCMAP warns that it was given a seed."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


@dataclass(frozen=True)
class PCA(Layout):
    """The main axes of the activations scaled to length one: the plain layout that a better one must beat."""

    def place(self, activations: NDArray[np.float32], dimensions: int) -> NDArray:
        """The places."""
        from sklearn import decomposition

        values = activations.astype(np.float64)
        values /= np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)
        return decomposition.PCA(dimensions, random_state=0).fit_transform(values)


LAYOUTS = ("umap", "tsne", "pacmap", "pca")


def layout_named(name: str, *, neighbors: int = 50, min_dist: float = 0.05, seed: int = 0) -> Layout:
    """A layout by its name; `neighbors` and `min_dist` are UMAP's. Raises `AtlasError` for a name that is none."""
    if name == "umap":
        return UMAP(neighbors, min_dist, seed)
    if name == "pca":
        return PCA()
    if name not in LAYOUTS:
        raise AtlasError(f"there is no layout {name!r}; layouts are {', '.join(LAYOUTS)}")
    return TSNE(seed=seed) if name == "tsne" else PaCMAP(seed=seed)


def lay_out(
    layout: Layout,
    activations: NDArray,
    *,
    most: int = 100_000,
    seed: int = 0,
    advance: Callable[[int], None] = lambda _amount: None,
) -> Points:
    """The places of activations (N, C) in the unit square: (N, 2).

    Of more than `most`, that many at random (by `seed`) are laid out, and each of the others is `placed` among them,
    block by block. `advance` is told how many more have their place.
    """
    count = len(activations)
    if count <= most:
        points = normalize(layout(activations))
        advance(count)
        return points
    chosen = np.sort(np.random.default_rng(seed).choice(count, size=most, replace=False))
    points = normalize(layout(activations[chosen]))
    advance(most)
    return with_the_rest(activations, chosen, points, advance)


def with_the_rest(
    activations: NDArray,
    chosen: NDArray[np.intp],
    points: Points,
    advance: Callable[[int], None] = lambda _amount: None,
) -> Points:
    """The places of all activations (N, C), of which those in the rows `chosen` have `points`: (N, 2).

    Each of the others is placed among these (`Placement`), block by block; `advance` is told how many.
    """
    every = np.empty((len(activations), 2), dtype=np.float32)
    every[chosen] = points
    rest = np.setdiff1d(np.arange(len(activations)), chosen, assume_unique=True)
    place = Placement(activations[chosen], points)
    for at in range(0, len(rest), BLOCK):
        rows = rest[at : at + BLOCK]
        every[rows] = place(activations[rows])
        advance(len(rows))
    return every


def normalize(points: NDArray) -> Points:
    """Fit a layout into the unit square whatever its outliers do.

    Along each axis the range from the 1st to the 99th percentile, widened by a tenth of it on either side, becomes 0 to
    1; what lies outside is moved to the edge (after Carter et al. 2019, with equal margins).
    """
    return normalize_together([points])[0]


def normalize_together(maps: Sequence[NDArray]) -> list[Points]:
    """The same for several layouts by one and the same step, so that they can still be laid over each other."""
    low, high = np.percentile(np.concatenate(maps), [1, 99], axis=0)
    margin = 0.1 * (high - low)
    low, high = low - margin, high + margin
    extent = np.where(high > low, high - low, 1.0)
    return [np.clip((points - low) / extent, 0.0, 1.0).astype(np.float32) for points in maps]
