"""What the labels make up of a dataset: of its positions, and of the expected value of the unit's activation."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.distribution import Distribution
from pellucid.curves.labels.shares import LabelShares
from pellucid.errors import PellucidError

Place = Literal["left", "centre"]
"""Which value stands for a bin: its left edge or its centre."""


@dataclass(frozen=True, eq=False)
class Composition:
    """P(label | x) on the activations p(x) of a dataset, in bins with `edges` (B + 1,), each standing for `x` (B,).

    - `conditional` (L, B): P(label | x);
    - `density` (L, B): p(x) P(label | x), with p(x) the share of all positions for each unit of activation;
    - `contribution` (L, B): max(x, 0) p(x) P(label | x), over the sum of max(x, 0) p(x) over all bins. It adds up to 1,
      less the share in bins without any labels.
    """

    edges: NDArray[np.float64]
    x: NDArray[np.float64]
    labels: tuple[str, ...]
    conditional: NDArray[np.float64]
    density: NDArray[np.float64]
    contribution: NDArray[np.float64]

    @property
    def shares(self) -> dict[str, float]:
        """The part of the unit's expected activation, E[max(x, 0)], that images of each label make up."""
        return dict(zip(self.labels, self.contribution.sum(axis=1).tolist(), strict=True))

    @property
    def unlabelled(self) -> float:
        """The part of the expected activation in bins where no image was labelled."""
        return max(0.0, 1 - float(self.contribution.sum()))

    @property
    def prevalence(self) -> dict[str, float]:
        """The share of the positions in labelled bins that each label has."""
        mass = self.density @ np.diff(self.edges)
        return dict(zip(self.labels, (mass / mass.sum()).tolist(), strict=True))

    @property
    def fires(self) -> dict[str, float]:
        """The share of the positions of each label that lie in bins from 0 on; NaN of a label without any."""
        mass = self.density * np.diff(self.edges)
        active = mass[:, self.edges[:-1] >= 0].sum(axis=1)
        whole = mass.sum(axis=1)
        shares = np.divide(active, whole, out=np.full(len(whole), np.nan), where=whole > 0)
        return dict(zip(self.labels, shares.tolist(), strict=True))


def compose(shares: LabelShares, activations: Distribution, *, at: Place = "left") -> Composition:
    """Put P(label | x) upon the activations of a dataset, whose bins stand for their `left` edges or `centre`s.

    The convention matters: the article's figures take left edges, and for its unit the labels curve and imperfect make
    up .553 of the expected activation with these, and .524 with centres. Raises `PellucidError` if the bins differ, or
    the unit never fires.
    """
    edges = activations.edges
    if shares.edges.shape != edges.shape or not np.allclose(
        shares.edges, edges, rtol=0, atol=1e-6 * np.diff(edges).min()
    ):
        raise PellucidError(
            "labels and activations need the same bins, such as Distribution.merged makes of narrower ones, not "
            f"{shares.shares.shape[1]} from {shares.edges[0]:g} to "
            f"{shares.edges[-1]:g} and {len(edges) - 1} from {edges[0]:g} to {edges[-1]:g}"
        )
    x = edges[:-1] if at == "left" else activations.centres
    expected = expected_value(x, activations)
    density = activations.density * shares.shares
    weight = np.maximum(x, 0) * activations.counts / expected
    return Composition(edges, x, shares.labels, shares.shares, density, weight * shares.shares)


def expected_value(x: NDArray[np.float64], activations: Distribution) -> float:
    """Σ max(x, 0) · count over bins that stand for x (B,). Raises `PellucidError` if it is 0."""
    expected = float(np.maximum(x, 0) @ activations.counts)
    if not expected:
        raise PellucidError("the unit fires in none of the bins, so that nothing makes up its activation")
    return expected
