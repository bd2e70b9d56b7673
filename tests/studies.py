"""Small studies for tests, written through the study's own writers, with pictures that tell the cells apart."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pellucid.study import AtlasRecord, CellRecord, LevelRecord, Manifest, SheetRecord, Study, write_bytes
from pellucid.study.records import write_cells

ICON, PATCH, PER_CELL, COLUMNS = 48, 32, 4, 8
CLASSES = (
    "tench, Tinca tinca",
    "great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias",
    "grey whale, gray whale, devilfish, Eschrichtius gibbosus, Eschrichtius robustus",
    "indigo bunting, indigo finch, indigo bird, Passerina cyanea",
    "tailed frog, bell toad, ribbed toad, tailed toad, Ascaphus trui",
    "common iguana, iguana, Iguana iguana",
    "black and gold garden spider, Argiope aurantia",
    "red-breasted merganser, Mergus serrator",
    "fox squirrel, eastern fox squirrel, Sciurus niger",
    "lemon",
    "Granny Smith",
    "fireboat",
    "<b>bold & brave</b>, a name that must be escaped",
    "wok",
    "streetcar, tram, tramcar, trolley, trolley car",
    "alp",
)


def make_study(
    path: Path,
    seed: int = 0,
    levels: tuple[int, ...] = (4, 8, 16),
    names: tuple[str, ...] = ("blocks.4.2.bn2",),
    samples: int = 6000,
) -> Study:
    """Write a study with one atlas per name, whose icons are drawn and not optimized.

    The points lie in a ring of clouds, so some cells of each grid are empty; every class and count is random but
    decided by the seed.
    """
    manifest = Manifest(
        network={"name": "drawn_network", "weights_sha256": "0" * 64},
        images={"source": "drawn", "count": samples // 10},
        command="make_study",
    )
    study = Study.create(path, manifest)
    for offset, name in enumerate(names):
        _write_atlas(study.path / "atlas" / name, name, levels, samples, np.random.default_rng(seed + offset))
    return study


def _write_atlas(folder: Path, layer: str, levels: tuple[int, ...], samples: int, rng: np.random.Generator) -> None:
    angle = rng.uniform(0, 2 * np.pi, samples)
    radius = 0.32 + 0.1 * rng.standard_normal(samples) * np.abs(np.sin(1.5 * angle))
    points = np.clip(0.5 + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), 0.001, 0.999)
    records = []
    for grid in levels:
        cells = _cells(points, grid, rng)
        table, icons, patches = f"level-{grid}.json", f"icons-{grid}.png", f"patches-{grid}.png"
        write_cells(folder / table, grid, cells)
        write_bytes(folder / icons, _sheet([_icon(cell, grid) for cell in cells], ICON))
        pictures = [_patch(cell, j) for cell in cells for j in range(PER_CELL)]
        write_bytes(folder / patches, _sheet(pictures, PATCH))
        records.append(
            LevelRecord(
                grid,
                len(cells),
                table,
                SheetRecord(icons, ICON, COLUMNS),
                SheetRecord(patches, PATCH, COLUMNS, PER_CELL),
            )
        )
    AtlasRecord("drawn_network", layer, samples, samples // 10, CLASSES, tuple(records), {"seed": 0}).write(folder)


def _cells(points: np.ndarray, grid: int, rng: np.random.Generator) -> tuple[CellRecord, ...]:
    place = np.floor(points * grid).astype(int)
    counts = np.zeros((grid, grid), int)
    np.add.at(counts, (place[:, 1], place[:, 0]), 1)
    cells = []
    for row, column in np.argwhere(counts >= 3):
        values = np.sort(rng.normal(0.4, 0.6, 5))[::-1]
        classes = rng.choice(len(CLASSES), 5, replace=False)
        photographs = tuple(f"n{rng.integers(10**8):08d}_{row}_{column}_{j}.JPEG" for j in range(rng.integers(1, 5)))
        cells.append(
            CellRecord(
                int(row),
                int(column),
                int(counts[row, column]),
                tuple((int(label), round(float(value), 4)) for label, value in zip(classes, values, strict=True)),
                bool(rng.random() < 0.75),
                photographs,
            )
        )
    return tuple(cells)


def color(row: int, column: int, grid: int) -> tuple[int, int, int]:
    """The ground of a cell's icon: its place can be read from its colour."""
    return 40 + 200 * column // grid, 40 + 200 * row // grid, 130


def _icon(cell: CellRecord, grid: int) -> Image.Image:
    red, green, blue = color(cell.row, cell.column, grid)
    picture = Image.new("RGB", (ICON, ICON), (red, green, blue))
    drawing = ImageDraw.Draw(picture)
    for ring in range(3):
        inset = 6 + 6 * ring
        shade = (255 - red, (green + 60 * ring) % 256, (blue + 80 * cell.labels[0][0]) % 256)
        drawing.ellipse((inset, inset, ICON - inset, ICON - inset), outline=shade, width=2)
    return picture


def _patch(cell: CellRecord, number: int) -> Image.Image:
    """Black where a cell has fewer patches than the sheet has room for."""
    if number >= len(cell.patches):
        return Image.new("RGB", (PATCH, PATCH))
    picture = Image.new("RGB", (PATCH, PATCH), (60 + 40 * number, 150, 90 + 10 * (cell.column % 10)))
    ImageDraw.Draw(picture).rectangle((4, 4 + 4 * number, PATCH - 5, 8 + 4 * number), fill="white")
    return picture


def _sheet(pictures: list[Image.Image], size: int) -> bytes:
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * size, rows * size))
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (i % COLUMNS * size, i // COLUMNS * size))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
