"""Which way each unit of a family points."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.sight import sights
from pellucid.curves.synthetic import tuning_of
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.errors import PellucidError
from pellucid.networks import Network

_STEP = 15  # degrees
_RADII = (0.8, 1.2, 1.8)  # effective diameters of what the units see


def family_tuning(network: Network, layer: str, units: Sequence[int]) -> Mapping[str, TuningCurve]:
    """The tuning of units by outward normal, by address, measured quickly: curves every 15 degrees of three radii."""
    sight = sights(network, [layer])[layer]
    radii = [share * sight.diameter for share in _RADII]
    return tuning_of(network, layer, units, orientations=tuple(range(0, 360, _STEP)), radii=radii, sight=sight)


def family_directions(
    network: Network, layer: str, units: Sequence[int], tuning: Mapping[str, TuningCurve] | None = None
) -> NDArray[np.float64]:
    """The outward normals (U,) that units prefer, in degrees, image coordinates (y down), clockwise from 3 o'clock.

    They are circular means of tuning curves: those of `tuning` by address, such as "mixed3b:379", which must be by
    normals, as published radial data are; without it they are measured (`family_tuning`). NaN of a unit that no curve
    drives. Raises `PellucidError` for a unit that `tuning` does not have.
    """
    known = family_tuning(network, layer, units) if tuning is None else tuning
    names = [f"{layer}:{unit}" for unit in units]
    for name in names:
        if name not in known:
            raise PellucidError(f"there is no tuning curve of {name}; leave tuning out to have it measured")
    return np.array([known[name].circular_mean for name in names])


def mean_direction(directions: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """The direction in degrees of Σ w exp(iθ), and its length over Σ w, from 0 to 1; units without a direction count 0.

    NaN and 0 where nothing points anywhere.
    """
    known = np.isfinite(directions)
    total = float(weights.sum())
    if not known.any() or not total > 0:
        return float("nan"), 0.0
    sum_ = complex((weights[known] * np.exp(1j * np.deg2rad(directions[known]))).sum())
    length = abs(sum_) / total
    return (float(np.angle(sum_, deg=True) % 360), length) if length > 1e-9 else (float("nan"), 0.0)
