"""How many images of each activation were given which label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.curves.labels.shares import LabelShares, Smoothing
from pellucid.errors import PellucidError

LABELS = ("curve", "imperfect", "unrelated", "opposing")
"""The labels of the Curve Detectors article, from what the unit is for to its opposite."""


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """The numbers of images `counts` (L, B) with each of L `labels` in each of B bins of the unit's activation.

    Bin b holds edges[b] <= x < edges[b + 1] (`edges` (B + 1,) rise). Raises `PellucidError` if edges do not rise,
    counts are negative, or the shapes do not fit.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    labels: tuple[str, ...] = LABELS

    def __post_init__(self) -> None:
        if self.counts.shape != (len(self.labels), len(self.edges) - 1) or len(self.edges) < 2:
            raise PellucidError(
                f"counts are {len(self.labels)} labels by {len(self.edges) - 1} bins, not {self.counts.shape}"
            )
        if len(set(self.labels)) < len(self.labels):
            raise PellucidError(f"each label stands once, not as in {', '.join(self.labels)}")
        if not np.isfinite(self.edges).all() or (np.diff(self.edges) <= 0).any():
            raise PellucidError("the edges of the bins must be finite and rise")
        if (self.counts < 0).any():
            raise PellucidError("there are no negative counts of images")

    @classmethod
    def of(
        cls, values: ArrayLike, labels: Sequence[str], edges: ArrayLike, names: Sequence[str] = LABELS
    ) -> "LabelCounts":
        """Count images by their activations (N,) and labels (N,) in bins of these edges (B + 1,).

        Raises `PellucidError` for a label that is not among the names, and a value that is in none of the bins.
        """
        values, edges = np.asarray(values, np.float64), np.asarray(edges, np.float64)
        if values.shape != (len(labels),):
            raise PellucidError(f"{values.size} activations do not belong to {len(labels)} labels")
        unknown = sorted(set(labels) - set(names))
        if unknown:
            raise PellucidError(f"label {unknown[0]!r} is none of {', '.join(names)}")
        outside = values[~((values >= edges[0]) & (values < edges[-1]))]
        if outside.size:
            raise PellucidError(
                f"{outside.size} images, such as one of activation {outside[0]:g}, are in none of the bins, which go "
                f"from {edges[0]:g} to {edges[-1]:g}"
            )
        of_name = np.array([names.index(label) for label in labels], dtype=np.int64)
        counts = np.zeros((len(names), len(edges) - 1), dtype=np.int64)
        np.add.at(counts, (of_name, np.searchsorted(edges, values, side="right") - 1), 1)
        return cls(edges, counts, tuple(names))

    def on(self, edges: ArrayLike) -> "LabelCounts":
        """The same with other bins, which begin and end wherever they like, but have the same edges between.

        Raises `PellucidError` if the bins differ, or an image would be in none of them.
        """
        edges = np.asarray(edges, np.float64)
        width = float(np.diff(self.edges).min())
        place = np.searchsorted(edges, self.edges[:-1] - 1e-6 * width)
        filled = self.counts.any(axis=0)
        fits = place < len(edges) - 1
        fits[fits] = (np.abs(edges[place[fits]] - self.edges[:-1][fits]) < 1e-6 * width) & (
            np.abs(edges[place[fits] + 1] - self.edges[1:][fits]) < 1e-6 * width
        )
        if not fits[filled].all():
            wrong = self.edges[:-1][filled & ~fits][0]
            raise PellucidError(
                f"the bin of labels that begins at {wrong:g} is none of the {len(edges) - 1} bins of the activations, "
                f"from {edges[0]:g} to {edges[-1]:g}; both need the same bins"
            )
        counts = np.zeros((len(self.labels), len(edges) - 1), dtype=np.int64)
        counts[:, place[filled]] = self.counts[:, filled]
        return replace(self, edges=edges, counts=counts)

    def shares(self, smoothing: Smoothing | None = Smoothing()) -> LabelShares:
        """P(label | x): smoothed counts, clipped at 0, over their sum in each bin; None does not smooth."""
        return LabelShares.of_counts(self.edges, self.counts, self.labels, smoothing)

    def above(self, threshold: float) -> dict[str, int]:
        """The images of each label in bins that begin at the threshold or above."""
        return dict(zip(self.labels, self.counts[:, self.edges[:-1] >= threshold].sum(axis=1).tolist(), strict=True))

    @property
    def totals(self) -> dict[str, int]:
        """The images of each label."""
        return dict(zip(self.labels, self.counts.sum(axis=1).tolist(), strict=True))
