"""A family drawn: its tuning curves laid upon each other, its directions, and how alike its units are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pellucid.curves.families import Family
from pellucid.curves.tuning_curves import TuningCurve, average, envelope, shape_correlations
from pellucid.curves.tuning_curves.radial_plot import colour
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK, _FAINT = "#222222", "#8a8a8a"


def family_figure(families: Mapping[str, Family], curves: Mapping[str, TuningCurve]) -> "Figure":
    """Draw families, a row for each by its title, of these tuning curves: a figure, made without pyplot.

    From left to right all responses over their peaks by angle with the envelope; the same turned upon each other by
    their argmaxes, with their mean; and the correlations up to rotation, in the order of the units. Raises
    `PellucidError` for no families, and those in which no unit fires.
    """
    if not families:
        raise PellucidError("there are no families to draw")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PellucidError("figures need matplotlib; install it: pip install matplotlib") from error

    drawn = Figure(figsize=(15, 4 * len(families)), dpi=100, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots(len(families), 3, squeeze=False, width_ratios=(1.4, 1, 1))
    for row, (title, family) in zip(axes, families.items(), strict=True):
        of = {unit: curves[unit] for unit in family.units if curves[unit].peak}
        row[0].set_title(title, loc="left", fontsize=11, color=_INK)
        _side_by_side(row[0], of)
        _upon_each_other(row[1], of)
        _alike(row[2], of)
    return drawn


def _side_by_side(ax, curves: Mapping[str, TuningCurve]) -> None:
    for name, curve in curves.items():
        shade = colour(curve.argmax * 360 / curve.period)
        ax.plot(curve.angles, curve.response / curve.peak, color=shade, linewidth=1.2)
        ax.text(curve.argmax, 1.03, name.rsplit(":", 1)[-1], fontsize=8, ha="center", color=shade, rotation=60)
    whole = envelope(list(curves.values()))
    ax.plot(whole.angles, whole.values, color=_INK, linewidth=0.8)
    ax.set_ylim(0, 1.2)
    _style(ax, "direction (degrees)", "response / peak")


def _upon_each_other(ax, curves: Mapping[str, TuningCurve]) -> None:
    period = next(iter(curves.values())).period
    mean = average(list(curves.values()))
    at = (mean.angles + period / 2) % period - period / 2
    order = np.argsort(at)
    for curve in curves.values():
        turned = curve.turned(-curve.argmax).resampled(len(at)) / curve.peak
        ax.plot(at[order], turned[order], color=colour(curve.argmax * 360 / period), linewidth=0.8)
    ax.plot(at[order], mean.values[order], color=_INK, linewidth=2)
    _style(ax, "degrees from the peak", "response / peak")


def _alike(ax, curves: Mapping[str, TuningCurve]) -> None:
    names = [name.rsplit(":", 1)[-1] for name in curves]
    shown = ax.imshow(shape_correlations(list(curves.values())), vmin=0, vmax=1, cmap="viridis")
    ax.set_xticks(range(len(names)), labels=names, fontsize=7, rotation=90)
    ax.set_yticks(range(len(names)), labels=names, fontsize=7)
    ax.figure.colorbar(shown, ax=ax, label="correlation up to rotation", shrink=0.8)


def _style(ax, x: str, y: str) -> None:
    ax.set_xlabel(x, fontsize=9)
    ax.set_ylabel(y, fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8, colors=_INK)
    ax.axhline(0, color=_FAINT, linewidth=0.5)
