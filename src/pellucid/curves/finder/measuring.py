"""From a layer's responses to the bank to what the rule asks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.rule import Measured, template_correlation
from pellucid.curves.scales import Scale
from pellucid.curves.stimuli import Bank
from pellucid.curves.tuning_curves import TuningCurve

Responses = NDArray[np.float32]
STYLES = ("line", "fill", "line-inverse")
"""The styles in which both curves and lines are shown."""
JUDGED = ("curve", "line", "angle")
"""The kinds of stimuli that the rule asks for."""


@dataclass(frozen=True, eq=False)
class LayerMeasures:
    """What was measured on the U units of a layer, arrays (U,) but for `tuning`.

    `tuning` (U, T) is the response to black curves by outward normal, 0, 360 / T, ... degrees: the mean over radii of
    the activations above 0. `z` is the strongest response to a black curve in standard deviations above the mean of the
    dataset. `line_over_curve` compares the strongest responses to lines and to curves, in the same styles,
    `angle_over_curve` those to angles and to curves as black lines; `ring_over_curve` and `grating_over_curve` those to
    rings, dots and gratings, which the rule does not ask for, NaN where the bank has none. `fill_correlation` is that
    of the two heatmaps, orientation by radius, of lines and of filled shapes. `radius` is the radius in px of the
    strongest response. What is not defined, for a unit that no curve excites, is NaN.
    """

    tuning: NDArray[np.float64]
    z: NDArray[np.float64]
    line_over_curve: NDArray[np.float64]
    angle_over_curve: NDArray[np.float64]
    ring_over_curve: NDArray[np.float64]
    grating_over_curve: NDArray[np.float64]
    fill_correlation: NDArray[np.float64]
    radius: NDArray[np.float64]
    fires: NDArray[np.float64]

    @property
    def units(self) -> int:
        """The number of units."""
        return len(self.z)

    def curve(self, unit: int) -> TuningCurve:
        """The tuning curve of a unit."""
        return TuningCurve.of(self.tuning[unit])

    def measured(self, units: list[int]) -> list[Measured]:
        """What the rule is given for some of the units."""
        curves = [self.curve(unit) for unit in units]
        shapes = template_correlation(curves) if curves else []
        return [
            Measured(
                curve,
                z=float(self.z[unit]),
                line_over_curve=float(self.line_over_curve[unit]),
                angle_over_curve=float(self.angle_over_curve[unit]),
                template_correlation=shape,
                fill_correlation=float(self.fill_correlation[unit]),
                fires=float(self.fires[unit]),
            )
            for unit, curve, shape in zip(units, curves, shapes, strict=True)
        ]


def measure(responses: Responses, bank: Bank, scale: Scale) -> LayerMeasures:
    """Measure all units of a layer by their responses (stimuli, units) to a standard bank."""
    rectified = np.maximum(np.nan_to_num(responses, posinf=0, neginf=0), 0)
    line, fill = (bank.grid("radius", "orientation", kind="curve", style=style) for style in ("line", "fill"))
    curves = rectified[line.index]  # (radii, orientations, units)
    strongest = curves.max(axis=(0, 1))
    half = len(line.columns) // 2
    by_normal = np.roll(curves.mean(axis=0), half, axis=0)  # the normal points away from the centre of curvature
    with np.errstate(divide="ignore", invalid="ignore"):
        best = rectified[bank.where(kind="curve")].max(axis=0)
        return LayerMeasures(
            by_normal.T.astype(np.float64),
            np.where(strongest > 0, scale.strength(strongest), np.nan),
            rectified[bank.where(kind="line", style=STYLES)].max(axis=0) / _some(best),
            rectified[bank.where(kind="angle")].max(axis=0) / _some(strongest),
            _strongest(rectified[bank.where(kind="circle")]) / _some(best),
            _strongest(rectified[bank.where(kind="grating")]) / _some(best),
            _correlations(curves, rectified[fill.index]),
            np.where(strongest > 0, line.rows[curves.max(axis=1).argmax(axis=0)], np.nan),
            scale.fires,
        )


def _strongest(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest of the rows, or NaN without a row."""
    return values.max(axis=0) if len(values) else np.full(values.shape[1:], np.nan, np.float32)


def _some(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.where(values > 0, values, np.nan).astype(np.float64)


def _correlations(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """The correlation of each unit's two maps (R, T, U)."""
    flat = [maps.reshape(-1, maps.shape[-1]).astype(np.float64) for maps in (one, other)]
    first, second = (maps - maps.mean(axis=0) for maps in flat)
    length = np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=0)
    return (first * second).sum(axis=0) / np.where(length > 0, length, np.nan)
