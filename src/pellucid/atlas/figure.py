"""An atlas as a figure for print: the icons of one level, sized by how much lies in their cells, with labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pellucid.atlas.class_names import short_name
from pellucid.atlas.classes import read_class_means
from pellucid.atlas.palette import Palette
from pellucid.atlas.sheets import read_icons
from pellucid.errors import AtlasError, PellucidError
from pellucid.study import CellRecord
from pellucid.study.records import read_cells

ENDINGS = (".png", ".pdf", ".svg")
_LARGEST = 12_000  # pixels a side of the picture of all icons


@dataclass(frozen=True)
class FigureConfig:
    """How an atlas is printed.

    `grid` is the level, by default the finest; `width` of the figure in inches; `density` makes icons of thin cells
    larger (0 draws all full size); `labels` writes at most so many class names, unstable ones in grey; `label` and
    `sign` show only what speaks for (1) or against (-1) one class, as opacity; `title` stands above, by default the
    atlas's own.
    """

    grid: int | None = None
    width: float = 7.0
    dpi: int = 300
    density: float = 1.0
    labels: int = 24
    label: int | None = None
    sign: int = 1
    title: str | None = None


def icon_sides(counts: NDArray[np.int64], grid: int, samples: int, density: float) -> NDArray[np.float64]:
    """The side of each icon as a share of its cell: min(1, sqrt(density · n · G² / N)); 1 for a density of 0.

    The published app's (Carter et al. 2019): a cell that holds an even share of all N activations is full.
    """
    if not density:
        return np.ones(len(counts))
    return np.minimum(1.0, np.sqrt(density * counts * grid**2 / samples))


def opacities(values: NDArray, sign: int) -> NDArray[np.float64]:
    """How visible cells are under a class: max(0, ±attribution) as a share of the class's own largest one."""
    raised = np.maximum(0.0, sign * values.astype(np.float64))
    return raised / raised.max() if raised.max() > 0 else raised


def chosen_labels(cells: tuple[CellRecord, ...], most: int) -> list[int]:
    """The cells whose labels are written: stable ones first, of these the fullest, none beside a cell with a label."""
    chosen: list[int] = []
    for index in sorted(range(len(cells)), key=lambda index: (not cells[index].stable, -cells[index].count, index)):
        cell = cells[index]
        near = any(abs(cells[o].row - cell.row) <= 1 and abs(cells[o].column - cell.column) <= 2 for o in chosen)
        if len(chosen) < most and cell.labels and not near:
            chosen.append(index)
    return chosen


def figure(palette: Palette, path: Path | str, *, config: FigureConfig | None = None) -> Figure:
    """Draw an atlas, write it to `.png`, `.pdf` or `.svg`, and return the figure.

    Icons are pixels in each of them; text and frames are lines in PDF and SVG. Raises `AtlasError` for another ending,
    a grid that the atlas has not, or a class whose attribution it does not hold.
    """
    config, path = config or FigureConfig(), Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise AtlasError(f"figures are written as {', '.join(ENDINGS)}, not {path.suffix!r}")
    if config.sign not in (1, -1) or not config.width > 0 or config.dpi < 1 or config.density < 0:
        raise AtlasError("a figure's sign is 1 or -1, its width and dpi are positive, its density not negative")
    drawn = _drawn(palette, config)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without a date, so that the same atlas gives the same file.
        dated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(path.suffix.lower())
        drawn.savefig(path, dpi=config.dpi, metadata=dated)
    except OSError as error:
        raise PellucidError(f"cannot write {path}: {error.strerror or error}") from error
    return drawn


def _drawn(palette: Palette, config: FigureConfig) -> Figure:
    record, folder = palette.record, palette.folder
    grid = palette.grids[-1] if config.grid is None else config.grid
    level = next((level for level in record.levels if level.grid == grid), None)
    if level is None:
        raise AtlasError(f"the atlas {folder.name} has no grid of {grid}; it has {', '.join(map(str, palette.grids))}")
    cells = read_cells(folder / level.table)
    rows, columns, counts = (np.array([getattr(cell, part) for cell in cells]) for part in ("row", "column", "count"))
    visible = np.ones(len(cells))
    if config.label is not None:
        values = read_class_means(folder, level)
        if not 0 <= config.label < values.shape[1]:
            raise AtlasError(f"the atlas {folder.name} holds no attribution of class {config.label}; build it again")
        visible = opacities(values[:, config.label], config.sign)
    sides = icon_sides(counts, grid, record.samples, config.density)
    icons = read_icons(folder, level.icons, rows, columns)
    drawn = Figure(figsize=(config.width, config.width * 1.08), layout="constrained")
    axes = drawn.add_subplot()
    axes.imshow(_sheet(icons, rows, columns, grid, sides, visible), extent=(0, grid, grid, 0), interpolation="nearest")
    axes.set(xlim=(0, grid), ylim=(grid, 0), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_color("0.8")
    names = record.classes
    for index in chosen_labels(cells, config.labels) if config.label is None else []:
        label = cells[index].labels[0][0]
        name = _called(names, label)
        axes.text(
            columns[index] + 0.5, rows[index] + 0.97, name, ha="center", va="bottom", fontsize=config.width * 0.75,
            color="black" if cells[index].stable else "0.5",
            bbox={"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )  # fmt: skip
    _legend(axes, palette, config, grid)
    return drawn


def _legend(axes, palette: Palette, config: FigureConfig, grid: int) -> None:
    record = palette.record
    title = config.title if config.title is not None else record.title or f"{record.network}, {record.layer}"
    if config.label is not None and config.title is None:
        title += f": {'for' if config.sign > 0 else 'against'} {_called(record.classes, config.label)}"
    axes.set_title(title, fontsize=config.width * 1.4)
    said = [f"{record.samples:,} activations of {record.images:,} images", f"{grid} x {grid} cells"]
    if config.density:
        full = max(1, round(record.samples / (config.density * grid**2)))
        said.append(f"a full icon stands for {full:,} activations or more")
    if config.label is None and config.labels:
        said.append("grey labels are unstable")
    text = "; ".join(said)
    if record.kind == "comparison" and {"left", "right"} <= record.about.keys():
        left, right = (_called(record.classes, record.about[side]) for side in ("left", "right"))
        text = f"← {left}   attribution   {right} →\n{text}"
    axes.set_xlabel(text, fontsize=config.width * 0.95)


def _called(classes: tuple[str, ...], label: Any) -> str:
    """The short name of a class, its number if it has none."""
    return short_name(classes, label) if isinstance(label, int) and 0 <= label < len(classes) else str(label)


def _sheet(
    icons: NDArray[np.uint8],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    grid: int,
    sides: NDArray[np.float64],
    visible: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """All icons on white, each in the middle of its cell."""
    pixels = max(1, min(icons.shape[1], _LARGEST // grid))
    sheet = np.full((grid * pixels, grid * pixels, 3), 255, dtype=np.uint8)
    for icon, row, column, share, opacity in zip(icons, rows, columns, sides, visible, strict=True):
        side = max(1, round(share * pixels))
        small = np.asarray(Image.fromarray(icon).resize((side, side), Image.Resampling.BOX), dtype=np.float64)
        top, left = row * pixels + (pixels - side) // 2, column * pixels + (pixels - side) // 2
        sheet[top : top + side, left : left + side] = np.round(255 + opacity * (small - 255)).astype(np.uint8)
    return sheet
