"""How units of a layer are active together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SummaryError


@dataclass(frozen=True, eq=False)
class Covariance:
    """Sums of products of units at one position, over `count` positions: `sums` (U,) and `products` (U, U)."""

    count: int
    sums: NDArray[np.float64]
    products: NDArray[np.float64]

    @classmethod
    def empty(cls, units: int) -> "Covariance":
        """Of nothing: what changes nothing when joined."""
        return cls(0, np.zeros(units), np.zeros((units, units)))

    def merge(self, other: "Covariance") -> "Covariance":
        """Of both sets of positions."""
        return Covariance(self.count + other.count, self.sums + other.sums, self.products + other.products)

    @property
    def coactivation(self) -> NDArray[np.float64]:
        """The mean product of each two units (U, U), about 0."""
        return self.products / self._counted

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The mean product of each two units' distances from their means (U, U)."""
        mean = self.sums / self._counted
        return self.coactivation - np.outer(mean, mean)

    def whitening(self, damping: float = 1e-3) -> NDArray[np.float64]:
        """The symmetric W (U, U) with W (C + d·I) W = I, where C is the covariance.

        `damping` is d as a share of the mean variance; it keeps silent units from being blown up. Whitened directions
        are those of Carter et al., Activation Atlas (Distill 2019), and of Lucid's whitened objectives.
        """
        if damping < 0:
            raise SummaryError(f"damping = {damping:g} must not be negative")
        covariance = self.covariance
        values, vectors = np.linalg.eigh(covariance)
        values = np.maximum(values, 0) + damping * np.trace(covariance) / len(covariance)
        if not (values > 0).all():
            raise SummaryError("the covariance is singular; give a positive damping")
        return (vectors / np.sqrt(values)) @ vectors.T

    @property
    def _counted(self) -> int:
        if self.count == 0:
            raise SummaryError("there are no positions to take a mean over")
        return self.count
