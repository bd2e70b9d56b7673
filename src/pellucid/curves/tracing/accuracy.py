"""How far a traced line lies from the curve that is there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from pellucid.curves.extraction import Scene
from pellucid.curves.tracing.spline import evenly

Points = NDArray[np.float64]
_SAMPLES = 200


@dataclass(frozen=True)
class TraceError:
    """Distances in px between a traced line and a curve, from either to the other.

    `away` is the mean distance of the traced line from the curve, `missed` that of the curve from the traced line, of
    what of it lies in the picture. `mean` is the mean of the two, `p95` and `greatest` are of both together.
    """

    away: float
    missed: float
    mean: float
    p95: float
    greatest: float


def trace_error(line: Points, scene: Scene, stroke: int = 0) -> TraceError:
    """Compare a line (M, 2), as (y, x) in pixels, with a stroke of a scene, each in 200 evenly spread places.

    Distances from the curve are exact, those from the traced line are to its straight pieces' places a fraction of a px
    apart.
    """
    away = scene.distances(evenly(line, _SAMPLES))[stroke]
    path = scene.paths(_SAMPLES)[stroke]
    inside = ((path >= 0) & (path <= np.array(scene.size) - 1)).all(axis=1)
    missed = cdist(path[inside], evenly(line, 10 * _SAMPLES)).min(axis=1)
    both = np.concatenate([away, missed])
    means = float(away.mean()), float(missed.mean())
    return TraceError(*means, sum(means) / 2, float(np.quantile(both, 0.95)), float(both.max()))
