"""Unit pages of many units: examples and quilts as sheets and records in the study, with resume."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pellucid.activations.examples import UnitExamples, check_rows, choose
from pellucid.activations.fingerprints import NEAR
from pellucid.activations.harvested import Harvested, check_units
from pellucid.activations.page_parts import examples_page, quilt_page, short
from pellucid.activations.quilt import MOST, Quilt, check_quilt, sew
from pellucid.progress import progress_bar
from pellucid.study import Study
from pellucid.study.unit_pages import finished, merge_pages
from pellucid.study.unit_record import LayerPages, UnitPage

_MEMORY = 512 << 20  # bytes of pictures that are held at once


def write_examples(
    study: Study,
    layer: str,
    units: Sequence[int],
    *,
    tap: str | None = None,
    count: int = 9,
    rows: Sequence[str] = ("highest", "lowest"),
    source: Any = None,
    crop: int = 96,
    context: int = 160,
    near: int | None = NEAR,
    progress: bool = False,
) -> LayerPages:
    """Write `examples` of units into their pages in the study, and return the list of the layer's pages.

    Many units are done together, so that a photograph that several need is opened once: as many at a time as 512 MiB
    hold the pictures of. Units whose page has the same already are left as they are, so a run that was stopped goes on.
    A photograph that can no longer be opened is grey, its row says why, and its unit is done again in the next run.
    Raises what `examples` does.
    """
    check_rows(rows, count)
    harvested = Harvested.read(study, layer, source)
    side = tap or harvested.tap
    options = {"tap": side, "count": count, "rows": list(rows), "crop": crop, "context": context, "near": near}
    stamp = harvested.stamp({"part": "examples", **options})
    summary = harvested.summary(side)
    photographs = harvested.photographs(crop, context)

    def make(some: Sequence[int], advance: Callable[[int], None]) -> dict[int, UnitExamples]:
        return choose(summary, photographs, layer, some, side, rows, count, near, advance)

    def page(header: UnitPage, found: UnitExamples) -> UnitPage:
        return examples_page(study, header, found, stamp)

    pictures = len(rows) * count
    size = 3 * pictures * (crop**2 + context**2)
    return _Run(harvested, "examples", stamp, pictures, size, make, page)(units, progress)


def write_quilts(
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
) -> LayerPages:
    """Write each `quilt` of units into their pages in the study, as `write_examples` does examples."""
    check_quilt(columns, rows)
    harvested = Harvested.read(study, layer, source)
    side = tap or harvested.tap
    edges = columns if columns is None or isinstance(columns, int) else [str(float(edge)) for edge in columns]
    stamp = harvested.stamp({"part": "quilt", "tap": side, "columns": edges, "rows": rows, "crop": crop})
    summary = harvested.summary(side)
    photographs = harvested.photographs(crop, 0)

    def make(some: Sequence[int], advance: Callable[[int], None]) -> dict[int, Quilt]:
        return sew(summary, photographs, layer, some, side, columns, rows, advance)

    def page(header: UnitPage, found: Quilt) -> UnitPage:
        return quilt_page(study, header, found, stamp)

    pictures = rows * min(MOST, summary.bins.groups)
    return _Run(harvested, "quilt", stamp, pictures, 3 * pictures * crop**2, make, page)(units, progress)


class _Run:
    """Making one part of the pages of many units."""

    def __init__(
        self,
        harvested: Harvested,
        part: str,
        stamp: str,
        pictures: int,
        size: int,
        make: Callable[[Sequence[int], Callable[[int], None]], dict[int, Any]],
        page: Callable[[UnitPage, Any], UnitPage],
    ) -> None:
        self.harvested, self.part, self.stamp = harvested, part, stamp
        self.pictures = pictures
        self.together = max(1, _MEMORY // max(1, size))
        self.make, self.page = make, page

    def __call__(self, units: Sequence[int], progress: bool) -> LayerPages:
        study, layer = self.harvested.study, self.harvested.layer
        check_units(layer, units, self.harvested.record.units)
        units = list(dict.fromkeys(units))
        done = finished(study, layer, units, self.part, self.stamp)
        missing = [unit for unit in units if unit not in done]
        headers = self._headers()
        pages = None
        what = f"{self.part} of {layer}"
        with progress_bar(what, len(units), shown=progress) as advance, ThreadPoolExecutor() as pool:
            advance(len(done))
            for at in range(0, len(missing), self.together):
                some = missing[at : at + self.together]
                steps = _Steps(advance, len(some), self.pictures)
                found = self.make(some, steps.pictures_cut)
                written = pool.map(self.page, map(headers, some), (found[unit] for unit in some))
                pages = merge_pages(study, layer, map(steps.page, written))
        return pages or merge_pages(study, layer, ())  # the list may be behind, if the run before was stopped

    def _headers(self) -> Callable[[int], UnitPage]:
        """What a page says of its unit beside its parts."""
        study, layer = self.harvested.study, self.harvested.layer
        summary = self.harvested.summary("post")
        network = study.manifest.network.get("name", "")

        def header(unit: int) -> UnitPage:
            positions = int(summary.moments.count[unit])
            seen = positions > 0
            highest = short(float(summary.maximum[unit])) if seen else None
            fires = short(float(summary.firing[unit])) if seen else None
            return UnitPage(network, layer, unit, summary.images, positions, highest, fires)

        return header


class _Steps:
    """Moves a bar on by `units` while their pictures are cut and their pages written, each of which is half of it."""

    def __init__(self, advance: Callable[[int], None], units: int, pictures: int) -> None:
        self.advance, self.units, self.pictures = advance, units, units * pictures
        self.cut = self.written = self.moved = 0

    def pictures_cut(self, count: int) -> None:
        """Some more pictures are cut: as many as were expected, or more or fewer."""
        self.cut = min(self.pictures, self.cut + count)
        self._move()

    def page(self, page: UnitPage) -> UnitPage:
        """A page is ready, and with the first one all pictures are cut."""
        self.cut, self.written = self.pictures, self.written + 1
        self._move()
        return page

    def _move(self) -> None:
        reached = (self.cut * self.units // self.pictures + self.written) // 2
        self.advance(reached - self.moved)
        self.moved = reached
