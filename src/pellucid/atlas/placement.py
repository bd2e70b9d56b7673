"""Placing activations in a layout that is there, among those that they resemble."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.nearest import Nearest
from pellucid.errors import AtlasError

Points = NDArray[np.float32]  # (N, 2)
Groups = tuple[NDArray[np.integer], NDArray[np.integer]]
_INDEXED = 20_000  # activations from which on an index is worth its making
_CANDIDATES = 3  # times as many as wanted are asked of the index, which knows them in half precision only
_OUT_OF_REACH = 3.0  # further than anything is by 1 - cosine
_AT_ONCE = 2**25  # cosines that are held where nothing is indexed


@dataclass(frozen=True, eq=False)
class Placement:
    """Gives places (M, 2) to activations (M, C) in a layout: `points` (N, 2) of `activations` (N, C).

    Each comes to stand at the mean of the places of its `neighbors` nearest by cosine, weighted by 1 over 1 - cosine:
    an activation of the layout itself comes to stand where it is; one that is zero stands in the middle of all. The
    neighbours are found through an index (usearch, where it is installed) if there are 20,000 activations or more, and
    are then the nearest of three times as many that it gives; else one by one.
    """

    activations: NDArray
    points: Points
    neighbors: int = 5

    def __call__(self, new: NDArray) -> Points:
        """The places. Raises `AtlasError` for activations of another number of channels."""
        return self.near(new)[0]

    def near(self, new: NDArray, own: Groups | None = None) -> tuple[Points, NDArray[np.float32]]:
        """The places, and 1 - cosine to the nearest: (M,), 1 for an activation that is zero.

        With `own`, the groups (M,) of the new and (N,) of those of the layout, none is placed by its own group.
        Raises `AtlasError` for activations of another number of channels.
        """
        if new.ndim != 2 or new.shape[1] != self.activations.shape[1]:
            channels = self.activations.shape[1]
            raise AtlasError(f"activations {new.shape} cannot be placed among those of {channels} channels")
        values = new.astype(np.float64)
        alive = np.flatnonzero(np.linalg.norm(values, axis=1) > 0)
        places = np.repeat(self.points.mean(axis=0, keepdims=True), len(new), axis=0).astype(np.float32)
        far = np.ones(len(new), dtype=np.float32)
        step = max(1, _AT_ONCE // len(self.activations))
        for some in (alive[at : at + step] for at in range(0, len(alive), step)):
            count = min(self.neighbors, len(self.activations))
            if own is None:
                nearest, distances = self._nearest(values[some], count)
            else:
                nearest, distances = self._nearest_of_others(values[some], count, own[0][some, None] == own[1][None])
            far[some] = distances.min(axis=1)
            weights = 1 / np.maximum(distances, 1e-9)
            weights /= weights.sum(axis=1, keepdims=True)
            places[some] = (weights[:, :, None] * self.points[nearest]).sum(axis=1)
        return places, far

    def _nearest(self, values: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The nearest to each of values (M, C), and 1 - cosine with them: both (M, count)."""
        if len(self.activations) < _INDEXED:
            from sklearn.neighbors import NearestNeighbors

            exact = NearestNeighbors(n_neighbors=count, metric="cosine", algorithm="brute")
            distances, nearest = exact.fit(self.activations.astype(np.float64)).kneighbors(values)
            return nearest, distances
        candidates, _ = self._index.search(values, _CANDIDATES * count)
        distances = 1 - self._cosines(values, candidates)
        order = np.argsort(distances, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(candidates, order, 1), np.take_along_axis(distances, order, 1)

    def _nearest_of_others(
        self, values: NDArray[np.float64], count: int, same: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The same, one by one, of those that are not the `same` (M, N): where these are too few, of some far away."""
        cosines = values.astype(np.float32) @ self._units.T
        cosines[same] = -np.inf
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        distances = 1 - self._cosines(values, nearest)
        return nearest, np.where(np.take_along_axis(same, nearest, axis=1), _OUT_OF_REACH, distances)

    @cached_property
    def _units(self) -> NDArray[np.float32]:
        known = self.activations.astype(np.float32)
        return known / np.linalg.norm(known, axis=1, keepdims=True).clip(1e-12)

    @cached_property
    def _index(self) -> Nearest:
        return Nearest.of(self.activations, threads=1)  # of one thread it is the same every time

    def _cosines(self, values: NDArray[np.float64], others: NDArray[np.int64]) -> NDArray[np.float64]:
        units = values / np.linalg.norm(values, axis=1, keepdims=True)
        found = np.empty(others.shape)
        for column in range(others.shape[1]):
            there = self.activations[others[:, column]].astype(np.float64)
            found[:, column] = np.einsum("mc,mc->m", units, there) / np.linalg.norm(there, axis=1).clip(1e-12)
        return found


def placed(new: NDArray, activations: NDArray, points: Points, *, neighbors: int = 5) -> Points:
    """Places (M, 2) for `new` activations (M, C) in a layout that is there: `points` (N, 2) of `activations` (N, C).

    Each stands at the mean of the places of its nearest neighbours by cosine, as `Placement` has it. Raises
    `AtlasError` for activations of another number of channels.
    """
    return Placement(activations, points, neighbors)(new)
