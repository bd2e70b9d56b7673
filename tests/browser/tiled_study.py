"""Drawn studies with all that an atlas may hold: tiled sheets, attributions of all classes, cards, points, kinds."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from pellucid.study import AtlasRecord, CellRecord, LevelRecord, Manifest, SheetRecord, Study, write_bytes
from pellucid.study.records import CardRecord, ChunkRecord, NextCells, PointsRecord, write_cards, write_cells
from studies import CLASSES

LAYER, NEXT = "blocks.4.2.bn2", "conv_head"
FIREBOAT, STREETCAR = (
    CLASSES.index("fireboat"),
    next(i for i, name in enumerate(CLASSES) if name.startswith("streetcar")),
)
CLASS_ATLAS, COMPARISON = f"{LAYER}@c{FIREBOAT}", f"{LAYER}@c{FIREBOAT}-c{STREETCAR}"
PER_CELL = 2
WHOLE = 1024  # cells, above which a sheet is tiled


def make_tiled_study(
    path: Path, *, levels: tuple[int, ...] = (4, 40), size: int = 16, tile: int = 8, points: int = 2000
) -> Study:
    """Write a study of two layers, the first also with a class atlas and a comparison, all on full grids."""
    manifest = Manifest(
        {"name": "drawn_network", "weights_sha256": "0" * 64}, {"source": "drawn", "count": 900}, command="drawn"
    )
    study = Study.create(path, manifest)
    draw_atlas(study, LAYER, LAYER, levels=levels, size=size, tile=tile, points=points)
    small = {"levels": levels[:1], "size": size, "tile": tile, "points": 0}
    draw_atlas(study, NEXT, NEXT, aligned="", **small)
    draw_atlas(
        study, CLASS_ATLAS, LAYER, kind="class", title="fireboat", about={"class": FIREBOAT, "filter": "both"}, **small
    )
    about = {"left": FIREBOAT, "right": STREETCAR, "scale": 0.75}
    draw_atlas(study, COMPARISON, LAYER, kind="comparison", title="fireboat or streetcar", about=about, **small)
    return study


def draw_atlas(
    study: Study,
    name: str,
    layer: str,
    *,
    levels: tuple[int, ...],
    size: int,
    tile: int,
    points: int,
    kind: str = "layer",
    title: str = "",
    about: dict[str, object] | None = None,
    aligned: str = "",
) -> None:
    """Write one atlas, each of whose icons shows its place by its colour."""
    folder, rng = study.path / "atlas" / name, np.random.default_rng(7)
    samples = levels[-1] ** 2 * 10
    records = tuple(_level(folder, grid, size, tile, samples, rng) for grid in levels)
    record = None
    if points:
        record = PointsRecord("points.bin", points)
        write_bytes(folder / record.file, rng.integers(0, 65536, (points, 2)).astype("<u2").tobytes())
    said = {"kind": kind, "title": title, "about": about or {}, "aligned": aligned, "points": record}
    AtlasRecord("drawn_network", layer, samples, 900, CLASSES, records, {"seed": 0}, **said).write(folder)


def attribution(label: int, grid: int) -> np.ndarray:
    """What the cells of a full grid say of a class, row by row: a hill at a place of the class's own, and a moat."""
    middle = (np.arange(grid) + 0.5) / grid
    x, y = np.meshgrid(middle, middle)
    away = (x - 0.15 - 0.05 * label) ** 2 + (y - 0.5) ** 2
    hill = np.exp(-away / 0.02) - 0.4 * np.exp(-away / 0.2)
    return (hill * (1 + 0.1 * label)).astype("<f4").ravel()


def color(row: int, column: int, grid: int) -> tuple[int, int, int]:
    """The ground of a cell's icon."""
    return 40 + 200 * column // grid, 40 + 200 * row // grid, 130


