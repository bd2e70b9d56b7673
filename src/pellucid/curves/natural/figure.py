"""Joint tuning drawn as in the Curve Detectors article: the units of a family side by side about the circle."""

import math
from typing import TYPE_CHECKING

from pellucid.curves.natural.orientations import NaturalOrientations
from pellucid.curves.tuning_curves.radial_plot import colour
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK, _FAINT = "#222222", "#8a8a8a"


def joint_figure(found: NaturalOrientations, *, title: str = "") -> "Figure":
    """Draw the natural tuning curves of a family by direction, 0 to 360 degrees: a figure, made without pyplot.

    Where one unit stops, the next begins, if together they cover the circle. Each response is over its peak, in the
    colour of the unit's direction; its name stands at its natural direction, and below the axis a triangle at the
    synthetic one. Raises `PellucidError` if no unit answers.
    """
    answering = [unit for unit, curve in found.curves.items() if curve.peak and math.isfinite(found.natural[unit])]
    if not answering:
        raise PellucidError("none of the units answers to the photographs, so there is nothing to draw")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PellucidError("figures need matplotlib; install it: pip install matplotlib") from error

    drawn = Figure(figsize=(13, 4), dpi=100, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots()
    axes.set_title(title or found.layer, loc="left", fontsize=11, color=_INK)
    for unit in answering:
        curve, shade = found.curves[unit], colour(found.natural[unit])
        around = [*curve.angles.tolist(), 360.0]
        response = [*(curve.response / curve.peak).tolist(), float(curve.response[0] / curve.peak)]
        axes.plot(around, response, color=shade, linewidth=1.4)
        axes.fill_between(around, 0, response, color=shade, alpha=0.12, linewidth=0)
        axes.text(found.natural[unit], 1.04, str(unit), fontsize=8, ha="center", color=shade, weight="bold")
        axes.plot([found.natural[unit]] * 2, [0, -0.05], color=shade, linewidth=2)
        if math.isfinite(found.synthetic[unit]):
            axes.plot([found.synthetic[unit]], [-0.1], marker="^", markersize=5, markerfacecolor="none", color=shade)
    axes.set_xlim(0, 360)
    axes.set_ylim(-0.15, 1.15)
    axes.set_xticks(range(0, 361, 45))
    axes.set_yticks([0, 0.5, 1], labels=["0", "½", "peak"])
    axes.set_xlabel("direction of the photographs (degrees; strokes: natural, triangles: drawn curves)", fontsize=9)
    axes.tick_params(labelsize=8, colors=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.axhline(0, color=_FAINT, linewidth=0.5)
    return drawn
