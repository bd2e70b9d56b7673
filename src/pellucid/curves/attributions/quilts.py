"""Quilts of attributions: what the neurons give to a unit in random examples of each bin of its activation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pellucid.activations.contact_sheet import Cell, Line, contact_sheet
from pellucid.activations.crops import GREY
from pellucid.activations.quilt import Column, check_quilt, sew
from pellucid.curves.attributions.attributor import Attributor, Watched
from pellucid.curves.attributions.examples import AttributedExample
from pellucid.networks import Network
from pellucid.pictures import save
from pellucid.progress import progress_bar
from pellucid.study import Study


@dataclass(frozen=True, eq=False)
class AttributionQuilt:
    """The quilt of one unit with attributions to the layer `previous`: the columns of `pellucid.activations.quilt`.

    `examples` has those of each column, without the photographs that could not be opened.
    """

    layer: str
    unit: int
    previous: str
    tap: str
    through: tuple[str, ...]
    columns: tuple[Column, ...]
    examples: tuple[tuple[AttributedExample, ...], ...]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each example, with the `bin` of its column."""
        return [
            {"bin": " ".join(column.label).strip(), **one.row()}
            for column, some in zip(self.columns, self.examples, strict=True)
            for one in some
        ]

    def sheet(self) -> Image.Image:
        """The quilt as a picture: under each place its attribution, under each column its bin and count."""
        height = max((len(some) for some in self.examples), default=0)
        first = next((one for some in self.examples for one in some), None)
        side, count = (1, 1) if first is None else (first.heat.shape[0], len(first.pictures))
        lines = []
        for row in range(height):
            cells = []
            for column, some in zip(self.columns, self.examples, strict=True):
                empty = [np.full((side, side, 3), GREY, np.uint8)] * count
                text = (*column.label, f"{column.count:,}") if row == height - 1 else ()
                cells.append(Cell(some[row].pictures if row < len(some) else empty, text))
            lines.append(Line("", cells))
        what = {"pre": "before rectification", "post": "of the layer's output"}[self.tap]
        title = f"{self.layer}:{self.unit} from {self.previous}, activation {what}"
        return contact_sheet(title, lines, gap=2)

    def save(self, path: Path | str) -> None:
        """Write that picture to a file: .png, .webp or .jpg."""
        about = {"unit": f"{self.layer}:{self.unit}", "previous": self.previous, "tap": self.tap}
        save(Path(path), self.sheet(), about)


def attribution_quilt(
    network: Network,
    study: Study,
    layer: str,
    unit: int,
    *,
    previous: str | None = None,
    tap: str | None = None,
    columns: int | Sequence[float] | None = None,
    rows: int = 4,
    source: Any = None,
    rendered: bool = False,
    crop: int = 64,
    steps: int = 64,
    seed: int = 0,
    progress: bool = False,
) -> AttributionQuilt:
    """The quilt of a unit with the attribution of every example, as in Curve Detectors (Cammarata et al. 2020).

    Columns and examples are those of `pellucid.activations.quilt.quilt`. Each is attributed at its own place; the
    picture shows attribution by position over it, red where it excites the unit and blue where it inhibits it.
    `rendered` adds the picture of each attribution (`attribution_picture`, within the unit's field, `steps` steps),
    which takes far longer. Raises what `quilt` raises, and `StudyError` for another network than the harvest's.
    """
    check_quilt(columns, rows)
    attributor = Attributor.of(
        network, study, layer, unit, previous, source, crop=crop, rendered=rendered, steps=steps, seed=seed
    )
    tap = tap or attributor.harvested.tap
    photographs = Watched.of(attributor.harvested, crop)
    summary = attributor.harvested.summary(tap)
    sewn = sew(summary, photographs, layer, [unit], tap, columns, rows, lambda _: None)[unit]
    shown = [one for column in sewn.columns for one in column.examples]
    spots = [photographs.spot(one) for one in shown]
    with progress_bar(f"attribution of {layer}:{unit}", len(shown), shown=progress) as advance:
        found = attributor.examples("quilt", shown, spots, advance)
    of = {id(one.shown): one for one in found.examples}
    examples = tuple(
        tuple(of[id(one)] for one in column.examples if id(one) in of) for column in sewn.columns
    )  # fmt: skip
    return AttributionQuilt(layer, unit, attributor.previous, tap, found.through, sewn.columns, examples)
