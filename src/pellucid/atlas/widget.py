"""An atlas in a notebook: a small map to look around in, whose chosen cell Python knows."""

from pathlib import Path
from typing import Any

from pellucid.atlas.classes import read_class_means
from pellucid.atlas.palette import Cell, Palette
from pellucid.errors import AtlasError
from pellucid.study import LevelRecord, Study
from pellucid.study.records import read_cells

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise AtlasError("a widget needs anywidget; install it: pip install 'pellucid[notebook]'") from error

_MOST = 4096  # cells of a level that is handed over
_SCRIPT = Path(__file__).with_name("widget.js")


class AtlasWidget(anywidget.AnyWidget):
    """A map of an atlas: wheel or pinch to come nearer, drag to move, click to choose a cell.

    `atlas` is the atlas's name where a study has several; `height` that of the map in pixels. `selected` is the chosen
    cell as [grid, row, column], `[]` for none; set it to choose one from Python, `observe` it to hear of it. `label`
    shows only what speaks for a class by its index, -1 for everything. Levels of more than 4,096 cells are left out.
    Raises `StudyError` if there is no such atlas, `AtlasError` if none of its levels is small enough.
    """

    _esm = _SCRIPT
    _levels = traitlets.List().tag(sync=True)
    _sheets = traitlets.List().tag(sync=True)  # bytes, one for each level
    _classes = traitlets.List().tag(sync=True)
    _shown = traitlets.List().tag(sync=True)  # opacities, one list for each level; empty for all
    title = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(480).tag(sync=True)
    selected = traitlets.List().tag(sync=True)
    label = traitlets.Int(-1).tag(sync=True)

    def __init__(self, study: Study | Path | str, atlas: str | None = None, *, height: int = 480) -> None:
        opened = study if isinstance(study, Study) else Study.open(study)
        palette = Palette.open(opened, atlas)
        record = palette.record
        levels = [one for one in record.levels if one.cells <= _MOST and not one.icons.tile]
        if not levels:
            raise AtlasError(f"the levels of {palette.folder.name} are too large for a notebook; use 'pellucid serve'")
        super().__init__(
            _levels=[_level(palette, level) for level in levels],
            _sheets=[(palette.folder / level.icons.file).read_bytes() for level in levels],
            _classes=list(record.classes),
            title=record.title or f"{record.network}, {record.layer}",
            height=height,
        )
        self.palette = palette
        self._kept = levels

    @property
    def cell(self) -> Cell | None:
        """The chosen cell with a weight of 1, to mix, paint or ask with; None if none is chosen."""
        grid, row, column = self.selected or (0, 0, 0)
        return (grid, row, column, 1.0) if self.selected else None

    @traitlets.validate("selected")
    def _is_cell(self, proposal: Any) -> list[int]:
        value = list(proposal["value"])
        known = {level["grid"]: level["cells"] for level in self._levels}
        if value and not any([*value[1:]] == cell[:2] for cell in known.get(value[0], ())):
            raise traitlets.TraitError(f"{value} is no cell of this atlas: give [grid, row, column]")
        return value

    @traitlets.observe("label")
    def _weighed(self, change: Any) -> None:
        from pellucid.atlas.figure import opacities

        label = change["new"]
        if label < 0:
            self._shown = []
            return
        means = [read_class_means(self.palette.folder, level) for level in self._kept]
        if any(label >= values.shape[1] for values in means):
            raise AtlasError(f"the atlas {self.palette.folder.name} holds no attribution of class {label}")
        self._shown = [opacities(values[:, label], 1).round(3).tolist() for values in means]


def _level(palette: Palette, level: LevelRecord) -> dict[str, Any]:
    """A level in plain values: of each cell row, column, count, label, stable."""
    cells = read_cells(palette.folder / level.table)
    return {
        "grid": level.grid,
        "size": level.icons.size,
        "columns": level.icons.columns,
        "type": f"image/{Path(level.icons.file).suffix.lstrip('.')}",
        "cells": [
            [cell.row, cell.column, cell.count, cell.labels[0][0] if cell.labels else -1, cell.stable] for cell in cells
        ],
    }
