"""The bell of the circle: von Mises' curve, and its fit to a tuning curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from pellucid.curves.tuning_curves.tuning_curve import TuningCurve

_SHARPEST = 5000.0  # of κ: one degree wide


@dataclass(frozen=True)
class VonMises:
    """The curve amplitude · exp(κ (cos(θ - direction) - 1)), with `direction` in degrees (von Mises 1918).

    `r2` is the share of the variance of a fitted curve that it explains; NaN where nothing was fitted.
    """

    amplitude: float
    direction: float
    kappa: float
    period: float = 360.0
    r2: float = np.nan

    def at(self, angles: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values (N,) at angles (N,) in degrees."""
        phases = 2 * np.pi * (angles - self.direction) / self.period
        return self.amplitude * np.exp(self.kappa * (np.cos(phases) - 1))

    def curve(self, count: int = 720) -> TuningCurve:
        """Itself as a tuning curve of `count` angles."""
        return TuningCurve.of(self.at(np.arange(count) * self.period / count), period=self.period)


def fit_von_mises(curve: TuningCurve) -> VonMises | None:
    """Fit von Mises' curve to the response by least squares; None for a unit that never fires.

    Nothing is added to the curve, so that what answers everywhere cannot be explained, and lowers R². The search starts
    from the circular mean and from the peak, and the better end is kept.
    """
    if not curve.peak:
        return None
    response, phases = curve.response / curve.peak, 2 * np.pi * curve.angles / curve.period

    def residuals(at: NDArray[np.float64]) -> NDArray[np.float64]:
        return at[0] * np.exp(at[2] * (np.cos(phases - at[1]) - 1)) - response

    length = min(curve.resultant, 0.995)
    kappa = max(length * (2 - length**2) / (1 - length**2), 0.1)  # Banerjee et al. 2005
    starts = [np.deg2rad(one * 360 / curve.period) for one in (curve.circular_mean, curve.argmax) if np.isfinite(one)]
    bounds = ([0, -np.inf, 0], [np.inf, np.inf, _SHARPEST])
    fits = [least_squares(residuals, [1, start, kappa], bounds=bounds) for start in starts]
    best = min(fits, key=lambda fit: fit.cost)
    spread = float(np.square(response - response.mean()).sum())
    amplitude, phase, kappa = best.x.tolist()
    return VonMises(
        amplitude * curve.peak,
        phase / (2 * np.pi) * curve.period % curve.period,
        kappa,
        curve.period,
        1 - 2 * best.cost / spread if spread > 0 else np.nan,
    )
