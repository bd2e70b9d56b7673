"""The same curves in other looks: does a unit answer to the shape, or to how it is drawn?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.curves.scales import Scale
from pellucid.curves.sight import Sight
from pellucid.curves.stimuli import Style
from pellucid.curves.synthetic.heatmap import Heatmap
from pellucid.curves.synthetic.sweeps import ORIENTATIONS, CurveSweep
from pellucid.curves.synthetic.tuning import Heatmaps, Job, heatmaps, looks_of, the_sight
from pellucid.errors import PellucidError
from pellucid.networks import Network


@dataclass(frozen=True)
class Variant:
    """How a unit's heatmap in one style compares with that in another, of the same stimuli.

    `correlation` is Pearson's over all stimuli, `peak_ratio` the peak over that of the other, and `shift` by how many
    degrees, -180 to 180 and clockwise, the circular mean of the radial tuning moves. All three are of rectified
    activations, so that no dataset changes them; NaN where they are not defined, such as the shift of a unit that
    points nowhere.
    """

    unit: str
    style: str
    correlation: float
    peak_ratio: float
    shift: float


def cosmetic_heatmaps(
    network: Network,
    layer: str,
    units: Sequence[int],
    *,
    styles: Mapping[str, Style] | Sequence[str] = ("line", "fill", "colour", "bright", "noise"),
    scale: Scale | None = None,
    orientations: Sequence[float] = ORIENTATIONS,
    radii: Sequence[float] | None = None,
    seeds: Sequence[int] = (0,),
    sight: Sight | None = None,
    progress: bool = False,
) -> dict[str, Heatmaps]:
    """Heatmaps of units for curves in several styles, by style and address; other arguments as for `curve_heatmap`.

    No style follows the orientation: the same colours, brightness and noise lie under all curves. (In the article's
    colour panel the hue turns with the curve.)
    """
    looks = looks_of(styles)
    seen = the_sight(network, layer, units, sight)
    sweep = CurveSweep.about(seen.diameter, radii, orientations)
    jobs = [Job(sweep, name) for name in looks]
    found = heatmaps(network, seen, units, jobs, looks, scale=scale, seeds=seeds, progress=progress)
    return {job.style: maps for job, maps in zip(jobs, found, strict=True)}


def compare_variants(maps: Mapping[str, Mapping[str, Heatmap]], *, to: str | None = None) -> list[Variant]:
    """Compare each style's heatmaps, by style and address, with those of one style, by default the first.

    That style itself is left out. Raises `PellucidError` if it is not there.
    """
    first = next(iter(maps), None) if to is None else to
    if first is None or first not in maps:
        raise PellucidError(f"there are no heatmaps in the style {first!r}; there are {', '.join(map(repr, maps))}")
    return [
        compare(one, other[unit]) for unit, one in maps[first].items() for name, other in maps.items() if name != first
    ]


def compare(reference: Heatmap, other: Heatmap) -> Variant:
    """How one heatmap compares with a reference of the same unit and stimuli."""
    turned = other.normal - reference.normal
    greatest = float(reference.response.max())
    return Variant(
        other.unit,
        other.style,
        correlation(reference, other),
        float(other.response.max()) / greatest if greatest > 0 else np.nan,
        float((turned + 180) % 360 - 180),
    )


def correlation(one: Heatmap, other: Heatmap) -> float:
    """Pearson's correlation of two heatmaps' responses, place by place; NaN where one has no spread.

    Raises `PellucidError` for heatmaps of different numbers of rows or columns.
    """
    if one.response.shape != other.response.shape:
        raise PellucidError(
            f"heatmaps of {one.response.shape[0]} x {one.response.shape[1]} and {other.response.shape[0]} x "
            f"{other.response.shape[1]} stimuli cannot be compared place by place"
        )
    a, b = (map_.response.ravel() - map_.response.mean() for map_ in (one, other))
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths > 0 else np.nan
