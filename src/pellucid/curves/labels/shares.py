"""P(label | x): how often an image of this activation is given which label."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from pellucid.errors import PellucidError


@dataclass(frozen=True)
class Smoothing:
    """The filter of Savitzky and Golay (1964): a polynomial of this `order` through `window` bins, by least squares.

    7 and 2 are those of the Curve Detectors article's figures. At both ends the polynomial of the last whole window is
    used.
    """

    window: int = 7
    order: int = 2

    def __post_init__(self) -> None:
        if self.window < 1 or self.window % 2 == 0 or not 0 <= self.order < self.window:
            raise PellucidError(
                f"smoothing takes an odd window and an order below it, not window {self.window} and order {self.order}"
            )

    def __call__(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Smooth (..., B) along the bins, and clip at 0."""
        if counts.shape[-1] < self.window:
            raise PellucidError(f"a window of {self.window} does not fit into {counts.shape[-1]} bins; smooth less")
        return np.maximum(np.asarray(savgol_filter(counts, self.window, self.order, axis=-1)), 0)


def normalized(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide (..., L, B) by the sums over the labels; 0 where a bin holds none."""
    # What a filter leaves of nothing is rounding, not a share.
    total = counts.sum(axis=-2, keepdims=True)
    return np.divide(counts, total, out=np.zeros_like(counts), where=total > 1e-9)


@dataclass(frozen=True, eq=False)
class LabelShares:
    """P(label | x), `shares` (L, B) of L `labels` in B bins with these `edges` (B + 1,).

    A bin's shares add up to 1, or to 0 where no image was labelled. Raises `PellucidError` if they do not.
    """

    edges: NDArray[np.float64]
    shares: NDArray[np.float64]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.shares.shape != (len(self.labels), len(self.edges) - 1) or len(self.edges) < 2:
            raise PellucidError(
                f"shares are {len(self.labels)} labels by {len(self.edges) - 1} bins, not {self.shares.shape}"
            )
        sums = self.shares.sum(axis=0)
        if (self.shares < -1e-9).any() or not (np.isclose(sums, 1, atol=1e-6) | np.isclose(sums, 0, atol=1e-6)).all():
            raise PellucidError(
                "the shares of the labels of a bin must be positive and add up to 1, or be 0 throughout"
            )

    @classmethod
    def of_counts(
        cls,
        edges: NDArray[np.float64],
        counts: NDArray[np.int64],
        labels: tuple[str, ...],
        smoothing: Smoothing | None,
    ) -> "LabelShares":
        """Smooth counts (L, B), clip them at 0, and divide them by their sum in each bin."""
        smooth = counts.astype(np.float64)
        return cls(edges, normalized(smoothing(smooth) if smoothing else smooth), labels)
