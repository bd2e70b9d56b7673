"""The measures of tuning curves as rows: for a terminal, for CSV, for JSON."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.curves.tuning_curves.tuning_curve import TuningCurve
from pellucid.curves.tuning_curves.von_mises import fit_von_mises

Row = dict[str, Any]


def measure_rows(curves: Mapping[str, TuningCurve]) -> list[Row]:
    """One row for each curve, with what is not defined as None, and angles in degrees.

    The columns are `unit`, `argmax`, `mean`, `axis`, `R`, `doubled_R`, `echo`, `fwhm`, `peak`, and of the von Mises fit
    `kappa` and `r2`.
    """
    rows = []
    for name, curve in curves.items():
        fitted = fit_von_mises(curve)
        numbers = {
            "argmax": curve.argmax,
            "mean": curve.circular_mean,
            "axis": curve.axis,
            "R": curve.resultant,
            "doubled_R": curve.doubled_resultant,
            "echo": curve.echo,
            "fwhm": curve.fwhm,
            "peak": curve.peak,
            "kappa": fitted.kappa if fitted else np.nan,
            "r2": fitted.r2 if fitted else np.nan,
        }
        rows.append({"unit": name, **{key: value if math.isfinite(value) else None for key, value in numbers.items()}})
    return rows


def csv_text(rows: Sequence[Row]) -> str:
    """Rows with the same columns as comma-separated values with a header; empty where there is no number."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else ["unit"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
