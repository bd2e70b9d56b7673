"""Natural directions: those that turned photographs tell, beside those of drawn curves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.natural.joint import JointTuning
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.curves.tuning_curves.tuning_curve import Direction
from pellucid.errors import PellucidError


@dataclass(frozen=True, eq=False)
class NaturalOrientations:
    """Preferred directions of units by turned photographs (`natural`) and by drawn curves (`synthetic`), in degrees.

    Photographs tell how units are turned against each other, not where they point: a photograph's own direction is not
    known. So one angle, the `offset`, is taken from all natural directions, that makes the circular mean of the
    differences 0. `curves` are the natural tuning curves, by that direction. What a unit does not tell is NaN.
    """

    layer: str
    natural: Mapping[int, float]
    synthetic: Mapping[int, float]
    curves: Mapping[int, TuningCurve]
    offset: float

    @property
    def differences(self) -> dict[int, float]:
        """Natural less synthetic direction of each unit, from -180 to 180 degrees.

        NaN of a single unit: the offset leaves nothing of its difference.
        """
        apart = {unit: wrapped(self.natural[unit] - self.synthetic[unit]) for unit in self.natural}
        several = sum(map(math.isfinite, apart.values())) > 1
        return {unit: degrees if several else math.nan for unit, degrees in apart.items()}

    @property
    def rms(self) -> float:
        """The root mean square of the differences, over the units that have one; NaN without any."""
        known = self._known()
        return float(np.sqrt(np.mean(known**2))) if known.size else math.nan

    @property
    def most(self) -> float:
        """The largest difference, in either sense."""
        known = self._known()
        return float(np.abs(known).max()) if known.size else math.nan

    def rows(self) -> list[dict[str, Any]]:
        """One row for each unit: directions, difference, and of its natural tuning curve R, echo, fwhm and peak."""
        rows = []
        for unit, difference in self.differences.items():
            curve = self.curves[unit]
            numbers = {
                "natural": self.natural[unit],
                "synthetic": self.synthetic[unit],
                "difference": difference,
                "R": curve.resultant,
                "echo": curve.echo,
                "fwhm": curve.fwhm,
                "peak": curve.peak,
            }
            known = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
            rows.append({"unit": f"{self.layer}:{unit}", **known})
        return rows

    def _known(self) -> NDArray[np.float64]:
        values = np.array(list(self.differences.values()))
        return values[np.isfinite(values)]


def natural_orientations(
    tunings: Mapping[int, JointTuning] | Sequence[JointTuning],
    synthetic: Mapping[int, TuningCurve],
    *,
    align: Direction = "argmax",
    of: Direction = "mean",
) -> NaturalOrientations:
    """The directions of the units that `synthetic` has tuning curves of, from the photographs of one of them or more.

    The photographs of unit i tell by their aligned mean curves (`JointTuning.curves`, by `align`) how far the direction
    (`of`) of unit k lies from its own, with the curve's resultant length for a weight. From these, the directions
    follow by angular synchronization: they are the phases of the leading eigenvector of the Hermitian matrix of
    w·exp(i·difference) (Singer, Angular synchronization by eigenvectors and semidefinite programming, 2011). With the
    photographs of one unit they are exactly what these tell.

    Raises `PellucidError` without any, for those of a unit or of units that `synthetic` lacks, and if no unit has a
    direction both ways.
    """
    several = list(tunings.values()) if isinstance(tunings, Mapping) else list(tunings)
    units = list(synthetic)
    if not several:
        raise PellucidError("there are no joint tuning curves to take directions from")
    for one in several:
        missing = {*units, one.unit} - {*one.units} or {one.unit} - {*units}
        if missing:
            raise PellucidError(f"unit {one.layer}:{min(missing)} lacks a joint or a synthetic tuning curve")
    curves = [(one.unit, one.curves(align)) for one in several]
    phases = _synchronized(units, curves, of)
    drawn = {unit: synthetic[unit].direction(of) for unit in units}
    apart = np.radians([phases[unit] - drawn[unit] for unit in units])
    known = np.isfinite(apart)
    if not known.any():
        raise PellucidError("no unit has a direction both by photographs and by drawn curves")
    offset = float(np.degrees(np.angle(np.exp(1j * apart[known]).mean())) % 360)
    natural = {unit: (phases[unit] - offset) % 360 for unit in units}
    return NaturalOrientations(several[0].layer, natural, drawn, _pooled(units, curves, natural), offset)


def wrapped(degrees: float) -> float:
    """An angle as one from -180 to 180, without 180."""
    return (degrees + 180) % 360 - 180


def _synchronized(
    units: Sequence[int], curves: Sequence[tuple[int, Mapping[int, TuningCurve]]], of: Direction
) -> dict[int, float]:
    """The directions of units, up to a common angle; NaN of those that answer to no photograph."""
    place = {unit: number for number, unit in enumerate(units)}
    pairs = np.zeros((len(units), len(units)), np.complex128)
    for reference, by_unit in curves:
        for unit in units:
            curve = by_unit[unit]
            # At θ the unit's direction is θ from the reference's; the reference itself says nothing new.
            if unit != reference and math.isfinite(curve.direction(of)):
                pairs[place[unit], place[reference]] += curve.resultant * np.exp(1j * math.radians(curve.direction(of)))
    pairs = pairs + pairs.conj().T
    told = [place[reference] for reference, _ in curves]
    leading = np.linalg.eigh(pairs)[1][:, -1]  # of the largest eigenvalue, that is, of the best agreement
    leading = leading * np.exp(-1j * np.angle(leading[told[0]]))
    return {
        unit: math.degrees(np.angle(leading[place[unit]])) % 360 if abs(leading[place[unit]]) > 1e-9 else math.nan
        for unit in units
    }


def _pooled(
    units: Sequence[int], curves: Sequence[tuple[int, Mapping[int, TuningCurve]]], natural: Mapping[int, float]
) -> dict[int, TuningCurve]:
    """The mean over references of each unit's curve, turned to its reference's direction."""
    known = [(by_unit, natural[reference]) for reference, by_unit in curves if math.isfinite(natural[reference])]
    count = len(next(iter(known[0][0].values())).values)
    at = np.arange(count) * 360 / count
    pooled = {}
    for unit in units:
        values = [
            np.interp(at - turn, by_unit[unit].angles, by_unit[unit].values, period=360) for by_unit, turn in known
        ]
        pooled[unit] = TuningCurve(at, np.mean(values, axis=0))
    return pooled
