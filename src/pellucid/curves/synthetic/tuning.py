"""Heatmaps and tuning curves of units, measured with drawn stimuli."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pellucid.activations.harvested import check_units
from pellucid.curves.responses import respond
from pellucid.curves.scales import Scale
from pellucid.curves.sight import Sight, sights
from pellucid.curves.stimuli import STYLES, Bank, Style
from pellucid.curves.synthetic.heatmap import Heatmap
from pellucid.curves.synthetic.sweeps import ORIENTATIONS, CurveSweep, LineSweep, Sweep
from pellucid.curves.tuning_curves import TuningCurve
from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.progress import progress_bar

Heatmaps = dict[str, Heatmap]
"""Heatmaps by the addresses of units, "layer:unit"."""


class Job(NamedTuple):
    """A sweep to be shown in a style, which is called by its name."""

    sweep: Sweep
    style: str


def curve_heatmap(
    network: Network,
    layer: str,
    units: Sequence[int],
    *,
    scale: Scale | None = None,
    style: str | Style = "line",
    orientations: Sequence[float] = ORIENTATIONS,
    radii: Sequence[float] | None = None,
    seeds: Sequence[int] = (0,),
    sight: Sight | None = None,
    progress: bool = False,
) -> Heatmaps:
    """What units of a layer answer to curves, by orientation and curvature: heatmaps by address, all in one pass.

    Columns are `orientations` of the centre of curvature in degrees, in image coordinates (y down), clockwise from 3
    o'clock, evenly once round; rows are `radii` in px, from flat to tight, by default 16 in even steps from 2.6 to 0.6
    effective diameters of what the unit sees. The published heatmaps have half a degree, and radii of about .4 to 1.7
    sides of their icons.

    Values are strengths in standard deviations where the layer's `scale` on a dataset is given (`dataset_scale`), else
    activations. `style` is one of `STYLES` by name, or another. Responses to a texture are the mean over `seeds`.
    `sight` is where the layer's middle unit looks, which is measured unless given.

    Raises `LayerError` for a layer without maps, `ObjectiveError` for units that it does not have, and `PellucidError`
    for radii, orientations and styles that cannot be drawn.
    """
    seen = the_sight(network, layer, units, sight)
    name, looks = look_of(style)
    job = Job(CurveSweep.about(seen.diameter, radii, orientations), name)
    return heatmaps(network, seen, units, [job], looks, scale=scale, seeds=seeds, progress=progress)[0]


def tuning_of(
    network: Network,
    layer: str,
    units: Sequence[int],
    *,
    style: str | Style = "line",
    orientations: Sequence[float] = ORIENTATIONS,
    radii: Sequence[float] | None = None,
    seeds: Sequence[int] = (0,),
    sight: Sight | None = None,
    progress: bool = False,
) -> dict[str, TuningCurve]:
    """The radial tuning of units of a layer to curves: rectified activations averaged over radii, by outward normal.

    By address, in the order of the units, as `radial_figure`, `measure_rows`, `find_families` and `tuning_record` take
    them. Arguments are those of `curve_heatmap`; a tuning curve's normals are its orientations + 180 degrees.
    """
    found = curve_heatmap(
        network, layer, units, style=style, orientations=orientations, radii=radii, seeds=seeds, sight=sight,
        progress=progress,
    )  # fmt: skip
    return {unit: one.radial() for unit, one in found.items()}


def line_tuning_of(
    network: Network,
    layer: str,
    units: Sequence[int],
    *,
    style: str | Style = "line",
    orientations: Sequence[float] = tuple(range(0, 180, 5)),
    seeds: Sequence[int] = (0,),
    sight: Sight | None = None,
    progress: bool = False,
) -> dict[str, TuningCurve]:
    """The tuning of units of a layer to straight lines, by their directions from 0 to 180 degrees (period 180)."""
    found = line_heatmap(
        network, layer, units, style=style, orientations=orientations, seeds=seeds, sight=sight, progress=progress
    )
    return {unit: one.radial() for unit, one in found.items()}


def line_heatmap(
    network: Network,
    layer: str,
    units: Sequence[int],
    *,
    scale: Scale | None = None,
    style: str | Style = "line",
    orientations: Sequence[float] = tuple(range(0, 180, 5)),
    seeds: Sequence[int] = (0,),
    sight: Sight | None = None,
    progress: bool = False,
) -> Heatmaps:
    """What units of a layer answer to straight lines by direction: heatmaps of one row; see `curve_heatmap`."""
    seen = the_sight(network, layer, units, sight)
    name, looks = look_of(style)
    job = Job(LineSweep(np.asarray(orientations, np.float64)), name)
    return heatmaps(network, seen, units, [job], looks, scale=scale, seeds=seeds, progress=progress)[0]


def looks_of(styles: Mapping[str, Style] | Sequence[str]) -> Mapping[str, Style]:
    """Styles by name; names alone are those of `STYLES`. Raises `PellucidError` for one that is not there."""
    looks = styles if isinstance(styles, Mapping) else Bank.of([], styles=styles).looks
    if not looks:
        raise PellucidError(f"stimuli are drawn in one style at least: {', '.join(STYLES)}")
    return looks


def look_of(style: str | Style) -> tuple[str, Mapping[str, Style]]:
    """The name of one style, and what it looks like by that name; one that is none of `STYLES` is called "given"."""
    return ("given", {"given": style}) if isinstance(style, Style) else (style, looks_of([style]))


def the_sight(network: Network, layer: str, units: Sequence[int], sight: Sight | None) -> Sight:
    """Where the layer's middle unit looks, after the layer and the units have been checked."""
    check_units(layer, units, network.spatial_layer(layer).channels)
    if sight is not None and sight.layer != layer:
        raise PellucidError(f"the sight given is of layer {sight.layer!r}, not of {layer!r}")
    return sight or sights(network, [layer])[layer]


