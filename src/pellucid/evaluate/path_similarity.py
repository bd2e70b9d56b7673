"""Normalised path similarity: do visualizations take the path through a network that natural images of a kind take?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.errors import NetworkError
from pellucid.evaluate.paths import unit_ranks
from pellucid.evaluate.score import Score
from pellucid.networks import Network, frozen

Correlation = Literal["spearman", "pearson", "cosine"]
_DRAWS = 1000  # of the bootstrap


@dataclass(frozen=True)
class LayerPath:
    """One layer: (pictures - different) / (same - different), and the three means that it is made of.

    `pictures` is the mean correlation of visualizations with natural images of their class, `same` that of natural
    images of one class, `different` that of natural images of different classes. 1 is the path of natural images of the
    class, 0 that of any natural image; below 0 is farther off than that. The value is None where both anchors are the
    same.
    """

    layer: str
    similarity: Score
    pictures: float
    same: float
    different: float


@dataclass(frozen=True)
class PathSimilarity:
    """All layers in the order in which they were given, with the correlation, and the number of classes compared."""

    layers: tuple[LayerPath, ...]
    correlation: Correlation
    classes: int


def path_similarity(
    natural: Mapping[str, Tensor],
    pictures: Mapping[str, Tensor],
    classes: Tensor,
    picture_classes: Tensor,
    *,
    generator: torch.Generator,
    correlation: Correlation = "spearman",
    images: Tensor | None = None,
    picture_images: Tensor | None = None,
) -> PathSimilarity:
    """The sanity check of Geirhos et al. (ICML 2024, section 4), layer by layer.

    `natural` and `pictures` hold for each layer the activations (M, ...) and (N, ...), which are flattened; `classes`
    (M,) and `picture_classes` (N,) number their classes. For channels a class is a unit, and its natural images those
    that excite it most. For each class the correlations of all pairs are averaged: visualization and natural image of
    the class, two natural images of the class, a natural image of the class and one of another. The three means over
    classes give (i - iii) / (ii - iii). The interval draws classes anew, 1,000 times.

    `images` (M,) and `picture_images` (N,) number the images themselves, -1 for one that is no other: an image is not
    compared with itself, as it would be where it is among the strongest of two units. `correlation` is Spearman's, or
    Pearson's or the cosine, which the paper finds to agree.

    Raises `NetworkError` for other shapes, and if fewer than two classes have visualizations and two natural images.
    """
    classes, owner = classes.cpu(), picture_classes.cpu()
    same_class = classes[:, None] == classes[None]
    usable = [int(one) for one in owner.unique() if int((classes == one).sum()) > 1]
    if len(usable) < 2 or set(natural) != set(pictures) or not natural:
        raise NetworkError(
            f"{len(usable)} classes have visualizations and two natural images, in {len(natural)} layers: path "
            "similarity compares two classes at least, and the same layers of both"
        )
    other = _different(images, images, len(classes), len(classes))
    shown = _different(picture_images, images, len(owner), len(classes))
    found = []
    for layer in natural:
        real = _rows(natural[layer], correlation)
        drawn = _rows(pictures[layer], correlation)
        if len(real) != len(classes) or len(drawn) != len(owner):
            raise NetworkError(
                f"{layer} has activations of {len(real)} natural images and {len(drawn)} visualizations; classes are "
                f"given for {len(classes)} and {len(owner)}"
            )
        among, across = real @ real.T, drawn @ real.T
        means = []
        for one in usable:
            mine, made = classes == one, owner == one
            means.append(
                torch.stack(
                    [
                        _mean(across, (made[:, None] & mine[None]) & shown),
                        _mean(among, mine[:, None] & same_class & other & ~torch.eye(len(classes), dtype=torch.bool)),
                        _mean(among, mine[:, None] & ~same_class & other),
                    ]
                )
            )
        found.append(_layer(layer, torch.stack(means), generator))
    return PathSimilarity(tuple(found), correlation, len(usable))


def measure_path_similarity(
    network: Network,
    layers: Sequence[str],
    natural: Tensor,
    pictures: Tensor,
    classes: Tensor,
    picture_classes: Tensor,
    *,
    generator: torch.Generator,
    correlation: Correlation = "spearman",
    images: Tensor | None = None,
    picture_images: Tensor | None = None,
    batch: int = 16,
) -> PathSimilarity:
    """`path_similarity` of natural images (M, C, H, W) and visualizations (N, C, H, W) in [0, 1], by a network.

    Layers are held in memory for all images, flattened: choose few at a time where the images are many.
    """

    def activations(some: Tensor) -> dict[str, Tensor]:
        with torch.no_grad(), frozen(network.module):
            parts = [network.activations(part.to(network.device, network.dtype), layers) for part in some.split(batch)]
        return {name: torch.cat([part[name].flatten(1).cpu() for part in parts]) for name in layers}

    return path_similarity(
        activations(natural), activations(pictures), classes, picture_classes, generator=generator,
        correlation=correlation, images=images, picture_images=picture_images,
    )  # fmt: skip


def strongest_images(responses: Tensor, units: Sequence[int], count: int) -> tuple[Tensor, Tensor]:
    """The numbers of the `count` images (M,) that excite each unit most, by `responses` (M, U), and whose they are.

    Both are (units · count,): what `path_similarity` takes as `images` and, of these images, as `classes`.
    """
    if not 0 < count <= len(responses):
        raise NetworkError(f"{count} images of each unit are wanted, and there are {len(responses)}")
    chosen = responses[:, list(units)].topk(count, dim=0)[1].T.flatten().cpu()
    return chosen, torch.tensor(list(units)).repeat_interleave(count)


def _rows(activations: Tensor, correlation: Correlation) -> Tensor:
    """Rows whose products are correlations: (N, F) of unit length, in float64."""
    rows = activations.detach().cpu().double().flatten(1)
    if correlation == "spearman":
        return unit_ranks(rows)
    return F.normalize(rows - rows.mean(dim=1, keepdim=True) if correlation == "pearson" else rows, dim=1)


def _different(first: Tensor | None, second: Tensor | None, rows: int, columns: int) -> Tensor:
    """Which pairs are of two images: (rows, columns)."""
    if first is None or second is None:
        return torch.ones(rows, columns, dtype=torch.bool)
    first, second = first.cpu(), second.cpu()
    return (first[:, None] != second[None]) | (first[:, None] < 0)


def _mean(values: Tensor, pairs: Tensor) -> Tensor:
    return values[pairs].mean()


def _layer(layer: str, means: Tensor, generator: torch.Generator) -> LayerPath:
    """From the three means of each class, (K, 3)."""
    kept = means[~means.isnan().any(dim=1)]
    if len(kept) == 0:
        return LayerPath(layer, Score(None, None, None, 0), *[float("nan")] * 3)
    pictures, same, different = kept.mean(dim=0).tolist()
    value = (pictures - different) / (same - different) if same != different else None
    score = Score(value, None, None, len(kept))
    if value is not None and len(kept) > 1:
        drawn = kept[torch.randint(len(kept), (_DRAWS, len(kept)), generator=generator)].mean(dim=1)
        values = (drawn[:, 0] - drawn[:, 2]) / (drawn[:, 1] - drawn[:, 2])
        low, high = values.nanquantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        score = Score(value, low, high, len(kept))
    return LayerPath(layer, score, pictures, same, different)
