"""How well found lines agree with those that are there: precision, recall and F1 within a tolerance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pellucid.errors import PellucidError

_THRESHOLDS = 50

Mask = NDArray[np.bool_]


class EdgeScore(NamedTuple):
    """The agreement of the lines that are at least as strong as `threshold`; each number is from 0 to 1."""

    f1: float
    precision: float
    recall: float
    threshold: float


def edge_score(
    found: NDArray, truth: NDArray, *, tolerance: float = 3.0, thresholds: Sequence[float] | None = None
) -> EdgeScore:
    """The best F1 of found lines (H, W), graded or yes and no, against true ones (H, W), over thresholds.

    Precision is the share of found pixels that lie at most `tolerance` px from a true one, recall the share of true
    pixels with a found one as near, and F1 their harmonic mean; 0 where nothing is found. Two lines found on both
    flanks of one are thus not counted against a method. `thresholds` are by default 50 quantiles of the values found.
    Raises `PellucidError` for maps of different sizes, or a truth without lines.
    """
    scores = edge_scores(found, truth, thresholds if thresholds is not None else _quantiles(found), tolerance=tolerance)
    return max(scores, key=lambda score: score.f1, default=EdgeScore(0.0, 0.0, 0.0, 1.0))


def edge_scores(
    found: NDArray, truth: NDArray, thresholds: Sequence[float], *, tolerance: float = 3.0
) -> list[EdgeScore]:
    """The agreement at each of some thresholds; see `edge_score`."""
    found, truth = np.asarray(found), np.asarray(truth, dtype=bool)
    if found.shape != truth.shape or found.ndim != 2:
        raise PellucidError(f"found lines and true ones are maps (H, W) of one size, not {found.shape}, {truth.shape}")
    if not truth.any():
        raise PellucidError("there are no true lines to compare with")
    if not tolerance >= 0:
        raise PellucidError(f"tolerance = {tolerance:g} px must be 0 or above")
    away = distance_to(truth)
    return [_score((found >= at) & (found > 0), truth, away, tolerance, float(at)) for at in thresholds]


def distance_to(mask: Mask) -> NDArray[np.float64]:
    """How far each pixel (H, W) lies from the nearest one of a mask that has one, in px."""
    return np.asarray(ndimage.distance_transform_edt(~mask), np.float64)


def _score(mask: Mask, truth: Mask, away: NDArray, tolerance: float, threshold: float) -> EdgeScore:
    if not mask.any():
        return EdgeScore(0.0, 0.0, 0.0, threshold)
    precision = float((away[mask] <= tolerance).mean())
    recall = float((distance_to(mask)[truth] <= tolerance).mean())
    both = precision + recall
    return EdgeScore(2 * precision * recall / both if both else 0.0, precision, recall, threshold)


def _quantiles(found: NDArray) -> list[float]:
    values = np.asarray(found)[np.asarray(found) > 0].astype(np.float64)
    return np.unique(np.quantile(values, np.arange(_THRESHOLDS) / _THRESHOLDS)).tolist() if values.size else []
