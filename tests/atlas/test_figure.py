from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pellucid.atlas.classes import describe_classes, write_class_means
from pellucid.atlas.figure import FigureConfig, chosen_labels, figure, icon_sides, opacities
from pellucid.atlas.palette import Palette
from pellucid.errors import AtlasError
from pellucid.study import AtlasRecord, CellRecord
from pellucid.study.records import read_cells
from studies import CLASSES, make_study


@pytest.fixture(scope="module")
def palette(tmp_path_factory: pytest.TempPathFactory) -> Palette:
    """A drawn atlas that holds the attribution of its 16 classes."""
    study = make_study(tmp_path_factory.mktemp("figure") / "study", levels=(4, 8), samples=2000)
    folder = study.path / "atlas" / "blocks.4.2.bn2"
    record = AtlasRecord.read(folder)
    random = np.random.default_rng(0)
    levels = []
    for level in record.levels:
        chunks = describe_classes(level.grid, level.cells, len(CLASSES))
        assert chunks is not None
        write_class_means(folder, chunks, random.normal(size=(level.cells, len(CLASSES))).astype(np.float32))
        levels.append(level.__class__(**{**vars(level), "classes": chunks}))
    AtlasRecord(**{**vars(record), "levels": tuple(levels)}).write(folder)
    return Palette.open(study)


def axes_picture(palette: Palette, path: Path, **settings: Any) -> np.ndarray:
    """What the figure shows inside its frame: the picture of all icons."""
    drawn = figure(palette, path, config=FigureConfig(dpi=60, **settings))
    return np.asarray(drawn.axes[0].images[0].get_array())


def test_a_full_cell_has_a_full_icon_and_a_thin_one_a_small_one() -> None:
    counts = np.array([1, 25, 100, 400])
    assert icon_sides(counts, 10, 10_000, 1.0).tolist() == [0.1, 0.5, 1.0, 1.0]
    assert icon_sides(counts, 10, 10_000, 4.0).tolist() == [0.2, 1.0, 1.0, 1.0]
    assert icon_sides(counts, 10, 10_000, 0.0).tolist() == [1.0] * 4


def test_a_class_shows_its_own_cells() -> None:
    values = np.array([-2.0, 0.0, 1.0, 4.0])
    assert opacities(values, 1).tolist() == [0, 0, 0.25, 1]
    assert opacities(values, -1).tolist() == [1, 0, 0, 0]
    assert opacities(np.array([-1.0, -2.0]), 1).tolist() == [0, 0]


def test_labels_are_those_of_the_fullest_cells_the_stable_ones_first_and_never_side_by_side() -> None:
    def cell(row: int, column: int, count: int, stable: bool = True) -> CellRecord:
        return CellRecord(row, column, count, ((0, 1.0),), stable, ())

    cells = (cell(0, 0, 5), cell(0, 2, 9), cell(0, 5, 7), cell(3, 0, 8, stable=False), cell(3, 4, 6))
    assert chosen_labels(cells, 10) == [1, 2, 4, 3]
    assert chosen_labels(cells, 2) == [1, 2]
    assert chosen_labels(cells, 0) == []


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg"])
def test_a_figure_is_written_in_every_form(palette: Palette, tmp_path: Path, ending: str) -> None:
    path = tmp_path / "deeper" / f"atlas{ending}"
    figure(palette, path, config=FigureConfig(width=4, dpi=100))
    content = path.read_bytes()
    begins = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[ending]
    assert content.startswith(begins)
    if ending == ".png":
        with Image.open(path) as picture:
            assert picture.size == (400, 432)
    figure(palette, tmp_path / f"again{ending}", config=FigureConfig(width=4, dpi=100))
    if ending != ".svg":  # whose ids are drawn by chance
        assert (tmp_path / f"again{ending}").read_bytes() == content


