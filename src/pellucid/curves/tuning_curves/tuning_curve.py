"""One tuning curve and what is read off it: where it points, how sharply, and what answers on the other side."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import PellucidError

ECHO_REACH = 45.0
"""Degrees on either side of the opposite of the peak, within which an echo is looked for."""
Direction = Literal["argmax", "mean"]
"""Where a curve points: at its peak, or at its circular mean."""
_FEWEST = 4  # samples that turn a circle into more than a line
_UNEVEN = 0.01  # of a step: rounding in a file


@dataclass(frozen=True, eq=False)
class TuningCurve:
    """What a unit answers (`values`, (N,)) to a stimulus at each of N `angles` (N,), which go evenly about the circle.

    Angles are in degrees, in image coordinates (y down), clockwise from 3 o'clock. A curve stimulus has a `period` of
    360, a line of 180. What an angle is, the curve's outward normal or the direction of its centre of curvature, which
    is 180 degrees away, is for whoever made the curve to say; `turned(180)` converts one into the other.

    All measures are of the response max(value, 0), as of published tuning curves, which are rectified. A measure that
    is not defined, such as the direction of a unit that never fires, is NaN, and no threshold is met by NaN.

    Raises `PellucidError` for fewer than 4 angles, values that are not finite, and angles that do not rise by the same
    step, period / N.
    """

    angles: NDArray[np.float64]
    values: NDArray[np.float64]
    period: float = 360.0

    def __post_init__(self) -> None:
        number = len(self.values)
        if self.values.ndim != 1 or self.angles.shape != self.values.shape or number < _FEWEST:
            raise PellucidError(
                f"a tuning curve has one value for each of {_FEWEST} angles or more, "
                f"not {self.values.shape} values for {self.angles.shape} angles"
            )
        if not (np.isfinite(self.values).all() and np.isfinite(self.angles).all()):
            raise PellucidError("the values and angles of a tuning curve must be finite numbers")
        if self.period not in (360, 180):
            raise PellucidError(f"a tuning curve repeats after 360 degrees, or for lines 180, not {self.period:g}")
        step = self.period / number
        if np.abs(np.diff(self.angles) - step).max() > _UNEVEN * step:
            raise PellucidError(
                f"the {number} angles of a tuning curve must rise by {step:g} degrees, once round {self.period:g} "
                "without the closing angle"
            )

    @classmethod
    def of(cls, values: ArrayLike, *, period: float = 360.0) -> "TuningCurve":
        """The curve of values at 0, period / N, 2 period / N, and so on."""
        array = np.asarray(values, np.float64)
        return cls(np.arange(array.size, dtype=np.float64) * period / max(array.size, 1), array, period)

    @property
    def response(self) -> NDArray[np.float64]:
        """The rectified values (N,), max(value, 0)."""
        return np.maximum(self.values, 0)

    @property
    def step(self) -> float:
        """Degrees between neighbouring angles."""
        return self.period / len(self.values)

    @property
    def peak(self) -> float:
        """The greatest response; 0 of a unit that never fires."""
        return float(self.response.max())

    @property
    def argmax(self) -> float:
        """The angle of the greatest response, the first of several; NaN of a unit that never fires."""
        return float(self.angles[self.values.argmax()] % self.period) if self.peak > 0 else np.nan

    @property
    def circular_mean(self) -> float:
        """The angle of Σ aᵢ exp(iθᵢ), with θ once round the circle in a period; NaN where that sum is 0."""
        mean = self._moment(1)
        return float(np.angle(mean) / (2 * np.pi) * self.period % self.period) if abs(mean) > 1e-9 else np.nan

    @property
    def resultant(self) -> float:
        """The resultant length R = |Σ aᵢ exp(iθᵢ)| / Σ aᵢ: 1 of a response at one angle, 0 of an even one."""
        return float(abs(self._moment(1)))

    @property
    def doubled_resultant(self) -> float:
        """The resultant length of lines, |Σ aᵢ exp(2iθᵢ)| / Σ aᵢ: opposite directions count as one orientation."""
        return float(abs(self._moment(2 if self.period == 360 else 1)))

    @property
    def axis(self) -> float:
        """The orientation of lines, 0 to 180: half the angle of Σ aᵢ exp(2iθᵢ); NaN where that sum is 0."""
        mean = self._moment(2 if self.period == 360 else 1)
        return float(np.angle(mean, deg=True) / 2 % 180) if abs(mean) > 1e-9 else np.nan

    @property
    def echo(self) -> float:
        """The greatest response within 45 degrees of the opposite of the argmax, over the peak; NaN of lines."""
        if self.period != 360 or not self.peak:
            return np.nan
        away = np.abs((self.angles - self.argmax) % 360 - 180)
        # In the rounding of the angles themselves, the ends belong to the window.
        near = self.response[away <= ECHO_REACH + 1e-6]
        return float(near.max() / self.peak) if near.size else np.nan

    @property
    def fwhm(self) -> float:
        """The full width at half maximum in degrees, about the argmax, linear between samples.

        The whole period where no response is below half the peak.
        """
        if not self.peak:
            return np.nan
        about = np.roll(self.response, -int(self.values.argmax())) / self.peak
        if about.min() >= 0.5:
            return self.period
        return (_half(about) + _half(np.roll(about[::-1], 1))) * self.step

    def direction(self, of: Direction) -> float:
        """The angle of the `argmax`, or the circular `mean`."""
        return self.argmax if of == "argmax" else self.circular_mean

    def turned(self, degrees: float) -> "TuningCurve":
        """The same curve clockwise by so many degrees; nothing is interpolated."""
        angles = (self.angles + degrees) % self.period
        order = np.argsort(angles, kind="stable")
        return TuningCurve(angles[order], self.values[order], self.period)

    def resampled(self, count: int) -> NDArray[np.float64]:
        """The response (count,) at the angles 0, period / count, ..., linear between samples."""
        at = np.arange(count) * self.period / count
        return np.interp(at, self.angles, self.response, period=self.period)

    def _moment(self, order: int) -> complex:
        """Σ a exp(i·order·θ) / Σ a, NaN of a unit that never fires."""
        response = self.response
        if not self.peak:
            return complex(np.nan)
        return complex(response @ np.exp(2j * np.pi * order * self.angles / self.period) / response.sum())


def _half(falling: NDArray[np.float64]) -> float:
    """Steps from the start, 1, to where a curve first falls to 0.5."""
    below = int(np.argmax(falling < 0.5))
    before, after = float(falling[below - 1]), float(falling[below])
    return below - 1 + (before - 0.5) / (before - after)
