"""How alike two tuning curves are but for the direction they point in."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.tuning_curves.tuning_curve import Direction, TuningCurve
from pellucid.errors import PellucidError

GRID = 720
"""Angles that curves are compared at, at least: half a degree apart of 360."""


class Shift(NamedTuple):
    """The turn, in degrees clockwise, that makes one curve most like another, and their correlation then."""

    degrees: float
    correlation: float


def best_shift(curve: TuningCurve, other: TuningCurve) -> Shift:
    """The turn of `other` that makes it most like `curve`, and Pearson's correlation of the two responses then.

    Turns are multiples of half a degree (a quarter of lines). A curve without any spread is like none: correlation 0.
    """
    correlations, shifts = _match([curve], [other])
    return Shift(float(shifts[0, 0]), float(correlations[0, 0]))


def shape_correlations(
    curves: Sequence[TuningCurve], others: Sequence[TuningCurve] | None = None
) -> NDArray[np.float64]:
    """The correlations (N, M) of the responses of curves up to rotation, each with the best shift of the other.

    Without `others` the curves are compared with each other, (N, N).
    """
    return _match(curves, curves if others is None else others)[0]


def average(curves: Sequence[TuningCurve], *, by: Direction = "argmax") -> TuningCurve:
    """The mean shape: responses, each divided by its peak and turned to 0 degrees by argmax or circular mean.

    Of 720 angles, or as many as the curve of most angles has. Raises `PellucidError` if there is none that fires.
    """
    pointing = [curve for curve in curves if curve.peak and np.isfinite(curve.direction(by))]
    if not pointing:
        raise PellucidError("none of the tuning curves has a direction, so they have no mean shape")
    count = _grid(pointing)
    turned = [curve.turned(-curve.direction(by)).resampled(count) / curve.peak for curve in pointing]
    return TuningCurve.of(np.mean(turned, axis=0), period=pointing[0].period)


def _match(
    curves: Sequence[TuningCurve], others: Sequence[TuningCurve]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The best correlations (N, M), and the turns in degrees (N, M) that give them."""
    if not curves or not others:
        raise PellucidError("there are no tuning curves to compare")
    count = _grid([*curves, *others])
    one, two = _spectra(curves, count), _spectra(others, count)
    best, shift = np.empty((len(curves), len(others))), np.empty((len(curves), len(others)))
    for row, spectrum in enumerate(one):  # row by row: all pairs of a whole layer would not fit into memory
        crossed = np.fft.irfft(spectrum * two.conj(), count)
        best[row], shift[row] = crossed.max(axis=1), crossed.argmax(axis=1)
    return np.clip(best, -1, 1), shift * curves[0].period / count


def _grid(curves: Sequence[TuningCurve]) -> int:
    periods = {curve.period for curve in curves}
    if len(periods) > 1:
        raise PellucidError("tuning curves of 360 and of 180 degrees cannot be compared with each other")
    return max(GRID, *(len(curve.values) for curve in curves))


def _spectra(curves: Sequence[TuningCurve], count: int) -> NDArray[np.complex128]:
    """Fourier transforms (N, count // 2 + 1) of the responses, less their means, of length 1; of constants 0."""
    sampled = np.stack([curve.resampled(count) for curve in curves])
    sampled -= sampled.mean(axis=1, keepdims=True)
    length = np.linalg.norm(sampled, axis=1, keepdims=True)
    peak = np.array([[max(curve.peak, 1e-300)] for curve in curves])
    # A constant less its mean is not 0 but the rounding of its digits, which would be alike anything.
    told = length > 1e-9 * peak
    return np.fft.rfft(np.divide(sampled, length, out=np.zeros_like(sampled), where=told))