def _level(folder: Path, grid: int, size: int, tile: int, samples: int, rng: np.random.Generator) -> LevelRecord:
    said = np.stack([attribution(label, grid) for label in range(len(CLASSES))], 1).astype(float)
    places = [(row, column) for row in range(grid) for column in range(grid)]
    cells = tuple(_cell(row, column, samples // grid**2, said[i]) for i, (row, column) in enumerate(places))
    write_cells(folder / f"level-{grid}.json", grid, cells)
    classes = ChunkRecord(f"classes-{grid}/{{chunk}}.bin", 8, len(CLASSES))
    for number, name in enumerate(classes.files()):
        write_bytes(folder / name, said.T[8 * number : 8 * number + 8].astype("<f4").tobytes())
    cards = ChunkRecord(f"cards-{grid}/{{chunk}}.json", 100, len(cells))
    write_cards(folder, cards, [_card(row, column, grid, said[i]) for i, (row, column) in enumerate(places)])
    icons = _sheet(folder, f"icons-{grid}", places, grid, size, tile, 1, rng)
    patches = _sheet(folder, f"patches-{grid}", places, grid, size // 2, tile, PER_CELL, rng)
    return LevelRecord(grid, len(cells), f"level-{grid}.json", icons, patches, classes, cards)


def _cell(row: int, column: int, count: int, said: np.ndarray) -> CellRecord:
    best = np.argsort(-said)[:5]
    labels = tuple((int(label), round(float(said[label]), 5)) for label in best)
    return CellRecord(
        row, column, count, labels, True, tuple(f"photo_{row}_{column}_{i}.JPEG" for i in range(PER_CELL))
    )


def _card(row: int, column: int, grid: int, said: np.ndarray) -> CardRecord:
    def spoken(order: np.ndarray) -> tuple[tuple[int, float, float], ...]:
        return tuple((int(label), round(float(said[label]), 5), 0.05) for label in order[:5])

    near = tuple((grid - 1 - row, (column + i) % grid, round(0.9 - 0.1 * i, 2)) for i in range(3))
    following = (NextCells(NEXT, 4, ((row * 4 // grid, column * 4 // grid, 12.5),)),)
    return CardRecord(spoken(np.argsort(-said)), spoken(np.argsort(said)), 0.625, 41.5, near, following)


def _sheet(
    folder: Path,
    name: str,
    places: list[tuple[int, int]],
    grid: int,
    size: int,
    tile: int,
    per_cell: int,
    rng: np.random.Generator,
) -> SheetRecord:
    if len(places) <= WHOLE:
        _write(folder / f"{name}.webp", places, grid, size, grid, per_cell, rng)
        return SheetRecord(f"{name}.webp", size, grid, per_cell)
    squares: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row, column in places:
        squares.setdefault((row // tile, column // tile), []).append((row, column))
    record = SheetRecord(f"{name}/{{row}}-{{column}}.webp", size, tile, per_cell, tile, tuple(squares))
    for file, members in zip(record.files(), squares.values(), strict=True):
        _write(folder / file, members, grid, size, tile, per_cell, rng)
    return record


def _write(
    path: Path,
    places: list[tuple[int, int]],
    grid: int,
    size: int,
    columns: int,
    per_cell: int,
    rng: np.random.Generator,
) -> None:
    """Pictures of the colour of their place, with a soft pattern so that they weigh as much as real ones."""
    count = len(places) * per_cell
    sheet = np.zeros((-(-count // columns) * size, columns * size, 3), np.float32)
    for i in range(count):
        row, column = divmod(i, columns)
        sheet[row * size : (row + 1) * size, column * size : (column + 1) * size] = color(*places[i // per_cell], grid)
    coarse = rng.normal(0, 12, (sheet.shape[0] // 4, sheet.shape[1] // 4, 3))
    pattern = coarse.repeat(4, 0).repeat(4, 1)
    sheet[: pattern.shape[0], : pattern.shape[1]] += pattern
    buffer = io.BytesIO()
    Image.fromarray(sheet.clip(0, 255).astype(np.uint8)).save(buffer, "WEBP", quality=80, method=1)
    write_bytes(path, buffer.getvalue())
