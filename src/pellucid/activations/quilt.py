"""Quilts: random examples of every bin of a unit's activation, from the lowest to the highest."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pellucid.activations.contact_sheet import Cell, Line, contact_sheet
from pellucid.activations.crops import GREY
from pellucid.activations.harvested import Harvested, check_units
from pellucid.activations.photographs import Photographs, Shown, Spot
from pellucid.activations.summary import Summary
from pellucid.errors import SummaryError
from pellucid.pictures import save
from pellucid.progress import progress_bar
from pellucid.study import Study

MOST = 18
"""Columns of a quilt, if nothing else is said; as many as in Cammarata et al., Curve Detectors (Distill 2020)."""


@dataclass(frozen=True, eq=False)
class Column:
    """Random examples of the `count` positions with low <= activation < high; None where the bin is open."""

    low: float | None
    high: float | None
    count: int
    examples: tuple[Shown, ...]

    @property
    def label(self) -> tuple[str, str]:
        """The bin in two short lines."""
        if self.low is None:
            return ("all", "") if self.high is None else (f"< {self.high:.3g}", "")
        return (f"{self.low:.3g}", f"to {self.high:.3g}") if self.high is not None else (f">= {self.low:.3g}", "")


@dataclass(frozen=True, eq=False)
class Quilt:
    """The quilt of one unit: columns from the lowest to the highest activation at a tap, "pre" or "post"."""

    layer: str
    unit: int
    tap: str
    columns: tuple[Column, ...]

    @property
    def rows(self) -> int:
        """The length of the longest column."""
        return max((len(column.examples) for column in self.columns), default=0)

    def sheet(self) -> Image.Image:
        """The quilt as a picture: under each column its bin and how many positions lie in it."""
        lines = []
        for row in range(self.rows):
            pictures = [_crop(column, row, self._side) for column in self.columns]
            under = [(*column.label, f"{column.count:,}") if row == self.rows - 1 else () for column in self.columns]
            lines.append(Line("", [Cell([one], text) for one, text in zip(pictures, under, strict=True)]))
        what = {"pre": "before rectification", "post": "of the layer's output"}[self.tap]
        return contact_sheet(f"{self.layer}:{self.unit}, activation {what}", lines, gap=2)

    def save(self, path: Path | str) -> None:
        """Write that picture to a file: .png, .webp or .jpg."""
        save(Path(path), self.sheet(), {"unit": f"{self.layer}:{self.unit}", "tap": self.tap})

    @property
    def _side(self) -> int:
        return next((one.crop.shape[0] for column in self.columns for one in column.examples), 1)


def quilt(
    study: Study,
    layer: str,
    units: Sequence[int],
    *,
    tap: str | None = None,
    columns: int | Sequence[float] | None = None,
    rows: int = 6,
    source: Any = None,
    crop: int = 64,
    progress: bool = False,
) -> dict[int, Quilt]:
    """Quilts of units of a harvested layer: columns are bins of activation, rows random positions in them.

    `tap` is "pre", what the layer's rectifier is given, where that was harvested, else "post", its output. Bins are
    those that the harvest sampled, of equal width, the outermost open; empty ones at both ends are left out.
    Neighbours are joined, equally many to each column, until there are at most `columns` (18 if nothing is said);
    `columns` may also be the edges themselves, among them -inf and inf, each of which is the edge of a bin. Each column
    shows the first `rows` positions of its bin in the order of their random priority, which is a uniform sample of all
    positions in it, joined or not. `crop` is the side of a picture in pixels.

    Raises `StudyError` for a layer or tap that was not harvested, `ObjectiveError` for a unit that it does not have,
    `SummaryError` for edges that are none, `ImagesError` if the photographs are gone.
    """
    check_quilt(columns, rows)
    harvested = Harvested.read(study, layer, source)
    tap = tap or harvested.tap
    summary = harvested.summary(tap)
    check_units(layer, units, summary.units)
    photographs = harvested.photographs(crop, 0)
    with progress_bar(f"quilts of {layer}", len(units) * rows * MOST, shown=progress) as advance:
        return sew(summary, photographs, layer, units, tap, columns, rows, advance)


def check_quilt(columns: int | Sequence[float] | None, rows: int) -> None:
    """Raise `SummaryError` for a quilt without rows or columns."""
    if rows < 1 or (isinstance(columns, int) and columns < 1):
        raise SummaryError(f"a quilt has one row and one column at least, not {rows} rows and columns = {columns}")
    if columns is not None and not isinstance(columns, int):
        edges = list(columns)
        if len(edges) < 2 or not all(low < high for low, high in pairwise(edges)):
            raise SummaryError(f"edges of columns must grow, and there are two at least, not {edges}")


def sew(
    summary: Summary,
    photographs: Photographs,
    layer: str,
    units: Sequence[int],
    tap: str,
    columns: int | Sequence[float] | None,
    rows: int,
    advance: Callable[[int], None],
) -> dict[int, Quilt]:
    """The same for a summary and photographs that are open."""
    bins = {unit: _bins(summary, unit, columns) for unit in units}
    spots = {unit: [_sample(summary, unit, one, rows) for one in some] for unit, some in bins.items()}
    flat = [spot for some in spots.values() for column in some for spot in column]
    shown = iter(photographs.show(flat, advance))
    return {
        unit: Quilt(
            layer,
            unit,
            tap,
            tuple(
                _column(summary, unit, one, [next(shown) for _ in column])
                for one, column in zip(bins[unit], some, strict=True)
            ),
        )
        for unit, some in spots.items()
    }


def _bins(summary: Summary, unit: int, columns: int | Sequence[float] | None) -> list[range]:
    """The bins of each column."""
    counts = summary.samples.counts[unit]
    if columns is not None and not isinstance(columns, int):
        cuts = [_edge(summary, unit, edge) for edge in columns]
        return [range(low, high) for low, high in pairwise(cuts)]
    (filled,) = np.nonzero(counts)
    if not len(filled):
        return []
    first, last = int(filled[0]), int(filled[-1]) + 1
    step = math.ceil((last - first) / (MOST if columns is None else columns))
    return [range(at, min(at + step, last)) for at in range(first, last, step)]


def _edge(summary: Summary, unit: int, edge: float) -> int:
    edges = summary.samples.edges[unit]
    if math.isinf(edge):
        return 0 if edge < 0 else len(edges) - 1
    nearest = int(np.abs(edges - edge).argmin())
    if abs(edges[nearest] - edge) > 1e-6 * (edges[1] - edges[0]):
        raise SummaryError(
            f"{edge:g} is no edge of a bin of unit {unit}; the nearest is {edges[nearest]:g}, and they lie "
            f"{edges[1] - edges[0]:g} apart"
        )
    return nearest


def _sample(summary: Summary, unit: int, bins: range, rows: int) -> list[Spot]:
    """The positions of least priority in some bins: those of all bins are known, so those of their union are."""
    index = (unit, slice(bins.start, bins.stop))
    spots = Spot.all(summary.samples, index)
    priorities = summary.samples.priorities[index][summary.samples.items[index] >= 0].tolist()
    order = sorted(range(len(spots)), key=lambda number: (priorities[number], spots[number].item, spots[number].place))
    return [spots[number] for number in order[: min(rows, summary.samples.values.shape[2])]]


def _column(summary: Summary, unit: int, bins: range, shown: list[Shown]) -> Column:
    edges = summary.samples.edges[unit]
    low = None if bins.start == 0 else float(edges[bins.start])
    high = None if bins.stop == len(edges) - 1 else float(edges[bins.stop])
    return Column(low, high, int(summary.samples.counts[unit, bins.start : bins.stop].sum()), tuple(shown))


def _crop(column: Column, row: int, side: int) -> Any:
    return column.examples[row].crop if row < len(column.examples) else np.full((side, side, 3), GREY, np.uint8)
