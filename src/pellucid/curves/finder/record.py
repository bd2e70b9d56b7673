"""What was found, as JSON values: for files, and for the viewer's page of families."""

import math
from typing import Any

import numpy as np

from pellucid.curves.families import Family
from pellucid.curves.finder.found import KINDS, Found, Judged
from pellucid.curves.rule import Kind

FORMAT = 1
_DIGITS = 5  # significant; responses are single precision
_BEST = 100  # units beside those of a kind


def found_record(found: Found, *, best: int = _BEST) -> dict[str, Any]:
    """Everything that was found, but for units that are nothing and not among the `best` of the rest by score.

    `layers` are the rows of `Found.layer_rows`, `discoveries` the numbers of each kind here and in the null networks,
    with the false discovery rate and its upper limit, `families` those of mature and of proto curve detectors by layer,
    and `units` the rows of `Found.unit_rows` with their `tuning` by outward normal, 0, 360 / T, ... degrees.
    """
    units = found.unit_rows(best=best)
    for row in units:
        layer, unit = row["unit"].rsplit(":", 1)
        row["tuning"] = [_short(value) for value in found.layer(layer).measures.tuning[int(unit)].tolist()]
    return {
        "format": FORMAT,
        **found.about,
        "layers": found.layer_rows(),
        "discoveries": {kind: _discoveries(found, kind) for kind in KINDS},
        "families": [
            {"layer": layer.layer, "kind": kind, **family_record(layer, family)}
            for layer in found.layers
            for kind in ("mature", "proto")
            for family in found.families(layer.layer, kind)
        ],
        "units": units,
    }


def family_record(layer: Judged, family: Family) -> dict[str, Any]:
    """A family as JSON values: units in the order of their directions, gaps, coverage, likeness and strengths."""
    return {
        "units": [int(unit.rsplit(":", 1)[1]) for unit in family.units],
        "directions": [
            _short(layer.measures.curve(int(unit.rsplit(":", 1)[1])).circular_mean) for unit in family.units
        ],
        "gaps": [
            {
                "before": int(gap.before.rsplit(":", 1)[1]),
                "after": int(gap.after.rsplit(":", 1)[1]),
                "degrees": _short(gap.degrees),
            }
            for gap in family.gaps
        ],
        "coverage": _short(family.coverage),
        "least_correlation": _short(family.least_correlation),
        "median_correlation": _short(family.median_correlation),
        "z": None if family.z is None else [_short(value) for value in family.z],
    }


def _discoveries(found: Found, kind: Kind) -> dict[str, Any]:
    one = found.false_discoveries(kind)
    return {
        "real": one.real,
        "nulls": dict(zip(found.nulls, one.nulls, strict=True)),
        "rate": _short(one.rate),
        "most": _short(one.most),
    }


def _short(value: float) -> float | None:
    return float(np.format_float_positional(value, _DIGITS, fractional=False)) if math.isfinite(value) else None
