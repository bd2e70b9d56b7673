"""A distribution as JSON values, as unit pages and data files hold it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.distribution.description import Description
from pellucid.activations.distribution.numbers import Number
from pellucid.activations.distribution.tail import TailFit

_DIGITS = 7  # significant; activations are single precision


def record(taps: Mapping[str, Description]) -> dict[str, Any]:
    """The distributions of a unit's activations, "pre" and "post" rectification or either, as JSON values.

    Each has `count`, `invalid`, `min` and `max`, and by name every number of `Numbers`, as {"value", "interval"} where
    it has an interval; the `confidence` of those, null without any, and in `intervals` what they were found from,
    "positions" or "shards"; `histogram` with `edges`, `counts`, `under`, `over` and `unplaced`; `density` with the
    middles of the bins, `x`, and the natural logarithm of the density there, `log`, null in empty bins; and `tail`, or
    null and why in `tail_note`. Numbers that are not defined are null.
    """
    return {"taps": {tap: _tap(one) for tap, one in taps.items()}}


def _tap(one: Description) -> dict[str, Any]:
    distribution, numbers = one.distribution, one.numbers
    return {
        "count": numbers.count,
        "invalid": numbers.invalid,
        "min": _short(numbers.minimum),
        "max": _short(numbers.maximum),
        **{name: _number(number) for name, number in numbers.named()},
        "confidence": numbers.confidence if numbers.intervals else None,
        "intervals": numbers.intervals,
        "histogram": {
            "edges": distribution.edges.tolist(),
            "counts": distribution.counts.tolist(),
            **{name: getattr(distribution, name) for name in ("under", "over", "unplaced")},
        },
        "density": {"x": _list(distribution.centres), "log": _list(distribution.log_density)},
        "tail": None if one.tail is None else _tail(one.tail),
        "tail_note": one.note,
    }


def _tail(tail: TailFit) -> dict[str, Any]:
    return {
        "low": _short(tail.low),
        "high": _short(tail.high),
        "bins": tail.bins,
        "merged": tail.merged,
        "count": tail.count,
        "slope": _short(tail.slope),
        "intercept": _short(tail.intercept),
        "scale": _short(tail.scale),
        "interval": None if tail.interval is None else [_short(end) for end in tail.interval],
        "r2": _short(tail.r2),
        "likelihood_scale": _short(tail.likelihood_scale),
        "likelihood_error": _short(tail.likelihood_error),
        "mean_excess": [[_short(at), _short(value)] for at, value in tail.mean_excess],
    }


def _number(number: Number) -> Any:
    if number.interval is None:
        return _short(number.value)
    return {"value": _short(number.value), "interval": [_short(end) for end in number.interval]}


def _list(values: NDArray[np.float64]) -> list[float | None]:
    return [_short(value) for value in values.tolist()]


def _short(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.{_DIGITS}g}")
