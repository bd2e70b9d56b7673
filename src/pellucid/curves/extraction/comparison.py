"""Curve extraction against Canny's edges on scenes whose curves are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.extraction.canny import canny_edges, canny_settings
from pellucid.curves.extraction.extraction import extract_curves
from pellucid.curves.extraction.scenes import Scene
from pellucid.curves.extraction.scores import edge_scores
from pellucid.errors import ObjectiveError, PellucidError
from pellucid.networks import Network

THRESHOLDS = tuple(np.round(np.arange(0.02, 1.0, 0.02), 2).tolist())
FIXED = 0.45
_RESAMPLES = 2000


@dataclass(frozen=True)
class MeanScore:
    """A mean over scenes, and its 95 % bootstrap interval over scenes."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | NDArray, seed: int = 0) -> "MeanScore":
        """The mean of values, with the percentile interval of 2000 draws of as many with replacement."""
        numbers = np.asarray(values, np.float64)
        rows = np.random.default_rng(seed).integers(len(numbers), size=(_RESAMPLES, len(numbers)))
        low, high = np.quantile(numbers[rows].mean(axis=1), (0.025, 0.975))
        return cls(float(numbers.mean()), float(low), float(high))

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Comparison:
    """F1 of curve extraction and of Canny's edges over scenes; the baseline's settings were chosen with the truth.

    `each` gives both methods, in every scene, the threshold or setting that is best there; `one` the setting that is
    best on average over the scenes, one and the same for all. `fixed` is the extraction's at a threshold that was
    chosen on other scenes, .45. `ahead` is extraction less Canny, pairwise, each at its best of every scene, and
    `differences` the same of every scene.
    """

    scenes: int
    each: MeanScore
    one: MeanScore
    fixed: MeanScore
    canny_each: MeanScore
    canny_one: MeanScore
    ahead: MeanScore
    threshold: float
    canny_setting: tuple[float, float, float]
    differences: tuple[float, ...]

    def row(self) -> dict[str, float | int]:
        """As columns for a table."""
        names = ("each", "one", "fixed", "canny_each", "canny_one", "ahead", "ahead_low", "ahead_high")
        means = [getattr(self, name).mean for name in names[:6]]
        return {"scenes": self.scenes, **dict(zip(names, [*means, self.ahead.low, self.ahead.high], strict=True))}


def compare_with_canny(
    network: Network,
    scenes: Sequence[Scene],
    layer: str,
    units: Sequence[int] | None = None,
    *,
    tolerance: float = 3.0,
    fixed: float = FIXED,
    **options: Any,
) -> Comparison:
    """Score the curve extraction of a family, and Canny's edges in 264 settings, on the same scenes.

    F1 is that of `edge_score` with `tolerance` px; the thresholds of the extraction are .02, .04 to .98 of its greatest
    strength. Further options are those of `extract_curves`. A scene in which none of the units fires counts as 0.
    """
    if not scenes:
        raise PellucidError("there are no scenes to compare on")
    settings = list(canny_settings())
    ours, theirs, at_fixed = [], [], []
    for scene in scenes:
        truth = scene.truth
        *graded, plain = _extracted(network, scene, layer, units, [*THRESHOLDS, fixed], tolerance, options)
        ours.append(graded)
        at_fixed.append(plain)
        edges = (canny_edges(scene.image, *setting) for setting in settings)
        theirs.append([edge_scores(one, truth, [0.5], tolerance=tolerance)[0].f1 for one in edges])
    found, baseline = np.array(ours), np.array(theirs)
    differences = found.max(axis=1) - baseline.max(axis=1)
    best, canny_best = found.mean(axis=0).argmax(), baseline.mean(axis=0).argmax()
    return Comparison(
        len(scenes),
        MeanScore.of(found.max(axis=1)),
        MeanScore.of(found[:, best]),
        MeanScore.of(at_fixed),
        MeanScore.of(baseline.max(axis=1)),
        MeanScore.of(baseline[:, canny_best]),
        MeanScore.of(differences),
        THRESHOLDS[best],
        tuple(settings[canny_best]),
        tuple(differences.tolist()),
    )


def _extracted(
    network: Network,
    scene: Scene,
    layer: str,
    units: Sequence[int] | None,
    thresholds: list[float],
    tolerance: float,
    options: dict[str, Any],
) -> Iterator[float]:
    try:
        edges = extract_curves(network, scene.image, layer, units, **options).edges
    except ObjectiveError as error:
        if "none of the units fires" not in str(error):
            raise
        edges = np.zeros(scene.size)
    for score in edge_scores(edges, scene.truth, thresholds, tolerance=tolerance):
        yield score.f1