def heatmaps(
    network: Network,
    sight: Sight,
    units: Sequence[int],
    jobs: Sequence[Job],
    looks: Mapping[str, Style],
    *,
    scale: Scale | None = None,
    seeds: Sequence[int] = (0,),
    progress: bool = False,
) -> list[Heatmaps]:
    """The heatmaps of units for each job, all units in one pass."""
    if not seeds:
        raise PellucidError("stimuli have one seed at least, that of their textures")
    wanted = list(dict.fromkeys(units))
    own = None if scale is None else scale.take(wanted)
    total = sum(len(_seeds(looks[job.style], seeds)) * job.sweep.shape[0] * job.sweep.shape[1] for job in jobs)
    found = []
    with progress_bar("stimuli", total, shown=progress) as advance:
        for job in jobs:
            rows = []
            for row in job.sweep.rows:
                stimuli = [job.sweep.stimulus(row, angle) for angle in job.sweep.angles]
                styles, some = {job.style: looks[job.style]}, _seeds(looks[job.style], seeds)
                bank = Bank.of(stimuli, styles=styles, seeds=some)
                answers = respond(network, bank, {sight.layer: sight})[sight.layer][:, wanted]
                rows.append(answers.astype(np.float64).reshape(len(some), len(stimuli), len(wanted)).mean(axis=0))
                advance(len(bank))
            activations = np.stack(rows)
            found.append(
                {
                    f"{sight.layer}:{unit}": Heatmap(
                        f"{sight.layer}:{unit}",
                        job.sweep,
                        activations[:, :, place].copy(),
                        job.style,
                        None if own is None else float(own.mean[place]),
                        None if own is None else float(own.deviation[place]),
                    )
                    for place, unit in enumerate(wanted)
                }
            )
    return found


def _seeds(style: Style, seeds: Sequence[int]) -> Sequence[int]:
    """A style without textures looks the same with each seed."""
    return seeds if style.inside or style.outside else seeds[:1]
