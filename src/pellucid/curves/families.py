"""Families: units with one shape of tuning, pointing in different directions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from pellucid.curves.tuning_curves import Gap, TuningCurve, coverage, gaps, shape_correlations
from pellucid.errors import PellucidError

ALIKE = 0.85
"""The average correlation up to rotation from which on units are of one family."""


@dataclass(frozen=True)
class Family:
    """Units whose tuning curves are alike up to rotation.

    `units` are in the order of their circular means. `gaps` are those between neighbouring argmaxes, `coverage` is the
    least response of the best unit over all angles, as a share of that unit's peak. `least_correlation` and
    `median_correlation` are over all pairs, NaN of a unit alone. `z` is the range of the units' strengths where these
    were given.
    """

    units: tuple[str, ...]
    gaps: tuple[Gap, ...]
    coverage: float
    least_correlation: float
    median_correlation: float
    z: tuple[float, float] | None = None

    @property
    def largest_gap(self) -> Gap | None:
        """The widest gap; None where no unit has a direction."""
        return max(self.gaps, default=None)


def find_families(
    curves: Mapping[str, TuningCurve], *, alike: float = ALIKE, z: Mapping[str, float] | None = None
) -> list[Family]:
    """Group the units of a layer into families, the largest first.

    Agglomerative clustering with average linkage (UPGMA, Sokal and Michener 1958) over the correlations up to rotation,
    until no two groups have an average correlation of `alike` or more. A unit that never fires is like no other. All
    curves need the same angles. `z` are strengths by unit.
    """
    if not curves:
        raise PellucidError("there are no tuning curves to group")
    if not -1 <= alike <= 1:
        raise PellucidError(f"units are alike from a correlation between -1 and 1 on, not {alike:g}")
    names = list(curves)
    correlations = shape_correlations(list(curves.values()))
    groups = np.zeros(1, dtype=np.int64)
    if len(names) > 1:
        apart = squareform(np.maximum(1 - (correlations + correlations.T) / 2, 0), checks=False)
        groups = fcluster(linkage(apart, "average"), 1 - alike + 1e-12, "distance")
    families = []
    for group in dict.fromkeys(groups.tolist()):
        members = np.flatnonzero(groups == group)
        families.append(
            _family({names[m]: curves[names[m]] for m in members}, correlations[np.ix_(members, members)], z)
        )
    return sorted(families, key=lambda family: -len(family.units))


def describe_family(curves: Mapping[str, TuningCurve], *, z: Mapping[str, float] | None = None) -> Family:
    """Describe units that are taken for one family, whatever their shapes."""
    if not curves:
        raise PellucidError("a family has one unit at least")
    return _family(curves, shape_correlations(list(curves.values())), z)


def _family(curves: Mapping[str, TuningCurve], correlations, z: Mapping[str, float] | None) -> Family:
    pairs = correlations[np.triu_indices(len(curves), 1)]
    means = {name: curve.circular_mean for name, curve in curves.items()}
    # NaN compares as nothing does; units without a direction come last.
    order = sorted(curves, key=lambda name: (np.isnan(means[name]), np.nan_to_num(means[name])))
    period = next(iter(curves.values())).period
    strengths = [z[name] for name in curves if name in z] if z else []
    firing = [curve for curve in curves.values() if curve.peak]
    return Family(
        tuple(order),
        tuple(gaps({name: curve.argmax for name, curve in curves.items()}, period=period)),
        coverage(firing) if firing else 0.0,
        float(pairs.min()) if pairs.size else np.nan,
        float(np.median(pairs)) if pairs.size else np.nan,
        (min(strengths), max(strengths)) if strengths else None,
    )
