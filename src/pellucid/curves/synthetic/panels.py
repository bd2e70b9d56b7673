"""Heatmaps drawn as panels with small pictures of their stimuli above, as in the Curve Detectors article."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.stimuli import STYLES, Style, draw
from pellucid.curves.synthetic.heatmap import Heatmap
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 24
"""Units that one figure shows at most."""
_INK = "#222222"
_ICON = 28  # px
_ICONS = (4, 18)  # rows and columns of icons
_SPAN = 1.5  # effective diameters across an icon: the published icons show about as much


def heatmap_figure(
    maps: Mapping[str, Mapping[str, Heatmap]],
    *,
    diameter: float,
    looks: Mapping[str, Style] = STYLES,
    top: float | None = None,
) -> "Figure":
    """Draw heatmaps, units under one another and what is compared side by side: a figure, made without pyplot.

    `maps` are by the units' names and then by titles, the same ones for each unit; `diameter` is the effective diameter
    of what the units see, which the icons are drawn for. Above each column stand icons of its stimuli, in the order of
    the heatmap's rows and columns; `looks` are the styles that the heatmaps name. Values are black up to 0 and from
    there to `top`, by default the greatest of all, in the colours of turbo; grey where there is none.

    Raises `PellucidError` for none, more than 24, units with different titles, and a `top` that is not above 0.
    """
    if not 0 < len(maps) <= MOST:
        raise PellucidError(f"a figure shows the heatmaps of 1 to {MOST} units, not {len(maps)}; write .csv or .json")
    titles = list(next(iter(maps.values())))
    if any(list(row) != titles for row in maps.values()):
        raise PellucidError("the units of one figure have heatmaps of the same titles")
    if top is not None and not top > 0:
        raise PellucidError(f"the colours go from 0 up to top = {top:g}, which must be above it")
    try:
        from matplotlib import colormaps
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PellucidError("figures need matplotlib; install it: pip install matplotlib") from error

    width = 7.5 if len(titles) == 1 else 4.2
    heights = (width * _ICONS[0] / _ICONS[1], *[width * 0.19] * len(maps))
    drawn = Figure(figsize=(width * len(titles) + 1.6, sum(heights) + 0.9), dpi=100, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots(len(maps) + 1, len(titles), squeeze=False, height_ratios=heights)
    greatest = top if top is not None else _greatest(maps)
    colours = colormaps["turbo"].with_extremes(under="black", bad="#808080")
    first = next(iter(maps.values()))
    for ax, title in zip(axes[0], titles, strict=True):
        _icons(ax, first[title], diameter, looks)
        ax.set_title(title, fontsize=10, color=_INK)
    shown = None
    for number, (name, panels) in enumerate(maps.items(), start=1):
        row = axes[number]
        for ax, one in zip(row, panels.values(), strict=True):
            shown = ax.imshow(
                one.values, cmap=colours, vmin=1e-6 * greatest, vmax=greatest, aspect="auto", interpolation="nearest"
            )
            _scales(ax, one, last=number == len(maps))
        row[0].set_ylabel(name.rpartition(":")[2], fontsize=9, color=_INK, rotation=0, ha="right", va="center")
    assert shown is not None
    measure = "standard deviations above the mean" if next(iter(first.values())).in_sigma else "activation"
    drawn.colorbar(shown, ax=axes[1:].ravel().tolist(), label=measure, pad=0.01, fraction=0.05, aspect=12 * len(maps))
    return drawn


def icon_table(heatmap: Heatmap, diameter: float, style: Style, shape: tuple[int, int] = _ICONS) -> NDArray[np.float64]:
    """Small pictures of some stimuli of a heatmap side by side, (rows·side, columns·side, 3) in [0, 1]."""
    sweep = heatmap.sweep
    rows, columns = (_spread(values, count) for values, count in zip((sweep.rows, sweep.angles), shape, strict=True))
    scale = _ICON / (_SPAN * diameter)
    stimuli = [sweep.icon(row, angle, scale) for row in rows for angle in columns]
    pictures = draw(stimuli, _ICON, style=style).double().numpy()
    table = pictures.reshape(len(rows), len(columns), 3, _ICON, _ICON)
    table[..., 0, :] = table[..., :, 0] = 0.8  # thin lines between them
    return table.transpose(0, 3, 1, 4, 2).reshape(len(rows) * _ICON, len(columns) * _ICON, 3)


def _spread(values: NDArray[np.float64], count: int) -> Sequence[float]:
    """So many of the values, each from the middle of its part."""
    count = min(count, len(values))
    at = (np.arange(count) + 0.5) * len(values) / count
    return values[at.astype(int)].tolist()


def _icons(ax: "Axes", one: Heatmap, diameter: float, looks: Mapping[str, Style]) -> None:
    ax.imshow(icon_table(one, diameter, looks.get(one.style, Style())), interpolation="antialiased")
    ax.set_axis_off()


def _scales(ax: "Axes", one: Heatmap, *, last: bool) -> None:
    count, rows = len(one.angles), len(one.rows)
    quarters = np.arange(0, count + 1, count / 4) if last else []
    turns = [f"{one.angles[0] + one.sweep.step * at:g}" for at in quarters]
    ax.set_xticks([at - 0.5 for at in quarters], labels=turns, fontsize=7)
    ends = [0, rows - 1] if rows > 1 else [0]
    ax.set_yticks(ends, labels=[f"{one.rows[at]:.3g}{one.sweep.row_unit}" for at in ends], fontsize=6)
    ax.tick_params(length=2, colors=_INK)
    if last:
        ax.set_xlabel(one.sweep.angle_name, fontsize=8)


def _greatest(maps: Mapping[str, Mapping[str, Heatmap]]) -> float:
    peaks = [one.peak for row in maps.values() for one in row.values() if np.isfinite(one.peak)]
    return max([*peaks, 1e-12])
