"""How far layouts can be trusted: are neighbours on the map neighbours among the activations?"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.atlas.layout import LAYOUTS, PCA, layout_named
from pellucid.progress import progress_bar

_NEAREST = 15  # neighbours in the trustworthiness
_SAMPLE = 3000  # activations that it is measured on


@dataclass(frozen=True)
class LayoutCheck:
    """Trustworthiness (Venna and Kaski 2001; cosine, k = 15) of the layout, of PCA's, and of shuffled positions."""

    samples: int
    layout: float
    pca: float
    shuffled: float


def check_layout(activations: NDArray, points: NDArray[np.float32], *, seed: int = 0) -> LayoutCheck:
    """Trustworthiness of a layout (N, 2) of activations (N, C), on 3,000 of them, beside PCA's and shuffled places."""
    chosen = _some(activations, seed)
    values, places = activations[chosen].astype(np.float64), points[chosen]
    shuffled = np.random.default_rng(seed).permutation(places)
    return LayoutCheck(len(chosen), trust(values, places), trust(values, PCA()(values)), trust(values, shuffled))


def trust(activations: NDArray, points: NDArray) -> float:
    """Trustworthiness by the 15 nearest neighbours in cosine (Venna and Kaski 2001): 1 if none is a false one."""
    from sklearn.manifold import trustworthiness  # slow to import

    nearest = max(1, min(_NEAREST, len(points) // 2 - 1))
    return float(trustworthiness(activations, points, n_neighbors=nearest, metric="cosine"))


def sampled_trust(activations: NDArray, points: NDArray, *, seed: int = 0) -> float:
    """The same, measured on 3,000 of them where there are more."""
    chosen = _some(activations, seed)
    return trust(activations[chosen].astype(np.float64), points[chosen])


@dataclass(frozen=True)
class LayoutTrial:
    """A layout by name: its trustworthiness and the seconds that it took; shuffled places take none."""

    name: str
    trust: float
    seconds: float


def compare_layouts(
    activations: NDArray, names: Sequence[str] = LAYOUTS, *, seed: int = 0, progress: bool = False
) -> tuple[LayoutTrial, ...]:
    """Lay out activations (N, C) in each way, and measure all on the same 3,000 of them, beside shuffled places."""
    chosen = _some(activations, seed)
    values = activations[chosen].astype(np.float64)
    trials, places = [], None
    with progress_bar("laying out", len(names), shown=progress) as advance:
        for name in names:
            layout = layout_named(name, seed=seed)
            layout(activations[: 4 * _NEAREST])  # what is imported and compiled first is not part of it
            before = time.perf_counter()
            points = layout(activations)
            seconds = time.perf_counter() - before
            places = points[chosen]
            trials.append(LayoutTrial(name, trust(values, places), seconds))
            advance(1)
    if places is not None:
        trials.append(LayoutTrial("shuffled", trust(values, np.random.default_rng(seed).permutation(places)), 0.0))
    return tuple(trials)


def _some(activations: NDArray, seed: int) -> NDArray[np.intp]:
    count = len(activations)
    return np.sort(np.random.default_rng(seed).choice(count, size=min(_SAMPLE, count), replace=False))
