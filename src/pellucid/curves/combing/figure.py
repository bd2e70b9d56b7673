"""Combing indices of a family, with their intervals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.curves.combing.combing import Combing
from pellucid.curves.combing.ticks import SIDES, TILTS
from pellucid.curves.extraction.figure import empty_figure
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHADES = {"perpendicular": "#d01c5b", "parallel": "#3b7dd8", "random": "#8a8a8a"}
_APART = 0.22


def combing_figure(measured: Sequence[Combing]) -> "Figure":
    """The index of each unit for ticks of each tilt, with its 95 % interval: a panel for each side."""
    if not measured:
        raise PellucidError("there are no units to draw")
    figure, axes = empty_figure(len(SIDES), 1, side=max(4.0, 0.35 * len(measured)))
    figure.set_size_inches(max(5.0, 0.4 * len(measured) + 2), 6)
    at = np.arange(len(measured))
    for side, panel in zip(SIDES, axes[:, 0], strict=True):
        for number, tilt in enumerate(TILTS):
            found = [one.index(side, tilt) for one in measured]
            values = np.array([one.value for one in found])
            reach = np.abs(np.array([(one.low, one.high) for one in found]).T - values)
            panel.errorbar(
                at + (number - 1) * _APART, values, reach, fmt="o", markersize=4, color=_SHADES[tilt], label=tilt
            )
        panel.axhline(0, color="#222222", linewidth=0.8)
        panel.set_title(f"ticks {side}", fontsize=10)
        panel.set_ylabel("combing index", fontsize=9)
        panel.set_xticks(at, [one.unit.rsplit(":", 1)[-1] for one in measured], fontsize=7)
    axes[0, 0].legend(fontsize=8)
    return figure
