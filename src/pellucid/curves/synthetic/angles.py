"""From angles to curves: corners that are rounded more and more."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pellucid.curves.scales import Scale
from pellucid.curves.sight import Sight
from pellucid.curves.stimuli import Style
from pellucid.curves.synthetic.heatmap import Heatmap
from pellucid.curves.synthetic.sweeps import ORIENTATIONS, ROWS, AngleSweep, CurveSweep
from pellucid.curves.synthetic.tuning import Job, heatmaps, look_of, the_sight
from pellucid.curves.synthetic.variants import correlation
from pellucid.errors import PellucidError
from pellucid.networks import Network

ROUNDINGS = (0.0, 0.5, 1.0)
"""Radii of the corners by default, in effective diameters of what the unit sees: none, small, medium."""


@dataclass(frozen=True, eq=False)
class AngleSeries:
    """One unit's heatmaps for angles of rising `roundings` in px, and last for curves."""

    unit: str
    roundings: tuple[float, ...]
    angles: tuple[Heatmap, ...]
    curve: Heatmap

    @property
    def maps(self) -> tuple[Heatmap, ...]:
        """All heatmaps, that of curves last."""
        return *self.angles, self.curve

    @property
    def peaks(self) -> tuple[float, ...]:
        """The greatest value of each heatmap, in its unit of measure."""
        return tuple(one.peak for one in self.maps)

    @property
    def ratios(self) -> tuple[float, ...]:
        """The greatest response of each over that to curves; NaN of a unit that no curve drives."""
        greatest = float(self.curve.response.max())
        return tuple(float(one.response.max()) / greatest if greatest > 0 else np.nan for one in self.maps)

    @property
    def rises(self) -> bool:
        """Whether each greatest response is greater than the one before, up to that to curves."""
        return all(before < after for before, after in pairwise(self.ratios))

    @property
    def correlations(self) -> tuple[float, ...]:
        """Pearson's correlation of the responses of each with those to curves, row by row from flat to tight."""
        return tuple(correlation(one, self.curve) for one in self.maps)

    @property
    def sharpest(self) -> tuple[float, float]:
        """The opening and the orientation of the strongest angle with the least rounding."""
        return self.angles[0].best


def angle_series(
    network: Network,
    layer: str,
    units: Sequence[int],
    *,
    scale: Scale | None = None,
    style: str | Style = "line",
    orientations: Sequence[float] = ORIENTATIONS,
    openings: Sequence[float] | None = None,
    roundings: Sequence[float] | None = None,
    radii: Sequence[float] | None = None,
    seeds: Sequence[int] = (0,),
    sight: Sight | None = None,
    progress: bool = False,
) -> dict[str, AngleSeries]:
    """What units answer to angles, then to rounded ones, then to curves: heatmaps by address.

    Rows of angles are `openings` in degrees, by default 16 from 180, a straight line, down to 30; `roundings` are the
    radii of the corners in px, by default 0, .5 and 1 effective diameters of what the unit sees. Other arguments are
    those of `curve_heatmap`. In the Curve Detectors article sharp angles reach .58 to .81 of the peak of curves, and
    nine of ten units answer to each step more strongly than to the one before.

    There must be as many radii as openings, so that rows compare. Raises `PellucidError` otherwise.
    """
    name, looks = look_of(style)
    seen = the_sight(network, layer, units, sight)
    given = [share * seen.diameter for share in ROUNDINGS] if roundings is None else roundings
    corners = sorted({float(radius) for radius in given})
    if not corners:
        raise PellucidError("a series of angles has one rounding at least, 0 for sharp corners")
    count = len(openings) if openings is not None else len(radii) if radii is not None else ROWS
    curved = CurveSweep.about(seen.diameter, radii, orientations, count=count)
    cornered = [AngleSweep.of(openings, orientations, rounding=radius, count=count) for radius in corners]
    if curved.shape != cornered[0].shape:
        raise PellucidError(f"{count} openings and {len(curved.rows)} radii do not compare row by row; give as many")
    sweeps = [*cornered, curved]
    jobs = [Job(sweep, name) for sweep in sweeps]
    *angles, curves = heatmaps(network, seen, units, jobs, looks, scale=scale, seeds=seeds, progress=progress)
    return {
        unit: AngleSeries(unit, tuple(corners), tuple(maps[unit] for maps in angles), curve)
        for unit, curve in curves.items()
    }
