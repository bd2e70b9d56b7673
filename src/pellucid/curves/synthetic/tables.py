"""Heatmaps and series of angles as rows: for a terminal, for CSV, for JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.curves.synthetic.angles import AngleSeries
from pellucid.curves.synthetic.heatmap import Heatmap
from pellucid.curves.synthetic.variants import compare
from pellucid.curves.tuning_curves.table import Row


def heatmap_rows(maps: Mapping[str, Mapping[str, Heatmap]]) -> list[Row]:
    """One row for each unit and style of heatmaps by style and address; the first style is what others are compared to.

    The columns are `unit`, `style`, `peak` in the unit of measure, `radius` (px) and `orientation` of the strongest
    stimulus, `normal`, the circular mean of the radial tuning by outward normals, `width_flat` and `width_tight`, the
    degrees at which the flattest and the tightest row fire, `wisps`, `steepest`, and `correlation`, `peak_ratio` and
    `shift` of `Variant`. What is not defined is None.
    """
    (first, *_) = maps.values()
    rows = []
    for unit, reference in first.items():
        for style, of in maps.items():
            one = of[unit]
            widths = one.firing_width()
            against = compare(reference, one)
            numbers = {
                "peak": one.peak,
                "radius": one.best[0],
                "orientation": one.best[1],
                "normal": one.normal,
                "width_flat": float(widths[0]),
                "width_tight": float(widths[-1]),
                "wisps": one.wisps,
                "steepest": one.steepest,
                "correlation": against.correlation,
                "peak_ratio": against.peak_ratio,
                "shift": against.shift,
            }
            rows.append({"unit": unit, "style": style, **_known(numbers)})
    return rows


def angle_rows(series: Mapping[str, AngleSeries]) -> list[Row]:
    """One row for each unit.

    The columns are `unit`; the greatest value for angles of each rounding (`corner`, then `rounded_` with the radius in
    px) and for curves (`curve`), in the unit of measure; the same as shares of the response to curves (`ratio_` ...);
    whether they rise (`rises`); the `opening` and `orientation` of the strongest angle; and the correlation of the
    first heatmap with that of curves (`correlation`). What is not defined is None.
    """
    rows = []
    for unit, one in series.items():
        names = [_rounded(radius) for radius in one.roundings]
        numbers: dict[str, Any] = dict(zip([*names, "curve"], one.peaks, strict=True))
        numbers |= {f"ratio_{name}": ratio for name, ratio in zip(names, one.ratios[:-1], strict=True)}
        opening, orientation = one.sharpest
        rows.append(
            {
                "unit": unit,
                **_known(numbers),
                "rises": one.rises,
                **_known({"opening": opening, "orientation": orientation, "correlation": one.correlations[0]}),
            }
        )
    return rows


def summaries(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """The median and the range of columns in words, where they have numbers."""
    lines = []
    for name in names:
        values = sorted(row[name] for row in rows if row.get(name) is not None)
        if values:
            middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
            text, low, high = (_text(name, value) for value in (middle, values[0], values[-1]))
            lines.append(f"{name.replace('_', ' ')} {text} ({low} to {high})")
    return lines


def readable(rows: Sequence[Row]) -> list[Row]:
    """The same rows with their numbers as short texts."""
    return [
        {name: _text(name, value) if isinstance(value, float) else value for name, value in row.items()} for row in rows
    ]


_PLACES = {
    "radius": 1, "orientation": 0, "normal": 1, "width_flat": 0, "width_tight": 0, "wisps": 2, "correlation": 3,
    "peak_ratio": 2, "shift": 1, "size_of_shift": 1, "opening": 0,
}  # fmt: skip


def _text(name: str, value: float) -> str:
    if name not in _PLACES:
        return f"{value:.3g}"
    # Neither 360 degrees nor minus nothing.
    rounded = round(value, _PLACES[name]) + 0.0
    return f"{rounded % 360 if name == 'normal' else rounded:.{_PLACES[name]}f}"


def _rounded(radius: float) -> str:
    return "corner" if radius == 0 else f"rounded_{radius:.3g}"


def _known(numbers: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}
