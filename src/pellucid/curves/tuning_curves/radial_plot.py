"""Tuning curves drawn around the circle, as the Curve Detectors article draws them."""

import colorsys
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pellucid.curves.tuning_curves.spacing import envelope
from pellucid.curves.tuning_curves.tuning_curve import TuningCurve
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INNER = 0.3  # of the height of a peak: the circle that curves stand on
_INK, _FAINT = "#222222", "#8a8a8a"


def colour(degrees: float) -> tuple[float, float, float]:
    """The colour of a direction, RGB in 0 to 1: its angle as the hue."""
    return colorsys.hls_to_rgb(degrees % 360 / 360, 0.55, 0.6)


def radial_figure(panels: Mapping[str, Mapping[str, TuningCurve]], *, columns: int = 2) -> "Figure":
    """Draw families of tuning curves around circles, a panel for each by its title: a figure, made without pyplot.

    Angles run clockwise from 3 o'clock, as in the image. The radius is .3 + response / peak, so that all curves are of
    one height, in the colour of the direction of the peak; the unit's name stands there. The dark line is the
    envelope: where it comes near the inner circle, no unit answers. Raises `PellucidError` for no panels.
    """
    if not panels:
        raise PellucidError("there are no tuning curves to draw")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PellucidError("figures need matplotlib; install it: pip install matplotlib") from error

    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    drawn = Figure(figsize=(6 * columns, 6 * rows), dpi=100, layout="constrained")
    FigureCanvasAgg(drawn)
    for place, (title, curves) in enumerate(panels.items(), start=1):
        axes = drawn.add_subplot(rows, columns, place, projection="polar")
        axes.set_title(title, fontsize=11, color=_INK)
        _panel(axes, curves)
    return drawn


def _panel(axes, curves: Mapping[str, TuningCurve]) -> None:
    axes.set_theta_direction(-1)
    axes.set_ylim(0, 1.5)
    axes.set_yticks([_INNER, _INNER + 0.5, _INNER + 1], labels=["0", "½", "peak"], fontsize=7, color=_FAINT)
    axes.tick_params(axis="x", labelsize=8, colors=_FAINT)
    axes.spines["polar"].set_visible(False)
    firing = {name: curve for name, curve in curves.items() if curve.peak}
    for name, curve in firing.items():
        angles, radius = _closed(curve)
        shade = colour(curve.argmax * 360 / curve.period)
        axes.fill_between(angles, _INNER, radius, color=shade, alpha=0.25, linewidth=0)
        axes.plot(angles, radius, color=shade, linewidth=1.2)
        short = name.rsplit(":", 1)[-1]
        axes.text(
            np.deg2rad(curve.argmax), 1.4, short, ha="center", va="center", fontsize=8, color=shade, weight="bold"
        )
    grids = {(curve.period, tuple(curve.angles.tolist())) for curve in firing.values()}
    if len(grids) == 1 and len(firing) > 1:
        angles, radius = _closed(envelope(list(firing.values())))
        axes.plot(angles, radius, color=_INK, linewidth=0.8)


def _closed(curve: TuningCurve):
    """Angles in radians and radii of a closed line."""
    angles, response = curve.angles, curve.response / curve.peak
    if curve.period == 180:
        angles, response = np.concatenate([angles, angles + 180]), np.tile(response, 2)
    angles = np.append(angles, angles[0] + 360)
    return np.deg2rad(angles), _INNER + np.append(response, response[0])
