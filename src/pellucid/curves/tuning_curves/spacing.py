"""How a family of tuning curves shares the circle out: gaps between directions, and what none of them covers."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pellucid.curves.tuning_curves.tuning_curve import TuningCurve
from pellucid.errors import PellucidError


class Gap(NamedTuple):
    """The degrees, clockwise, from one unit's direction to the next one's."""

    degrees: float
    before: str
    after: str


def gaps(directions: Mapping[str, float], *, period: float = 360.0) -> list[Gap]:
    """The gaps between neighbouring directions, from the least direction on once round the circle.

    They add up to the period; the one gap of a single unit is all of it. Directions that are NaN are left out.
    """
    known = sorted((angle % period, name) for name, angle in directions.items() if np.isfinite(angle))
    following = [*known[1:], *((angle + period, name) for angle, name in known[:1])]
    return [
        Gap(after - before, name, next_name)
        for (before, name), (after, next_name) in zip(known, following, strict=True)
    ]


def envelope(curves: Sequence[TuningCurve]) -> TuningCurve:
    """The greatest response of any unit at each angle, each as a share of its own peak: max over k of aₖ / peakₖ.

    Raises `PellucidError` if no unit fires, or the curves have different angles.
    """
    firing = [curve for curve in curves if curve.peak]
    if not firing:
        raise PellucidError("none of the units fires, so they cover nothing")
    first = firing[0]
    for curve in firing:
        if curve.period != first.period or not np.array_equal(curve.angles, first.angles):
            raise PellucidError("the tuning curves of a family must have the same angles")
    return TuningCurve(first.angles, np.max([curve.response / curve.peak for curve in firing], axis=0), first.period)


def coverage(curves: Sequence[TuningCurve]) -> float:
    """The least value of the `envelope`: at every angle some unit answers with at least this share of its peak."""
    return float(envelope(curves).values.min())
