"""How well the activation tells labels apart: the area under the curve of receiver operating characteristic."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from pellucid.activations.distribution import Distribution
from pellucid.curves.labels.counts import LabelCounts
from pellucid.curves.labels.shares import LabelShares
from pellucid.errors import PellucidError, did_you_mean


def auc(counts: LabelCounts, positive: Sequence[str], negative: Sequence[str] | None = None) -> float:
    """The chance that an image with a `positive` label activates the unit more than one with a `negative` label.

    Images of the same bin count half. Negative are by default all other labels. NaN if either has no image. This is of
    the labelled images, which are not spread as those of the dataset are; `dataset_auc` is.
    """
    return _auc(counts.counts.astype(np.float64), counts.labels, positive, negative)


def dataset_auc(
    shares: LabelShares, activations: Distribution, positive: Sequence[str], negative: Sequence[str] | None = None
) -> float:
    """The same of the positions of the dataset: each bin's positions are shared out among the labels by P(label | x).

    P(label | x) is better not smoothed here: what smoothing spreads to neighbouring bins of many positions weighs much.
    Raises `PellucidError` if the bins differ.
    """
    if not np.array_equal(shares.edges, activations.edges):
        raise PellucidError("labels and activations need the same bins")
    return _auc(shares.shares * activations.counts, shares.labels, positive, negative)


def _auc(
    weights: NDArray[np.float64], labels: Sequence[str], positive: Sequence[str], negative: Sequence[str] | None
) -> float:
    """The area from weights (L, B)."""
    others = [label for label in labels if label not in positive] if negative is None else negative
    for label in (*positive, *others):
        if label not in labels:
            raise PellucidError(f"no label {label!r} among {', '.join(labels)}{did_you_mean(label, labels)}")
    if set(positive) & set(others):
        raise PellucidError("no label can be both positive and negative")
    sides = [weights[[labels.index(label) for label in side]].sum(axis=0) for side in (others, positive)]
    if not all(side.sum() > 0 for side in sides):
        return np.nan
    bins = np.arange(weights.shape[1])  # only their order matters
    truth = np.repeat([0, 1], len(bins))
    return float(roc_auc_score(truth, np.tile(bins, 2), sample_weight=np.concatenate(sides)))
