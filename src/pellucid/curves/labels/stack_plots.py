"""The three stack plots of the Curve Detectors article: labels by activation, by positions, and by contribution."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pellucid.curves.labels.contribution import Composition
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK, _FAINT = "#222222", "#8a8a8a"
_COLOURS = ("#2f6db3", "#9cc3e6", "#d9d9d9", "#e08e79")  # of the article's four labels, in their order
_PLOTS = (
    ("conditional", "share of images, P(label | x)"),
    ("density", "density of positions, p(x) P(label | x)"),
    ("contribution", "contribution to the expected activation"),
)


def stack_figure(compositions: Mapping[str, Composition]) -> "Figure":
    """Draw the three stack plots of each composition, a row for each by its title: a figure, made without pyplot.

    From left to right P(label | x), p(x) P(label | x) and max(x, 0) p(x) P(label | x), stacked by label from the first
    at the bottom; the legend of the last says what each label contributes. Raises `PellucidError` for none.
    """
    if not compositions:
        raise PellucidError("there are no labels to draw")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PellucidError("figures need matplotlib; install it: pip install matplotlib") from error

    drawn = Figure(figsize=(15, 4 * len(compositions)), dpi=100, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots(len(compositions), 3, squeeze=False)
    for row, (title, composition) in zip(axes, compositions.items(), strict=True):
        for ax, (name, label) in zip(row, _PLOTS, strict=True):
            _stack(ax, composition, getattr(composition, name))
            ax.set_ylabel(label, fontsize=9)
            ax.set_xlabel("activation", fontsize=9)
        row[0].set_title(title, loc="left", fontsize=11, color=_INK)
        shares = [f"{label} {share:.1%}" for label, share in composition.shares.items()]
        handles = [bars[0] for bars in row[2].containers]
        # As stacked: the last label is on top.
        row[2].legend(handles[::-1], shares[::-1], fontsize=8, frameon=False)
    return drawn


def _stack(ax, composition: Composition, parts) -> None:
    filled = np.flatnonzero(composition.conditional.any(axis=0))
    shown = slice(int(filled[0]), int(filled[-1]) + 1) if filled.size else slice(None)
    left, widths = composition.edges[:-1][shown], np.diff(composition.edges)[shown]
    bottom = np.zeros(len(left))
    for number, label in enumerate(composition.labels):
        heights = parts[number, shown]
        shade = _COLOURS[number] if len(composition.labels) == len(_COLOURS) else f"C{number}"
        ax.bar(left, heights, widths, bottom, align="edge", color=shade, label=label, linewidth=0)
        bottom = bottom + heights
    ax.axvline(0, color=_FAINT, linewidth=0.8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
    ax.margins(x=0)
