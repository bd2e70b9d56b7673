"""Where a trace starts: the longest way along what was found, through gaps that are not too wide."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial.distance import cdist

from pellucid.errors import PellucidError

Points = NDArray[np.float64]
_MOST = 3000


def longest_way(points: Points, weights: NDArray[np.float64], gap: float) -> Points:
    """The longest way (M, 2) through points (P, 2) of the group that weighs most.

    Points are joined by their minimum spanning tree, of which joints longer than `gap` px are taken out; the way leads
    between the two points of a group that are furthest apart along the tree. Raises `PellucidError` for fewer than two
    points in it, or more than 3000 in all.
    """
    if not 2 <= len(points) <= _MOST:
        raise PellucidError(
            f"{len(points)} places cannot be joined to a line; 2 to {_MOST} can: choose another threshold, or an image "
            "with fewer curves"
        )
    # Two points in one place are no joint to a sparse matrix, so none may be 0 px long.
    apart = np.maximum(cdist(points, points), 1e-9)
    tree = minimum_spanning_tree(csr_matrix(np.where(apart <= gap, apart, 0.0)))
    groups = connected_components(tree, directed=False)[1]
    group = np.flatnonzero(groups == np.bincount(groups, weights).argmax())
    if len(group) < 2:
        raise PellucidError(
            f"no two places lie within {gap:g} px of each other; give a wider gap, or a lower threshold"
        )
    own = tree[group][:, group]
    first = int(dijkstra(own, directed=False, indices=0).argmax())
    away, before = dijkstra(own, directed=False, indices=first, return_predecessors=True)
    way = [int(away.argmax())]
    while way[-1] != first:
        way.append(int(before[way[-1]]))
    return points[group][way]


def way_along_edges(edges: NDArray[np.float64], *, threshold: float = 0.45, gap: float) -> Points:
    """The longest way (M, 2), as (y, x), along extracted edges (H, W) that are at least as strong as `threshold`."""
    return _along(edges, edges >= threshold, gap, np.ones(2), np.zeros(2))


def way_along_peaks(
    response: NDArray[np.float64], stride: NDArray[np.float64], first: NDArray[np.float64], *, threshold: float = 0.4
) -> Points:
    """The longest way (M, 2), as (y, x) in pixels, along the positions (h, w) of a layer that answer strongest.

    That is by at least `threshold` of the greatest response. The unit at row 0 and column 0 looks at the pixel `first`,
    (y, x), each next one `stride` px further. Gaps may be three positions wide.
    """
    return _along(response, response >= threshold * response.max(), 3 * float(stride.max()), stride, first)


def _along(
    strength: NDArray[np.float64],
    mask: NDArray[np.bool_],
    gap: float,
    stride: NDArray[np.float64],
    first: NDArray[np.float64],
) -> Points:
    places = np.argwhere(mask & (strength > 0))
    return longest_way(places * stride + first, strength[tuple(places.T)].astype(np.float64), gap)
