"""Label data in files: those of the Curve Detectors article, and one's own in the same forms."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.distribution import Distribution, read_histogram
from pellucid.curves.labels.counts import LABELS, LabelCounts
from pellucid.curves.labels.shares import LabelShares
from pellucid.errors import PellucidError
from pellucid.study.files import read_json


def read_label_counts(path: Path | str, labels: tuple[str, ...] = LABELS) -> tuple[LabelCounts, Distribution | None]:
    """Read a JSON file of `bin_left_edge` (B,) and, by label, integer counts (B,).

    `dataset_histogram` in it, an object of `bin_left_edge`, `count` and the number `N` of all positions, is given
    beside them, otherwise None. Raises `StudyError` if the file cannot be read, and `PellucidError` if it holds no
    counts of these labels.
    """
    content = read_json(Path(path))
    missing = [name for name in ("bin_left_edge", *labels) if not isinstance(content, dict) or name not in content]
    if missing:
        raise PellucidError(f"{path} holds no counts of labels: {missing[0]!r} is missing")
    counts = _numbers(path, [content[label] for label in labels])
    if counts.ndim != 2 or (counts != np.round(counts)).any():
        raise PellucidError(f"{path}: counts of images are whole numbers, as many for each label")
    found = LabelCounts(_edges(path, content["bin_left_edge"]), counts.astype(np.int64), labels)
    beside = content.get("dataset_histogram")
    if beside is None:
        return found, None
    try:
        edges, positions = _edges(path, beside["bin_left_edge"]), _numbers(path, beside["count"])
        number = int(beside.get("N", positions.sum()))
    except (KeyError, TypeError, AttributeError):
        raise PellucidError(f"{path}: dataset_histogram needs bin_left_edge and count") from None
    return found, Distribution.from_counts(edges, positions, unplaced=max(0, number - int(positions.sum())))


def read_label_shares(path: Path | str, labels: tuple[str, ...] = LABELS) -> LabelShares:
    """Read P(label | x) from a JSON file of `bins` (B,), left edges, and `heights` or `normalized_heights` (L, B).

    Raises `StudyError` if the file cannot be read, and `PellucidError` if it holds no shares of so many labels.
    """
    content = read_json(Path(path))
    key = next((key for key in ("heights", "normalized_heights") if isinstance(content, dict) and key in content), None)
    if key is None or "bins" not in content:
        raise PellucidError(f"{path} holds no shares of labels: it needs 'bins' and 'heights'")
    shares = _numbers(path, content[key])
    try:
        return LabelShares(_edges(path, content["bins"]), shares, labels)
    except PellucidError as error:
        raise PellucidError(f"{path}: {error}") from error


def read_positions(path: Path | str) -> Distribution:
    """Read the activations of a dataset from a JSON file.

    Read are histograms as `read_histogram` does, such as that of the article's second plot, whose heights are shares of
    a density, and the data that `pellucid distribution STUDY layer:unit -o FILE.json` writes for one unit, before its
    rectifier if that is there. Raises `StudyError` or `SummaryError` if the file holds none.
    """
    content = read_json(Path(path))
    if not (isinstance(content, dict) and isinstance(content.get("units"), list)):
        return read_histogram(path)
    if len(content["units"]) != 1:
        raise PellucidError(f"{path} holds {len(content['units'])} units; write one alone")
    try:
        taps = content["units"][0]["taps"]
        histogram = (taps.get("pre") or taps["post"])["histogram"]
        outside = {name: int(histogram[name]) for name in ("under", "over", "unplaced")}
        return Distribution.from_counts(histogram["edges"], histogram["counts"], **outside)
    except (KeyError, TypeError, AttributeError):
        raise PellucidError(f"{path} holds no histogram of its unit") from None


def _edges(path: Path | str, left: Any) -> NDArray[np.float64]:
    """Edges (B + 1,) from left edges (B,), which are evenly apart."""
    found = _numbers(path, left)
    if found.ndim != 1 or len(found) < 2 or not np.allclose(np.diff(found), found[1] - found[0]):
        raise PellucidError(f"{path}: bins are told by their left edges, two or more, which are evenly apart")
    return np.append(found, 2 * found[-1] - found[-2])


def _numbers(path: Path | str, values: Any) -> NDArray[np.float64]:
    try:
        found = np.array(values, np.float64)
    except (TypeError, ValueError):
        found = np.full(1, np.nan)
    if not np.isfinite(found).all():
        raise PellucidError(f"{path}: what stands there are not numbers, or rows of different lengths")
    return found
