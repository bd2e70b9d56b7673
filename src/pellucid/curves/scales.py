"""What units do on a dataset, as the scale that their answers to stimuli are read on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.activations.summary import Summary

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and standard deviation (U,) of the rectified activations max(x, 0) of U units on a dataset.

    `fires` (U,) is the share of its positions where a unit is above 0, `positions` how many there were. Activations are
    rectified first, also where the layer itself does not, as in the Curve Detectors article (Cammarata et al., Distill
    2020), whose standard deviations are those after the rectifier: before it they are about three times larger, and
    strengths in them as much smaller.
    """

    mean: Numbers
    deviation: Numbers
    fires: Numbers
    positions: int

    @classmethod
    def of(cls, summary: Summary) -> "Scale":
        """That of a harvested layer's output.

        Exact for a layer whose output is never below 0. For others the values above 0 are taken from the histogram, at
        the middles of its bins.
        """
        fires, positions = summary.firing, int(summary.moments.count.max(initial=0))
        if (summary.minimum >= 0).all():
            return cls(summary.moments.mean, summary.moments.sd, fires, positions)
        edges = np.concatenate([summary.histogram.edges, summary.maximum[:, None]], axis=1)
        low = np.maximum(edges[:, :-1], 0)
        middles = np.maximum((low + np.maximum(edges[:, 1:], low)) / 2, 0)
        counts = np.concatenate([summary.histogram.counts, summary.histogram.over[:, None]], axis=1)
        total = np.where(summary.moments.count > 0, summary.moments.count, np.nan)
        mean = (counts * middles).sum(axis=1) / total
        square = (counts * middles**2).sum(axis=1) / total
        return cls(mean, np.sqrt(np.maximum(square - mean**2, 0)), fires, positions)

    def strength(self, activations: ArrayLike) -> Numbers:
        """Activations (..., U) in standard deviations above the mean; NaN of a unit that never varied."""
        rectified = np.maximum(np.asarray(activations, np.float64), 0)
        deviation = np.where(self.deviation > 0, self.deviation, np.nan)
        return (rectified - self.mean) / deviation

    def take(self, units: ArrayLike) -> "Scale":
        """The scale of some of the units."""
        some = np.asarray(units, np.int64)
        return Scale(self.mean[some], self.deviation[some], self.fires[some], self.positions)
