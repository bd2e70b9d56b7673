"""The natural check: whether photographs that a unit fires at point where the curves do that it prefers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from pellucid.curves.natural.joint import JointTuning, joint_tunings
from pellucid.curves.natural.orientations import wrapped
from pellucid.curves.natural.place import Place
from pellucid.curves.rule import Thresholds
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.networks.taps import Tap

_GRID = 720  # directions, half a degree apart
CHANCE = 0.01
"""The most that `NaturalCheck.chance` may be of a unit that is confirmed."""


@dataclass(frozen=True, eq=False)
class NaturalCheck:
    """Where the photographs that a unit fires at point, told by the other units of its layer, and where curves do.

    `synthetic` is the unit's preferred direction by drawn curves, `natural` that of its photographs, turned to where it
    answers most, both in degrees. `readings` are the directions of the single photographs. `fit` is the correlation of
    what the other units answer to the photographs with what they answer to drawn curves, at `natural`. `curve` is the
    unit's own mean response to the photographs, by how far they are turned from where it answers most: its shape says
    what the synthetic one does, its direction nothing. What cannot be told is NaN, and `note` says why.
    """

    unit: str
    synthetic: float
    natural: float
    fit: float
    readings: tuple[float, ...]
    curve: TuningCurve | None
    note: str = ""

    @property
    def difference(self) -> float:
        """Natural less synthetic direction, from -180 to 180 degrees."""
        return wrapped(self.natural - self.synthetic)

    @property
    def agreement(self) -> float:
        """The mean cosine of the differences of single photographs: 1 if all point where curves do, 0 of any."""
        if not self.readings:
            return math.nan
        return float(np.cos(np.radians(np.array(self.readings) - self.synthetic)).mean())

    @property
    def chance(self) -> float:
        """How likely as many photographs, pointing anywhere, agree as well: the V test, with its normal approximation
        (Greenwood and Durand, The distribution of length and components of the sum of n random unit vectors, 1955)."""
        return float(norm.sf(self.agreement * math.sqrt(2 * len(self.readings)))) if self.readings else math.nan

    def confirms(self, limit: float = Thresholds.mature_natural, chance: float = CHANCE) -> bool:
        """Whether the directions differ by at most `limit` degrees, and photographs agree by less than chance."""
        return abs(self.difference) <= limit and self.chance <= chance

    def row(self) -> dict[str, Any]:
        """The numbers, None for what is not known, and of the natural tuning curve R, echo and fwhm."""
        curve = self.curve
        numbers = {
            "natural": self.natural,
            "synthetic": self.synthetic,
            "difference": self.difference,
            "fit": self.fit,
            "agreement": self.agreement,
            "chance": self.chance,
            "R": curve.resultant if curve else math.nan,
            "echo": curve.echo if curve else math.nan,
            "fwhm": curve.fwhm if curve else math.nan,
        }
        known = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        told = {"photographs": len(self.readings), "confirmed": self.confirms(), "note": self.note}
        return {"unit": self.unit, **known, **told}


def natural_check(
    network: Network,
    layer: str,
    places: Mapping[int, Sequence[Place]],
    photographs: Any,
    synthetic: Mapping[int, TuningCurve],
    *,
    step: float = 10.0,
    side: Tap = "post",
    **options: Any,
) -> dict[int, NaturalCheck]:
    """Check units of a layer, each by the photographs it fired at (`places`), with all others to tell the direction.

    `synthetic` are tuning curves to drawn curves of the units of the layer, all of them if possible; natural directions
    are of the same kind, such as outward normals. The photographs are turned every `step` degrees; further options are
    those of `joint_tuning`. How it is told, see `population_check`. A unit without places is not confirmed.
    """
    known = {unit: some for unit, some in places.items() if some}
    tunings = joint_tunings(network, layer, known, photographs, step=step, side=side, **options) if known else {}
    found = {}
    for unit in places:
        if unit in tunings:
            found[unit] = population_check(tunings[unit], synthetic)
        else:
            direction = synthetic[unit].circular_mean if unit in synthetic else math.nan
            found[unit] = _untold(f"{layer}:{unit}", direction, None, "it fires at no photograph")
    return found


def population_check(joint: JointTuning, synthetic: Mapping[int, TuningCurve]) -> NaturalCheck:
    """Read the direction of a unit's photographs off what the other units of its layer answer to them.

    The direction n of a photograph is that at which the other units answer to it, turned by a, as they do to a drawn
    curve of the direction n + a: where Σₖ Rₖ Σₐ Aₖ(a) Tₖ(n + a) / sₖ² is greatest, over units k with responses A to the
    photograph and T to curves, each less its mean and over the greatest of either, s. A unit counts by the resultant
    length R of T, for lines and textures cannot tell a direction from its opposite. a is counted from where the unit
    that is checked answers itself, so that n is its preferred direction if photographs and drawings are the same to it.
    Nothing else of the unit is used: with its own responses it would confirm itself. `natural` is read off the sum over
    the photographs, `readings` off each.
    """
    address = f"{joint.layer}:{joint.unit}"
    if joint.unit not in synthetic:
        raise PellucidError(f"unit {address} has no tuning curve to drawn curves that its photographs could confirm")
    direction = synthetic[joint.unit].circular_mean
    if not math.isfinite(direction):
        return _untold(address, direction, None, "drawn curves tell no direction")
    aligned = joint.aligned()
    if not len(aligned):
        return _untold(address, direction, None, "it answers to none of its photographs, however they are turned")
    curve = TuningCurve(joint.angles, aligned[:, :, joint.units.index(joint.unit)].mean(axis=0))
    others = [unit for unit in joint.units if unit != joint.unit and unit in synthetic and synthetic[unit].peak]
    answers = aligned[:, :, [joint.units.index(unit) for unit in others]].transpose(0, 2, 1)  # (E, K, A)
    drawn = np.array([synthetic[unit].resampled(_GRID) for unit in others]).reshape(-1, _GRID)
    lengths = np.array([synthetic[unit].resultant for unit in others])
    if not (lengths > 0).any() or not answers.any():
        return _untold(
            address, direction, curve, "no other unit of the layer answers both to curves and to photographs"
        )
    weights = np.sqrt(lengths) / np.maximum(drawn.max(axis=1), answers.max(axis=(0, 2)))
    ruler = _about_zero(drawn * weights[:, None])
    seen = _about_zero(_finer(answers) * weights[:, None])
    crossed = np.fft.irfft((np.fft.rfft(ruler) * np.fft.rfft(seen).conj()).sum(axis=1), _GRID)  # (E, directions)
    length = np.linalg.norm(ruler) * np.linalg.norm(seen.sum(axis=0))
    whole = crossed.sum(axis=0)
    to_degrees = 360 / _GRID
    return NaturalCheck(
        address,
        direction,
        float(whole.argmax() * to_degrees),
        float(whole.max() / length) if length > 0 else math.nan,
        tuple((crossed.argmax(axis=1) * to_degrees).tolist()),
        curve,
    )


def _untold(unit: str, synthetic: float, curve: TuningCurve | None, note: str) -> NaturalCheck:
    return NaturalCheck(unit, synthetic, math.nan, math.nan, (), curve, note)


def _about_zero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values - values.mean(axis=-1, keepdims=True)


def _finer(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at even angles from 0 on, (..., A), at those of the grid, linear in between."""
    count = values.shape[-1]
    at = np.arange(_GRID) * count / _GRID
    before = at.astype(np.int64)
    share = at - before
    return values[..., before] * (1 - share) + values[..., (before + 1) % count] * share
