"""The places of single activations, for a map that shows them as points."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.study import write_bytes
from pellucid.study.records import PointsRecord

MOST_POINTS = 100_000  # what a browser draws fluently; 400 kB
_FILE = "points.u16"


def write_points(folder: Path, points: NDArray[np.float32], *, seed: int = 0) -> PointsRecord:
    """Write the places (N, 2) of activations in the unit square, of 100,000 of them at random where there are more."""
    if len(points) > MOST_POINTS:
        chosen = np.random.default_rng(seed).choice(len(points), size=MOST_POINTS, replace=False)
        points = points[np.sort(chosen)]
    places = np.round(np.clip(points, 0, 1) * np.float64(65535)).astype("<u2")
    write_bytes(folder / _FILE, places.tobytes())
    return PointsRecord(_FILE, len(places))


def read_points(folder: Path, record: PointsRecord) -> NDArray[np.float64]:
    """The places that were written: (count, 2), in the unit square."""
    return np.fromfile(folder / record.file, "<u2").reshape(-1, 2) / 65535
