"""Histograms from files: published figures, and what this package wrote."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.distribution.densities import Place, bin_edges
from pellucid.activations.distribution.distribution import Distribution
from pellucid.errors import SummaryError
from pellucid.study.files import read_json


def read_histogram(
    path: Path | str, *, at: Place = "left", total: int | None = None, scale: float | None = None
) -> Distribution:
    """Read a histogram from a JSON file with `bins`, (B,) places or (B + 1,) edges, and `heights` (B,) or (R, B).

    Rows of heights are parts of the bars, such as the classes of a stacked figure, and are added. Heights that are all
    whole numbers are counts. Others are a density times `scale`, by default the power of ten that brings its integral
    nearest to 1, and go through `Distribution.from_density` with `at` and `total`. `edges` and `counts`, as
    distributions are written, are read as well.

    Raises `StudyError` if the file cannot be read, and `SummaryError` if it holds no histogram.
    """
    content = read_json(Path(path))
    bins, heights = _columns(path, content)
    heights = heights.sum(axis=0) if heights.ndim == 2 else heights
    if heights.ndim != 1 or not np.isfinite(heights).all() or len(heights) == 0:
        raise SummaryError(f"{path}: heights are one finite number for each bin, or rows of them")
    edges = bin_edges(bins, len(heights), at)
    if total is None and scale is None and heights.sum() >= 1 and (heights == np.round(heights)).all():
        outside = {name: int(content.get(name, 0)) for name in ("under", "over", "unplaced")}
        return Distribution.from_counts(edges, heights, **outside)
    return Distribution.from_density(edges, heights / (scale or _power(float(heights @ np.diff(edges)))), total=total)


def _power(integral: float) -> float:
    """The power of ten that is nearest."""
    return 10.0 ** round(math.log10(integral)) if integral > 0 else 1.0


def _columns(path: Path | str, content: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if isinstance(content, dict):
        for bins, heights in (("bins", "heights"), ("edges", "counts")):
            if bins in content and heights in content:
                try:
                    return np.asarray(content[bins], np.float64), np.asarray(content[heights], np.float64)
                except (TypeError, ValueError):
                    raise SummaryError(f"{path}: {bins} and {heights} must be lists of numbers") from None
    raise SummaryError(f"{path} holds no histogram: it needs 'bins' and 'heights', or 'edges' and 'counts'")
