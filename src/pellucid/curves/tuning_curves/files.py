"""Tuning curves in files: published radial data, and one's own JSON and CSV."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.curves.tuning_curves.tuning_curve import TuningCurve
from pellucid.errors import PellucidError
from pellucid.study.files import read_json

_RESPONSES = ("activations", "responsesByNeuron")


def read_tuning_curves(path: Path | str) -> dict[str, TuningCurve]:
    """Read the tuning curves of a file, by the units' addresses, such as "mixed3b:379", in the order of the file.

    Read are:

    - published radial data of the Curve Detectors and Curve Circuits articles, a JSON object, or a list of one for each
      layer, of `layer`, `neurons` and, by unit, 720 values half a degree apart in `activations` or
      `responsesByNeuron`, whose angles are outward normals; and `radialTuningCurves` of all units, by unit, over the
      180 degrees of lines;
    - JSON as `tuning_record` gives it: `period`, `angles` and `curves` by unit;
    - CSV with a header: angles in the first column, a column for each unit; the period is 180 if the angles, with the
      step from one to the next added, end there, otherwise 360.

    Raises `StudyError` if the file cannot be read, and `PellucidError` if it holds no tuning curves.
    """
    path = Path(path)
    try:
        found = list(_of_csv(path) if path.suffix.lower() == ".csv" else _of_json(path, read_json(path)))
    except PellucidError as error:
        raise type(error)(f"{path}: {error}" if str(path) not in str(error) else str(error)) from error
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise PellucidError(f"{path}: tuning curves are lists of numbers, by unit: {error!r}") from error
    curves = dict(found)
    if len(curves) < len(found):
        raise PellucidError(f"{path}: a unit stands there twice")
    return curves


def tuning_record(curves: Mapping[str, TuningCurve]) -> dict[str, Any]:
    """Tuning curves of the same angles as JSON values, which `read_tuning_curves` reads."""
    first = next(iter(curves.values()), None)
    if first is None:
        raise PellucidError("there are no tuning curves to write")
    if any(one.period != first.period or not np.array_equal(one.angles, first.angles) for one in curves.values()):
        raise PellucidError("the tuning curves of one file must have the same angles")
    return {
        "format": 1,
        "period": first.period,
        "angles": first.angles.tolist(),
        "curves": {name: one.values.tolist() for name, one in curves.items()},
    }


def _of_json(path: Path, content: Any) -> Iterator[tuple[str, TuningCurve]]:
    if isinstance(content, dict) and "curves" in content and "angles" in content:
        angles, period = np.array(content["angles"], np.float64), float(content.get("period", 360))
        for name, values in content["curves"].items():
            yield name, TuningCurve(angles, np.array(values, np.float64), period)
    elif isinstance(content, dict) and "radialTuningCurves" in content:
        for unit, values in content["radialTuningCurves"].items():
            yield f"{content.get('layer', path.stem)}:{unit}", TuningCurve.of(values, period=180)
    else:
        layers = content if isinstance(content, list) else [content]
        for layer in layers:
            key = next((key for key in _RESPONSES if isinstance(layer, dict) and key in layer), None)
            if key is None or "neurons" not in layer:
                raise PellucidError(
                    f"{path} holds no tuning curves: it needs 'angles' and 'curves', or 'layer', 'neurons' and "
                    "'activations' or 'responsesByNeuron'"
                )
            for unit in layer["neurons"]:
                yield f"{layer.get('layer', path.stem)}:{unit}", TuningCurve.of(layer[key][str(unit)])


def _of_csv(path: Path) -> Iterator[tuple[str, TuningCurve]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = [row for row in csv.reader(file) if row]
    except (OSError, ValueError) as error:
        raise PellucidError(f"{path} cannot be read as a table with a header: {error}") from error
    if len(header) < 2 or any(len(row) != len(header) for row in rows):
        raise PellucidError(f"{path}: each row has an angle and a value for each unit of the header")
    table = np.array(rows, np.float64).reshape(len(rows), len(header))
    angles = table[:, 0]
    if len(angles) < 2:
        raise PellucidError(f"{path} holds {len(angles)} angles, and a tuning curve has 4 or more")
    # Angles begin anywhere, so the turn they make is told by the step.
    turn = (angles[-1] - angles[0]) * len(angles) / (len(angles) - 1)
    for column, name in enumerate(header[1:], start=1):
        yield name.strip(), TuningCurve(angles, table[:, column].copy(), 180.0 if abs(turn - 180) < 1 else 360.0)
