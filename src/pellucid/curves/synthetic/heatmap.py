"""What one unit answers to a sweep of stimuli, and what is read off it."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.synthetic.sweeps import Sweep
from pellucid.curves.tuning_curves import TuningCurve

Numbers = NDArray[np.float64]
POINTS = 0.2
"""The resultant length from which on a radial tuning curve points somewhere."""
_FIRES = 0.05  # of the peak: what counts as firing where there is no dataset to compare with; about 1 of 20 sd


@dataclass(frozen=True, eq=False)
class Heatmap:
    """The activations (R, C) of one unit, called `unit`, for the rows and columns of a `sweep` in one `style`.

    With the `mean` and standard `deviation` of the unit's rectified activations on a dataset, `values` are in standard
    deviations above that mean, as in the Curve Detectors article (Cammarata et al., Distill 2020); without them they
    are the activations. Rows go from flat to tight; columns are orientations, for curves the directions of the centre
    of curvature.
    """

    unit: str
    sweep: Sweep
    activations: Numbers
    style: str = "line"
    mean: float | None = None
    deviation: float | None = None

    @property
    def in_sigma(self) -> bool:
        """Whether a dataset is known that the values are measured by."""
        return self.deviation is not None

    @property
    def measure(self) -> str:
        """The unit of measure of the values: "sigma" or "activation"."""
        return "sigma" if self.in_sigma else "activation"

    @cached_property
    def values(self) -> Numbers:
        """Strengths (R, C): (max(a, 0) - mean) / deviation, NaN of a unit that never varied; or activations a."""
        if self.mean is None or self.deviation is None:
            return self.activations
        return (self.response - self.mean) / (self.deviation if self.deviation > 0 else np.nan)

    @cached_property
    def response(self) -> Numbers:
        """The rectified activations (R, C), max(a, 0)."""
        return np.maximum(self.activations, 0)

    @property
    def rows(self) -> Numbers:
        """What the rows stand for (R,): radii in px, or openings in degrees."""
        return self.sweep.rows

    @property
    def angles(self) -> Numbers:
        """The orientations of the columns (C,)."""
        return self.sweep.angles

    @property
    def peak(self) -> float:
        """The greatest of the values."""
        return float(self.values.max())

    @property
    def best(self) -> tuple[float, float]:
        """The row's value (radius or opening) and the orientation of the strongest stimulus; NaN of a silent unit."""
        if not self.response.max() > 0:
            return np.nan, np.nan
        row, column = np.unravel_index(int(self.response.argmax()), self.response.shape)
        return float(self.rows[row]), float(self.angles[column])

    def radial(self) -> TuningCurve:
        """The rectified activations averaged over the rows, by direction.

        Directions of curves and angles are outward normals, 180 degrees on from the orientations of the columns; of
        lines their directions. These are the article's radial tuning curves. They are of activations with a dataset as
        well as without, so that neither direction nor width depends on one.
        """
        curve = TuningCurve(self.angles % self.sweep.period, self.response.mean(axis=0), self.sweep.period)
        return curve.turned(self.sweep.turn)

    @property
    def normal(self) -> float:
        """The circular mean of the radial tuning; NaN of a unit that points nowhere (R < .2), such as a line's."""
        curve = self.radial()
        return curve.circular_mean if curve.resultant >= POINTS else np.nan

    def firing_width(self, above: float | None = None) -> Numbers:
        """The degrees of each row (R,) at which the values are greater than `above`.

        That is by default 1 standard deviation; without a dataset, a twentieth of the peak. For a curve detector it
        widens from flat to tight: a tight curve has something of all orientations near its apex.
        """
        least = above if above is not None else 1.0 if self.in_sigma else _FIRES * max(self.peak, 0.0)
        return (self.values > least).sum(axis=1) * self.sweep.step

    @property
    def wisps(self) -> float:
        """How wispy it is: how far the response goes up and down along all rows, over what one hill a row would take.

        With |Δ| between neighbouring columns once round and the range of each row, Σ|Δ| / Σ 2·range: 1 if each row is
        one smooth hill, 2 if as much again is lost and won on the way; NaN of a unit that answers to all alike.
        """
        change = np.abs(np.roll(self.response, -1, axis=1) - self.response).sum()
        hills = 2 * np.ptp(self.response, axis=1).sum()
        return float(change / hills) if hills > 0 else np.nan

    @property
    def steepest(self) -> float:
        """The greatest change of the response for a degree, in the unit of measure, between neighbouring columns."""
        change = np.abs(np.roll(self.response, -1, axis=1) - self.response).max() / self.sweep.step
        if self.deviation is None:
            return float(change)
        return float(change / self.deviation) if self.deviation > 0 else np.nan

    def describe(self) -> dict[str, Any]:
        """Everything as JSON values; None where a number is not known."""
        return {
            "unit": self.unit,
            "kind": self.sweep.kind,
            "style": self.style,
            "measure": self.measure,
            "mean": _known(self.mean),
            "deviation": _known(self.deviation),
            "orientations": self.angles.tolist(),
            self.sweep.row_name: self.rows.tolist(),
            "activations": self.activations.tolist(),
        }


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
