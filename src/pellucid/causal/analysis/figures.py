"""Figures in the forms of Zimmermann et al. 2021: bars with 2 SEM, reaction times, confidence, layers, difficulty."""

from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.causal.analysis.accuracy import CHANCE, Accuracy
from pellucid.causal.analysis.report import Analysis
from pellucid.errors import PellucidError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK, _FAINT = "#222222", "#8a8a8a"
_COLOURS = {
    "optimized": "#3b6fb6", "natural": "#d0782a", "mixed": "#7b5ea7", "natural_blur": "#c3a13b", "none": "#8d8d8d",
}  # fmt: skip
_SHADES = ("#dcdcdc", "#9aa9bd", "#3b5b83")  # of confidence 1, 2 and 3
_NAMES = {"natural_blur": "blur"}
_MANY = 20  # layers that are named


def figures(analysis: Analysis) -> dict[str, "Figure"]:
    """The figures for which there are data, by the name of a file: made without pyplot.

    `accuracy`, with chance; `differences`, with intervals over people and units and the smallest effect;
    `reaction_times`; `confidence`; `layers`; `difficulty`.
    """
    made = {"accuracy": _accuracy(analysis)}
    if analysis.differences:
        made["differences"] = _differences(analysis)
    if analysis.reaction_times:
        made["reaction_times"] = _times(analysis)
    if analysis.confidence:
        made["confidence"] = _confidence(analysis)
    if len({one.group for one in analysis.by_layer}) > 1:
        made["layers"] = _layers(analysis)
    if analysis.difficulty:
        made["difficulty"] = _difficulty(analysis)
    return made


def _axes(width: float, height: float = 3.6, columns: int = 1) -> tuple["Figure", Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PellucidError("figures need matplotlib; install it: pip install matplotlib") from error
    drawn = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots(1, columns, squeeze=False, sharey=True)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=9)
    return drawn, axes


def _name(condition: str) -> str:
    return _NAMES.get(condition, condition)


def _bars(ax: Any, places: Any, rows: list[Any], value: str, width: float = 0.7) -> None:
    ax.bar(
        places, [getattr(one, value) for one in rows], width, yerr=[one.two_sem for one in rows],
        color=[_COLOURS[one.condition] for one in rows], ecolor=_INK, error_kw={"linewidth": 1.2}, capsize=3,
    )  # fmt: skip


def _chance(ax: Any) -> None:
    ax.axhline(CHANCE, color=_INK, linewidth=0.9, linestyle="--")
    ax.annotate(
        "chance", (1, CHANCE), xycoords=("axes fraction", "data"), xytext=(2, 0), textcoords="offset points",
        va="center", fontsize=8, color=_INK, annotation_clip=False,
    )  # fmt: skip
    ax.set_ylim(0, max(1.02, ax.get_ylim()[1]))  # whiskers may reach above 1
    ax.set_ylabel("share of right answers", fontsize=9)


def _accuracy(analysis: Analysis) -> "Figure":
    drawn, (ax,) = _axes(1.8 + 1.0 * len(analysis.accuracy))
    places = np.arange(len(analysis.accuracy))
    _bars(ax, places, list(analysis.accuracy), "accuracy")
    for place, one in zip(places, analysis.accuracy, strict=True):
        ax.text(place, 0.03, f"{one.accuracy:.0%}", ha="center", fontsize=9, color="white", fontweight="bold")
    ax.set_xticks(places, [f"{_name(one.condition)}\nn = {one.people}" for one in analysis.accuracy])
    _chance(ax)
    ax.set_title("Accuracy ± 2 SEM over people", loc="left", fontsize=10, color=_INK)
    return drawn


def _differences(analysis: Analysis) -> "Figure":
    rows = analysis.differences[::-1]
    drawn, (ax,) = _axes(6.4, 1.3 + 0.42 * len(rows))
    bound = 100 * float(analysis.settings["smallest_effect"])
    ax.axvspan(-bound, bound, color="#eef1f4", zorder=0)
    ax.axvline(0, color=_INK, linewidth=0.9, linestyle="--")
    for place, one in enumerate(rows):
        ax.plot([100 * one.low, 100 * one.high], [place, place], color=_INK, linewidth=1.4)
        ax.plot(100 * one.estimate.value, place, "o", color=_COLOURS[one.first], markersize=7, markeredgecolor=_INK)
    ax.set_yticks(range(len(rows)), [f"{_name(one.first)} - {_name(one.second)}" for one in rows])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlabel(f"percentage points; shaded: within the smallest effect, ± {bound:g}", fontsize=9)
    ax.set_title("Difference, 95 % interval over people and units", loc="left", fontsize=10, color=_INK)
    return drawn


