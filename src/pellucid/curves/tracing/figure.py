"""A traced line on its image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from pellucid.curves.extraction.figure import empty_figure, show_picture
from pellucid.curves.tracing.trace import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_START, _END = "#e08a00", "#d01c5b"


def trace_figure(images: Sequence[Tensor], traces: Sequence[Trace]) -> "Figure":
    """For each image (1, C, H, W) a row: the trace on it, and where it started, dotted; the drawing; and the loss."""
    figure, axes = empty_figure(len(traces), 3)
    for across, image, trace in zip(axes, images, traces, strict=True):
        show_picture(across[0], image, f"trace, 1 - cos {trace.loss:.4f}")
        across[0].plot(trace.start[:, 1], trace.start[:, 0], ":", color=_START, linewidth=1.5)
        across[0].plot(trace.points[:, 1], trace.points[:, 0], color=_END, linewidth=1.2)
        across[0].set_xlim(-0.5, image.shape[3] - 0.5)
        across[0].set_ylim(image.shape[2] - 0.5, -0.5)
        across[0].plot(trace.knots[:, 1], trace.knots[:, 0], ".", color=_END, markersize=5)
        show_picture(across[1], trace.drawing, f"drawn, {2 * trace.width:.1f} px thick")
        across[2].semilogy(range(len(trace.losses)), [max(loss, 1e-6) for loss in trace.losses], color=_END)
        across[2].set_title("1 - cos, by step", fontsize=9)
        across[2].tick_params(labelsize=7)
    return figure