def test_each_icon_stands_in_its_cell(palette: Palette, tmp_path: Path) -> None:
    level = palette.record.levels[0]
    cells = {(cell.row, cell.column): index for index, cell in enumerate(read_cells(palette.folder / level.table))}
    shown = axes_picture(palette, tmp_path / "a.png", grid=4, density=0)
    with Image.open(palette.folder / level.icons.file) as sheet:
        icons = np.asarray(sheet.convert("RGB"))
    side, columns = level.icons.size, level.icons.columns
    assert shown.shape == (4 * side, 4 * side, 3)
    for row in range(4):
        for column in range(4):
            part = shown[row * side : (row + 1) * side, column * side : (column + 1) * side]
            if (row, column) in cells:
                down, across = divmod(cells[row, column], columns)
                icon = icons[down * side : (down + 1) * side, across * side : (across + 1) * side]
                assert (part == icon).all()
            else:
                assert (part == 255).all()


def test_icons_of_thin_cells_are_smaller(palette: Palette, tmp_path: Path) -> None:
    full = axes_picture(palette, tmp_path / "a.png", grid=8, density=0)
    some = axes_picture(palette, tmp_path / "b.png", grid=8, density=0.2)
    inked = [(picture < 255).any(axis=2).sum() for picture in (full, some)]
    cells = read_cells(palette.folder / palette.record.levels[1].table)
    sides = icon_sides(np.array([cell.count for cell in cells]), 8, palette.record.samples, 0.2)
    assert inked[1] / inked[0] == pytest.approx((sides**2).mean(), rel=0.1)


def test_a_class_fades_what_does_not_speak_for_it(palette: Palette, tmp_path: Path) -> None:
    every = 255.0 - axes_picture(palette, tmp_path / "a.png", grid=4, density=0)
    for_it, against = (
        255.0 - axes_picture(palette, tmp_path / "b.png", grid=4, density=0, label=3, sign=sign) for sign in (1, -1)
    )
    assert ((for_it > 0) & (against > 0)).sum() == 0
    assert (for_it <= every + 0.5).all()
    assert for_it.max() == every.max() or for_it.sum() > 0
    assert 0 < for_it.sum() < every.sum()


def test_the_text_says_what_the_figure_is_of(palette: Palette, tmp_path: Path) -> None:
    axes = figure(palette, tmp_path / "a.png", config=FigureConfig(dpi=50, grid=4)).axes[0]
    assert axes.get_title() == "drawn_network, blocks.4.2.bn2"
    assert "2,000 activations of 200 images; 4 x 4 cells" in axes.get_xlabel()
    assert "a full icon stands for 125 activations or more" in axes.get_xlabel()
    level = palette.record.levels[0]
    cells = read_cells(palette.folder / level.table)
    written = [cells[index] for index in chosen_labels(cells, 24)]
    assert [text.get_text() for text in axes.texts] == [CLASSES[one.labels[0][0]].split(",")[0] for one in written]
    assert [text.get_color() for text in axes.texts] == ["black" if one.stable else "0.5" for one in written]
    axes = figure(palette, tmp_path / "b.png", config=FigureConfig(dpi=50, label=11, sign=-1)).axes[0]
    assert axes.get_title() == "drawn_network, blocks.4.2.bn2: against fireboat"
    assert len(axes.texts) == 0


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("a.gif", {}, r"figures are written as \.png, \.pdf, \.svg, not '\.gif'"),
        ("a.png", {"grid": 5}, "has no grid of 5; it has 4, 8"),
        ("a.png", {"label": 16}, "holds no attribution of class 16"),
        ("a.png", {"label": -1}, "holds no attribution of class -1"),
        ("a.png", {"sign": 0}, "a figure's sign is 1 or -1"),
        ("a.png", {"width": 0.0}, "its width and dpi are positive"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    palette: Palette, tmp_path: Path, name: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(AtlasError, match=message):
        figure(palette, tmp_path / name, config=FigureConfig(**settings))
    assert list(tmp_path.iterdir()) == []
