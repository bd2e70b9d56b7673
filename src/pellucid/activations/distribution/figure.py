"""Distributions drawn: histogram, logarithm of the density with the fitted tail, mean excess, and the numbers."""

import io
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from pellucid.activations.distribution.description import Description
from pellucid.activations.distribution.numbers import Number
from pellucid.errors import PellucidError, SummaryError
from pellucid.pictures import encode
from pellucid.study.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 24
"""Distributions that one figure shows at most."""
_BAR, _LINE, _INK, _FAINT = "#7a9cc6", "#c8553d", "#222222", "#8a8a8a"
_HIGHER = 4.0  # times the second highest bar: then the highest one is cut off, and its share written beside it
_SHOWN = {
    "mean": "mean", "sd": "sd", "fires": "fires", "rectified_mean": "rectified mean", "rectified_sd": "rectified sd",
    "skewness": "skewness", "kurtosis": "excess kurtosis", "gini": "Gini", "sparseness": "sparseness",
}  # fmt: skip


def figure(descriptions: Mapping[str, Description], *, what: str = "activation") -> "Figure":
    """Draw distributions, a row for each, by their names: a matplotlib figure, made without pyplot.

    Bars are shares of all values for each bin. A bar that is more than four times as high as any other, such as that of
    the zeros behind a rectifier, is cut off. Raises `SummaryError` for none, or more than 24.
    """
    if not 0 < len(descriptions) <= MOST:
        raise SummaryError(f"a figure shows 1 to {MOST} distributions, not {len(descriptions)}; write .csv or .json")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PellucidError("figures need matplotlib; install it: pip install matplotlib") from error

    drawn = Figure(figsize=(14, 3.2 * len(descriptions)), dpi=100, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots(len(descriptions), 4, squeeze=False, width_ratios=(1, 1, 1, 0.8))
    for row, (name, one) in zip(axes, descriptions.items(), strict=True):
        row[0].set_title(name, loc="left", fontsize=11, color=_INK)
        _histogram(row[0], one, what)
        _log_density(row[1], one, what)
        _mean_excess(row[2], one)
        _numbers(row[3], one)
        for ax in row[:3]:
            ax.spines[["top", "right"]].set_visible(False)
            ax.tick_params(labelsize=8)
    return drawn


def save_figure(path: Path | str, drawn: "Figure", about: Mapping[str, Any] | None = None) -> None:
    """Write a figure as `.png`, which keeps what it is `about` in its metadata, or as `.svg`.

    Raises `PellucidError` for another ending.
    """
    path = Path(path)
    match path.suffix.lower():
        case ".png":
            drawn.canvas.draw()
            pixels = np.asarray(drawn.canvas.buffer_rgba())  # type: ignore[attr-defined]  # of the Agg canvas
            write_bytes(path, encode(Image.fromarray(pixels).convert("RGB"), ".png", about))
        case ".svg":
            buffer = io.BytesIO()
            drawn.savefig(buffer, format="svg", metadata={"Date": None})
            write_bytes(path, buffer.getvalue())
        case suffix:
            raise PellucidError(f"figures are written as .png or .svg, not {suffix!r}")


def _filled(one: Description) -> slice:
    """From the first to the last bin that holds anything; all of an empty histogram."""
    filled = np.flatnonzero(one.distribution.counts)
    return slice(int(filled[0]), int(filled[-1]) + 1) if len(filled) else slice(None)


def _histogram(ax: "Axes", one: Description, what: str) -> None:
    shown, distribution = _filled(one), one.distribution
    shares = distribution.counts[shown] / max(distribution.total, 1)
    ax.bar(distribution.edges[:-1][shown], shares, distribution.widths[shown], align="edge", color=_BAR)
    first, second = np.sort(np.append(shares, [0, 0]))[::-1][:2]
    if first > _HIGHER * second > 0:
        ax.set_ylim(0, 1.3 * second)
        ax.annotate(
            f"{first:.1%} in one bin", (distribution.centres[shown][shares.argmax()], 1.3 * second), xytext=(5, -9),
            textcoords="offset points", fontsize=8, color=_INK,
        )  # fmt: skip
    ax.axvline(0, color=_FAINT, linewidth=0.8)
    ax.set_xlabel(what, fontsize=9)
    ax.set_ylabel("share of positions", fontsize=9)


def _log_density(ax: "Axes", one: Description, what: str) -> None:
    shown, distribution = _filled(one), one.distribution
    ax.plot(distribution.centres[shown], distribution.log_density[shown], ".", color=_BAR, markersize=4)
    ax.axvline(0, color=_FAINT, linewidth=0.8)
    if one.tail is not None:
        bins = np.searchsorted(distribution.edges, [one.tail.low, one.tail.high])
        x = distribution.centres[bins]
        label = f"scale {one.tail.scale:.4g}, R² {one.tail.r2:.4f}"
        ax.plot(x, one.tail.log_density(x), color=_LINE, linewidth=1.5, label=label)
        ax.legend(fontsize=8, frameon=False, loc="upper left" if one.tail.rises else "upper right")
        ax.margins(y=0.12)
    ax.set_xlabel(what, fontsize=9)
    ax.set_ylabel("log density", fontsize=9)


def _mean_excess(ax: "Axes", one: Description) -> None:
    if one.tail is None:
        note = textwrap.fill(f"no tail: {one.note}", 40)
        ax.text(0.5, 0.5, note, ha="center", va="center", fontsize=8, color=_INK)
        ax.set_axis_off()
        return
    if one.tail.mean_excess:
        x, y = zip(*one.tail.mean_excess, strict=True)
        ax.plot(x, y, "o-", color=_BAR, markersize=4, linewidth=1)
        ax.set_ylim(0, 1.25 * max(*y, one.tail.scale))
    ax.axhline(one.tail.scale, color=_LINE, linewidth=1, linestyle="--", label="scale of the line")
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    ax.set_xlabel("threshold", fontsize=9)
    ax.set_ylabel("mean excess (level: exponential)", fontsize=9)


def _numbers(ax: "Axes", one: Description) -> None:
    lines = [f"{'positions':<16}{one.numbers.count:,}"]
    lines += [f"{label:<16}{_text(getattr(one.numbers, name))}" for name, label in _SHOWN.items()]
    if one.tail is not None:
        lines.append(f"{'tail scale':<16}{_text(Number(one.tail.scale, one.tail.interval))}")
    if one.numbers.intervals:
        lines += ["", f"{one.numbers.confidence:.0%} intervals over {one.numbers.intervals}"]
    ax.text(0, 1, "\n".join(lines), va="top", family="monospace", fontsize=8, color=_INK)
    ax.set_axis_off()


def _text(number: Number) -> str:
    if number.value is None:
        return "-"
    ends = "" if number.interval is None else f" [{number.interval[0]:.3g}, {number.interval[1]:.3g}]"
    return f"{number.value:.4g}{ends}"
