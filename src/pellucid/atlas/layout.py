"""Placing activations in the plane."""

import warnings

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import AtlasError

Points = NDArray[np.float32]  # (N, 2)


def umap_layout(activations: NDArray, *, neighbors: int, min_dist: float, seed: int) -> Points:
    """A UMAP of activations (N, C) by their cosine (Carter et al. 2019), the same for the same seed.

    `neighbors` is lowered where there are fewer activations. Raises `AtlasError` for fewer than 10 of them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # that its part for TensorFlow is not there
        import umap  # slow to import, and not needed to read an atlas

    if len(activations) < 10:
        raise AtlasError(f"{len(activations)} activations are too few to lay out; harvest at least 10")
    reducer = umap.UMAP(
        n_neighbors=min(neighbors, len(activations) - 1),
        min_dist=min_dist,
        metric="cosine",
        random_state=seed,
        n_jobs=1,  # what a seed demands
        low_memory=True,
    )
    return np.asarray(reducer.fit_transform(np.asarray(activations, dtype=np.float32)), dtype=np.float32)


def pca_layout(activations: NDArray) -> Points:
    """The two main axes of the activations scaled to length one: the plain layout that a better one must beat."""
    from sklearn.decomposition import PCA

    values = np.asarray(activations, dtype=np.float64)
    values /= np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)
    return PCA(2, random_state=0).fit_transform(values).astype(np.float32)


def normalize(points: Points) -> Points:
    """Fit a layout into the unit square whatever its outliers do.

    Along each axis the range from the 1st to the 99th percentile, widened by a tenth of it on either side, becomes 0 to
    1; what lies outside is moved to the edge (after Carter et al. 2019, with equal margins).
    """
    low, high = np.percentile(points, [1, 99], axis=0)
    margin = 0.1 * (high - low)
    low, high = low - margin, high + margin
    extent = np.where(high > low, high - low, 1.0)
    return np.clip((points - low) / extent, 0.0, 1.0).astype(np.float32)
