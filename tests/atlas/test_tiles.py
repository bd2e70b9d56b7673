from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.atlas.grid import Grid, make_grid
from pellucid.atlas.leftovers import forget_leftovers
from pellucid.atlas.sheets import read_icons
from pellucid.atlas.tiles import MOST_IN_ONE, TILE, describe_sheet, write_sheet
from pellucid.study import AtlasRecord, LevelRecord, SheetRecord


def ring(size: int) -> Grid:
    """A grid over points of a ring: most cells are empty."""
    random = np.random.default_rng(0)
    angle, radius = random.uniform(0, 2 * np.pi, 40_000), random.uniform(0.3, 0.45, 40_000)
    return make_grid(0.5 + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), size, 1)


def flat(grid: Grid, size: int, place: int = 0) -> np.ndarray:
    """A picture for each cell of one colour, that tells its row, its column and its place."""
    colour = np.stack([grid.row * 255 // grid.size, grid.column * 255 // grid.size, 60 * place + 0 * grid.row], axis=1)
    return np.broadcast_to(colour[:, None, None, :], (len(grid), size, size, 3)).astype(np.uint8)


@pytest.mark.parametrize("size", [12, 60])
def test_every_cell_finds_its_pictures_again(tmp_path: Path, size: int) -> None:
    grid = ring(size)
    assert (len(grid) > MOST_IN_ONE) == (size == 60)
    icons, patches = describe_sheet("level", grid, 16), describe_sheet("patches", grid, 8, 3)
    pictures = [flat(grid, 8, place) for place in range(3)]
    write_sheet(tmp_path, icons, grid, flat(grid, 16))
    write_sheet(tmp_path, patches, grid, [pictures[place][cell] for cell in range(len(grid)) for place in range(3)])
    assert (icons.tile > 0) == (size == 60)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.webp")} == {
        *icons.files(),
        *patches.files(),
    }
    found = read_icons(tmp_path, icons, grid.row, grid.column)
    middle = found[:, 4:12, 4:12].mean(axis=(1, 2))
    np.testing.assert_allclose(middle, flat(grid, 1)[:, 0, 0], atol=6)
    # The patches, read as the record says: cell after cell in the order of the table, each square for itself.
    turn: dict[tuple[int, int], int] = {}
    for cell in range(len(grid)):
        square = (
            (int(grid.row[cell]) // patches.tile, int(grid.column[cell]) // patches.tile) if patches.tile else (0, 0)
        )
        at = turn.setdefault(square, 0)
        turn[square] += 1
        with Image.open(tmp_path / patches.file.format(row=square[0], column=square[1])) as sheet:
            index = at * 3 + 2
            left, top = index % patches.columns * 8, index // patches.columns * 8
            shown = np.asarray(sheet.convert("RGB"))[top + 2 : top + 6, left + 2 : left + 6].mean(axis=(0, 1))
        np.testing.assert_allclose(shown, pictures[2][cell][0, 0], atol=14)


def test_squares_are_those_that_have_cells() -> None:
    grid = ring(60)
    record = describe_sheet("level", grid, 96)
    assert set(record.squares) == {
        (row // TILE, column // TILE) for row, column in zip(grid.row.tolist(), grid.column.tolist(), strict=True)
    }
    assert len(record.squares) < (60 / TILE) ** 2
    assert list(record.squares) == sorted(record.squares)


def test_no_sheet_is_larger_than_graphics_hardware_takes(tmp_path: Path) -> None:
    for grid, size in ((ring(12), 1024), (ring(60), 1024)):
        record = describe_sheet("level", grid, size)
        assert record.columns * record.size <= 8192
        assert record.size > 500
    grid = ring(2)
    record = SheetRecord("level-2.webp", 8, 2)  # what would fit is smaller than the pictures
    write_sheet(tmp_path, record, grid, flat(grid, 16))
    with Image.open(tmp_path / record.file) as sheet:
        assert sheet.size == (16, 16)


def test_files_of_another_atlas_are_forgotten_and_others_kept(tmp_path: Path) -> None:
    icons = SheetRecord("level-60/{row}-{column}.webp", 8, 2, 1, 10, ((0, 1),))
    record = AtlasRecord(
        "net",
        "layer",
        1,
        1,
        (),
        (LevelRecord(60, 1, "level-60.json", icons, SheetRecord("patches-60.webp", 8, 2)),),
        {},
    )
    kept = {"level-60/0-1.webp", "level-60.json", "patches-60.webp", "cells-60.parquet", "layout.parquet", "query.bin"}
    gone = {
        "level-60/0-2.webp",
        "level-60.webp",
        "level-5.json",
        "cells-5.parquet",
        "classes-5/0.bin",
        ".icons-5-ab/1.npz",
    }
    for name in kept | gone:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    forget_leftovers(tmp_path, record)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == kept
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"level-60"}
