"""Starts from data: a picture for each kind of image that a unit responds to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor

from pellucid.errors import ImagesError, ObjectiveError
from pellucid.networks import Network
from pellucid.progress import progress_bar
from pellucid.visualize.objectives import Objective, direction, parse
from pellucid.visualize.responses import ImageSource, Shortlist, batches, count_of, features, observe, refuse_nan

_NEAREST = 15  # images that make a start (Nguyen et al. 2016, algorithm 1)


@dataclass(frozen=True, eq=False)
class Starts:
    """Clusters of images, the largest first, as starts for `render(init=...)`.

    `images` (k, C, H, W) are the means of each cluster's most central images, `nearest` (k, C, H, W) the most central
    image of each. `centroids` (k, units) are the mean activations of the clusters in `layer`. `members` are the
    numbers of each cluster's images in the order of the source, the most central first.
    """

    layer: str
    images: Tensor
    nearest: Tensor
    centroids: Tensor
    members: tuple[Tensor, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    def directions(self, *, power: float = 0.0, apart: bool = False) -> tuple[Objective, ...]:
        """The direction of each cluster's centroid in the layer, as an objective; `power` as for `direction`.

        `apart` takes the mean of all images of all clusters away first: what sets the cluster apart.
        """
        sizes = torch.tensor([len(members) for members in self.members]).to(self.centroids)
        center = (sizes @ self.centroids / sizes.sum()) if apart else torch.zeros_like(self.centroids[0])
        return tuple(direction(self.layer, centroid - center, power=power) for centroid in self.centroids)


def cluster_starts(
    network: Network,
    layer: str,
    objective: Objective | str | None,
    images: ImageSource,
    *,
    clusters: int = 4,
    top: int | None = 100,
    average: int | None = _NEAREST,
    seed: int = 0,
    batch: int = 32,
    progress: bool = False,
) -> Starts:
    """Cluster the images of highest activation by what a layer answers to them: intra-class centroids.

    `images` is a tensor (N, C, H, W) in [0, 1] or batches of such, of one size; the `top` of them by `objective` (all,
    with None for either) are taken. Their activations in `layer`, means over the map or the tokens, are put into
    `clusters` by k-means from `seed`, as Wei et al. 2015 do with the images of a class. A start is the mean of the
    `average` images nearest to the centroid (all of the cluster, with None; 1 gives the nearest image itself).
    `progress` shows a bar on standard error.

    Raises `ImagesError` if there are fewer images than asked for, `ObjectiveError` for numbers that cannot be, and
    `LayerError` for a layer that gives neither maps, tokens nor vectors.
    """
    found = _strongest(network, layer, objective, images, clusters, top, average, batch, progress)
    activations = found["features"].double().numpy()
    labels, centers = _kmeans(activations, clusters, seed)
    about = {"method": "cluster_starts", "objective": str(objective), "clusters": clusters, "top": top, "seed": seed}
    return _starts(layer, found, activations, labels, centers, average, {**about, "average": average})


def facets(
    network: Network,
    layer: str,
    objective: Objective | str | None,
    images: ImageSource,
    *,
    clusters: int = 10,
    top: int | None = None,
    average: int | None = _NEAREST,
    dimensions: int = 50,
    perplexity: float = 30.0,
    seed: int = 0,
    batch: int = 32,
    progress: bool = False,
) -> Starts:
    """Starts of multifaceted feature visualization (Nguyen, Yosinski and Clune 2016, algorithm 1).

    The activations of images in `layer` (in the paper the one before the logits) are reduced to `dimensions` by PCA,
    laid out in the plane by t-SNE, and clustered there by k-means; a start is the mean of the `average` images nearest
    to each centroid in the plane. `images` are those of a class, or with `objective` and `top` the ones of highest
    activation. With few images there are fewer dimensions than asked for, and the perplexity is at most a third of
    their number. `centroids` are means in the layer, not in the plane. Everything random comes from `seed`.

    Arguments and errors are those of `cluster_starts`; at least 4 images are needed.
    """
    if dimensions < 1 or perplexity <= 0:
        raise ObjectiveError(f"dimensions = {dimensions} and perplexity = {perplexity:g} must be positive")
    found = _strongest(network, layer, objective, images, clusters, top, average, batch, progress)
    activations = found["features"].double().numpy()
    count, units = activations.shape
    if count < 4:
        raise ImagesError(f"{count} images cannot be laid out in the plane; give at least 4")
    _refuse_equal(activations, max(2, clusters))
    reduced = PCA(min(dimensions, count, units), random_state=seed).fit_transform(activations)
    plane = TSNE(2, perplexity=min(perplexity, (count - 1) / 3), init="random", random_state=seed).fit_transform(
        reduced
    )
    plane = np.asarray(plane, dtype=np.float64)
    labels, centers = _kmeans(plane, clusters, seed)
    about = {"method": "facets", "objective": str(objective), "clusters": clusters, "top": top, "seed": seed}
    about |= {"average": average, "dimensions": dimensions, "perplexity": perplexity}
    return _starts(layer, found, plane, labels, centers, average, about)


def _strongest(
    network: Network,
    layer: str,
    objective: Objective | str | None,
    images: ImageSource,
    clusters: int,
    top: int | None,
    average: int | None,
    batch: int,
    progress: bool,
) -> dict[str, Tensor]:
    """The images of highest value with their numbers and their activations."""
    for name, value in (("clusters", clusters), ("top", top), ("average", average)):
        if value is not None and value < 1:
            raise ObjectiveError(f"{name} = {value} must be at least 1")
    if top is not None and top < clusters:
        raise ObjectiveError(f"{top} images cannot make {clusters} clusters; raise top or lower clusters")
    wanted = parse(objective) if isinstance(objective, str) else objective
    if wanted is not None:
        wanted = wanted.resolve(network)
        wanted.check(network)
        if wanted.pictures != 1:
            raise ObjectiveError(f"images are ranked by an objective of one picture; {wanted} is of {wanted.pictures}")
    network.layer(layer).check()
    layers = frozenset({layer}) | (wanted.layers if wanted is not None else frozenset())
    kept = Shortlist(top)
    seen = 0
    with progress_bar("reading images", count_of(images), shown=progress) as advance:
        for part in batches(images, batch):
            activations = observe(network, part, layers)
            numbers = torch.arange(seen, seen + len(part))
            values = wanted(activations) if wanted is not None else -numbers.double()
            refuse_nan(values, wanted, seen)
            vectors = features(network, layer, activations[layer])
            refuse_nan(vectors.sum(dim=1), layer, seen)
            kept.offer(values, images=part, numbers=numbers, features=vectors)
            seen += len(part)
            advance(len(part))
    for name, value in (("top", top), ("clusters", clusters)):
        if value is not None and value > seen:
            raise ImagesError(
                f"{name} = {value} is more than the {seen} images there are; give more images or lower it"
            )
    return kept.rows


def _kmeans(points: NDArray[np.float64], clusters: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The cluster of each point and the centroids, the largest cluster first."""
    _refuse_equal(points, clusters)
    means = KMeans(clusters, n_init=10, random_state=seed)  # pyright: ignore[reportArgumentType]
    found = means.fit_predict(points).astype(np.int64)
    order = np.argsort(-np.bincount(found, minlength=clusters), kind="stable")
    rank = np.empty(clusters, dtype=np.int64)
    rank[order] = np.arange(clusters)
    return rank[found], np.asarray(means.cluster_centers_, dtype=np.float64)[order]


def _refuse_equal(points: NDArray[np.float64], clusters: int) -> None:
    different = len(np.unique(points, axis=0))
    if different < clusters:
        raise ObjectiveError(
            f"the {len(points)} images cannot be parted in {clusters}: the layer answers to them in {different} "
            "different ways; ask for fewer clusters, or use another layer"
        )


def _starts(
    layer: str,
    found: Mapping[str, Tensor],
    points: NDArray[np.float64],
    labels: NDArray[np.int64],
    centers: NDArray[np.float64],
    average: int | None,
    about: Mapping[str, Any],
) -> Starts:
    images, nearest, centroids, members = [], [], [], []
    for cluster, center in enumerate(centers):
        own = np.flatnonzero(labels == cluster)
        distance = np.square(points[own] - center).sum(axis=1)
        central = torch.from_numpy(own[np.argsort(distance, kind="stable")])
        images.append(found["images"][central[:average]].mean(dim=0))
        nearest.append(found["images"][central[0]])
        centroids.append(found["features"][central].mean(dim=0))
        members.append(found["numbers"][central])
    return Starts(layer, torch.stack(images), torch.stack(nearest), torch.stack(centroids), tuple(members), dict(about))
