"""Distributions as rows of a table: for a terminal, for CSV."""

import csv
import io
import math
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from pellucid.activations.distribution.description import Description
from pellucid.activations.distribution.intervals import Interval

Cell = str | int | float | None
SHOWN = (
    "unit", "count", "mean", "sd", "min", "max", "fires", "rectified_sd", "kurtosis", "gini", "tail_scale", "tail_r2",
)  # fmt: skip
"""The columns that fit on a terminal."""
_WITH_INTERVAL = ("fires", "tail_scale")  # on a terminal; the files have all of them


def rows(descriptions: Mapping[str, Description]) -> list[dict[str, Cell]]:
    """One row for each distribution, by its name (column `unit`), with every number.

    The ends of a number's interval are in the columns NAME_low and NAME_high. What is not defined or not known is None.
    The tail is in `tail_scale`, `tail_r2`, its range `tail_from`, `tail_to`, and `tail_likelihood_scale` with its
    standard error; `tail_note` says why there is none.
    """
    return [_row(name, one) for name, one in descriptions.items()]


def rich_table(descriptions: Mapping[str, Description]) -> Table:
    """The most important columns for a terminal, with the intervals of the share that fires and of the tail's scale."""
    table = Table(*(name.replace("_", " ") for name in SHOWN), box=None, pad_edge=False)
    for row in rows(descriptions):
        table.add_row(*(_text(row, name) for name in SHOWN))
    return table


def csv_text(descriptions: Mapping[str, Description]) -> str:
    """All columns as comma-separated values with a header; empty where there is no number."""
    table = rows(descriptions)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]) if table else ["unit"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def _row(name: str, one: Description) -> dict[str, Any]:
    numbers, tail = one.numbers, one.tail
    row: dict[str, Any] = {
        "unit": name,
        "count": numbers.count,
        "invalid": numbers.invalid,
        "min": numbers.minimum,
        "max": numbers.maximum,
    }
    for key, number in numbers.named():
        row |= _with_ends(key, number.value, number.interval)
    row |= _with_ends("tail_scale", tail and tail.scale, tail and tail.interval)
    found = (tail.r2, tail.low, tail.high, tail.likelihood_scale, tail.likelihood_error) if tail else (None,) * 5
    names = ("tail_r2", "tail_from", "tail_to", "tail_likelihood_scale", "tail_likelihood_error")
    row |= {key: _finite(value) for key, value in zip(names, found, strict=True)}
    return {**row, "tail_note": one.note}


def _with_ends(name: str, value: float | None, interval: Interval | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return "-"
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else value
    text = f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return f"{text} [{low:.3g}, {high:.3g}]" if name in _WITH_INTERVAL and low is not None else text