def _times(analysis: Analysis) -> "Figure":
    kinds = [one for one in ("all", "right", "wrong") if any(row.answers == one for row in analysis.reaction_times)]
    drawn, axes = _axes(1.2 + 2.3 * len(kinds), columns=len(kinds))
    for ax, kind in zip(axes, kinds, strict=True):
        rows = [one for one in analysis.reaction_times if one.answers == kind]
        _bars(ax, np.arange(len(rows)), rows, "mean")
        ax.set_xticks(range(len(rows)), [_name(one.condition) for one in rows], rotation=20)
        ax.set_title(f"{kind} answers", fontsize=10, color=_INK)
    axes[0].set_ylim(bottom=0)
    axes[0].set_ylabel("reaction time in s, ± 2 SEM", fontsize=9)
    return drawn


def _confidence(analysis: Analysis) -> "Figure":
    kinds = [one for one in ("all", "right", "wrong") if any(row.answers == one for row in analysis.confidence)]
    drawn, axes = _axes(2.0 + 2.3 * len(kinds), columns=len(kinds))
    for ax, kind in zip(axes, kinds, strict=True):
        rows = [one for one in analysis.confidence if one.answers == kind]
        bottom = np.zeros(len(rows))
        for level in range(3):
            heights = np.array([one.shares[level] for one in rows])
            ax.bar(range(len(rows)), heights, 0.7, bottom, color=_SHADES[level], label=str(level + 1))
            bottom += heights
        ax.set_xticks(range(len(rows)), [_name(one.condition) for one in rows], rotation=20)
        ax.set_title(f"{kind} answers", fontsize=10, color=_INK)
    axes[0].set_ylim(0, 1)
    axes[0].set_ylabel("share of answers", fontsize=9)
    handles, labels = axes[-1].get_legend_handles_labels()
    drawn.legend(
        handles[::-1], labels[::-1], title="confidence", loc="outside right upper", fontsize=8, title_fontsize=8,
        frameon=False,
    )  # fmt: skip
    return drawn


def _layers(analysis: Analysis) -> "Figure":
    from matplotlib.patches import Patch

    layers = list(dict.fromkeys(one.group for one in analysis.by_layer))
    drawn, (ax,) = _axes(max(6.0, min(1.5 + 0.75 * len(layers), 16.0)))
    conditions = analysis.conditions
    width = 0.8 / len(conditions)
    for number, condition in enumerate(conditions):
        rows: list[Accuracy] = [one for one in analysis.by_layer if one.condition == condition]
        places = np.array([layers.index(one.group) for one in rows]) - 0.4 + width * (number + 0.5)
        _bars(ax, places, rows, "accuracy", width * 0.92)
    shown = layers if len(layers) <= _MANY else [""] * len(layers)
    long = max(map(len, shown)) > 8
    ax.set_xticks(range(len(layers)), shown, rotation=30 if long else 0, ha="right" if long else "center")
    _chance(ax)
    keys = [Patch(color=_COLOURS[one], label=_name(one)) for one in conditions]
    drawn.legend(handles=keys, loc="outside upper center", ncols=len(conditions), fontsize=8, frameon=False)
    return drawn


def _difficulty(analysis: Analysis) -> "Figure":
    drawn, (ax,) = _axes(6.0, 4.0)
    span = max(of.mean for one in analysis.difficulty for of in one.bins)
    for number, one in enumerate(analysis.difficulty):
        shade = _COLOURS[one.condition]
        beside = 0.009 * span * (number - (len(analysis.difficulty) - 1) / 2)  # so that whiskers do not hide others
        x, y = [of.mean + beside for of in one.bins], [of.accuracy for of in one.bins]
        told = "" if one.spearman is None else f", Spearman {one.spearman:.2f}"
        ax.errorbar(
            x, y, yerr=[of.two_sem for of in one.bins], color=shade, marker="o", markersize=5, linewidth=0,
            elinewidth=1.2, capsize=3, label=_name(one.condition) + told,
        )  # fmt: skip
        if one.slope is not None and one.intercept is not None:
            curve = np.geomspace(one.bins[0].low, one.bins[-1].high, 100)
            ax.plot(curve, 1 / (1 + np.exp(-one.intercept - one.slope * np.log2(curve))), color=shade, linewidth=1.2)
    _chance(ax)
    ax.set_xlabel("relative activation difference, (larger - smaller) / base", fontsize=9)
    drawn.legend(loc="outside upper center", ncols=2, fontsize=8, frameon=False)
    return drawn
