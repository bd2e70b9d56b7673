"""Pages of a study as the viewer's rooms show them, drawn and not computed: every number is decided here."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pellucid.study import AtlasRecord, Study, write_bytes
from pellucid.study.page_record import PageRecord, page_folder
from pellucid.study.records import ChunkRecord, read_cells
from studies import CLASSES, make_study

EARLY, LATE, GUEST = "blocks.2.1.bn2", "blocks.4.2.bn2", "blocks.4.2.bn2@other_net"
GRID, ROWS, COLUMNS = 8, 3, 4
PER_FILE = 5  # classes in a file, so that they lie in several
SHARK, WHALE = 1, 2


def attribution(label: int, cells: int, offset: int) -> np.ndarray:
    """The mean attribution of a class to the cells of a level: largest at one cell, and half of it below zero."""
    values = np.cos(np.arange(cells) * 2 * np.pi / cells)
    return np.roll(values, label + offset).astype("<f4")


def make_pages_study(path: Path) -> Study:
    """A study with a page of each kind, two atlases of layers, and another network's on the plane of the second."""
    study = make_study(path, levels=(4, 8), names=(EARLY, LATE, GUEST), samples=2000)
    for offset, name in enumerate((EARLY, LATE, GUEST)):
        _add_classes(study.path / "atlas" / name, offset)
    folder = study.path / "atlas" / GUEST
    guest = {"network": "other_net", "layer": LATE, "kind": "network", "title": "blocks.4.2.bn2 of other_net"}
    replace(AtlasRecord.read(folder), **guest, aligned="plane").write(folder)
    replace(AtlasRecord.read(study.path / "atlas" / LATE), aligned="plane").write(study.path / "atlas" / LATE)
    for kind, content in (
        ("image", image_content(study)),
        ("patch", patch_content()),
        ("histogram", histogram_content(study)),
        ("networks", networks_content(study)),
    ):
        write_page(study, kind, f"some-{kind}", content)
    return study


def write_page(study: Study, kind: str, name: str, content: dict[str, Any]) -> None:
    """Write a page, drawing every file that its content names."""
    folder = page_folder(study, kind, name)
    files = tuple(sorted(_files(content)))
    for number, file in enumerate(files):
        if file == "icons.png":
            write_bytes(folder / file, _icons())
        else:
            write_bytes(folder / file, _picture(number))
    PageRecord(kind, f"A page of {kind}", files, content, {}).write(folder)


def cells_of(study: Study, atlas: str, grid: int = GRID) -> list[tuple[int, int]]:
    """Row and column of each cell of a level."""
    return [(cell.row, cell.column) for cell in read_cells(study.path / "atlas" / atlas / f"level-{grid}.json")]


def image_content(study: Study) -> dict[str, Any]:
    size = ROWS * COLUMNS
    spots = cells_of(study, LATE)
    return {
        "photo": "photo.png",
        "network": "drawn_network",
        "layer": LATE,
        "grid": [ROWS, COLUMNS],
        "icons": {"file": "icons.png", "size": 24, "columns": COLUMNS},
        "norms": [float(1 + (7 * i) % size) for i in range(size)],
        "classes": list(CLASSES),
        "logits": [[SHARK, 9.5], [WHALE, 7.25], [0, 3.0], [9, 1.0], [11, -0.5]],
        "positions": [[[(i + j) % len(CLASSES), 1.0 - 0.3 * j] for j in range(5)] for i in range(size)],
        "attribution": {
            str(label): [float(np.cos(i + label)) for i in range(size)] for label in (SHARK, WHALE, 0, 9, 11)
        },
        "neurons": [
            {"unit": unit, "value": 8.0 - unit / 100, "position": [1, 2], "file": f"unit-{unit}.png"}
            for unit in (17, 42, 170)
        ],
        "pair": {"units": [17, 42], "file": "pair.png"},
        "groups": [
            {
                "icon": f"group-{g}.png",
                "map": [float(i % 3 == g) for i in range(size)],
                "share": 0.5 - g / 10,
                "attribution": [[SHARK + g, 0.4]],
            }
            for g in range(3)
        ],
        "atlas": LATE,
        "cells": [[GRID, *spots[i]] if i else None for i in range(size)],
    }


def patch_row(patch: str, size: float | None, corner: int | None, hits: int, images: int = 40) -> dict[str, Any]:
    rate = hits / images
    return {
        "patch": patch,
        "size": size,
        "corner": corner,
        "images": images,
        "correct": images - 4,
        "changed": hits + 3,
        "to_target": hits,
        "rate": rate,
        "low": max(0.0, rate - 0.1),
        "high": min(1.0, rate + 0.12),
        "logit": 10 * rate - 1,
        "logit_low": 10 * rate - 1.5,
        "logit_high": 10 * rate - 0.5,
    }


def patch_content() -> dict[str, Any]:
    names, sizes = ("ball-01", "ball-02"), (0.2, 0.4, 0.6)
    table = [
        patch_row(name, size, corner, hits=int(20 * size) + 3 * corner + 5 * number)
        for number, name in enumerate(names)
        for size in sizes
        for corner in range(4)
    ]
    table += [patch_row("noise", size, corner, hits=corner) for size in sizes for corner in range(4)]
    best = [
        patch_row("ball-01", None, None, 24),
        patch_row("ball-02", None, None, 31),
        patch_row("noise", None, None, 6),
    ]
    said = [[WHALE, 0.6], [SHARK, 0.2], [0, 0.1], [9, 0.05], [11, 0.03], [13, 0.02]]
    after = [[SHARK, 0.7], [WHALE, 0.1], [0, 0.1], [9, 0.05], [11, 0.03], [13, 0.02]]
    return {
        "network": "drawn_network",
        "source": WHALE,
        "target": SHARK,
        "classes": list(CLASSES),
        "images": 40,
        "sizes": list(sizes),
        "corners": ["top left", "top right", "bottom left", "bottom right"],
        "patches": [{"name": name, "file": f"{name}.png"} for name in names],
        "control": {"name": "noise", "file": "noise.png"},
        "table": table,
        "best": best,
        "overall": {
            "patch": patch_row("", None, None, 28),
            "control": patch_row("", None, None, 6),
            "difference": 2.5,
            "low": 1.75,
            "high": 3.25,
            "p": 0.0004,
        },
        "controls": [
            {"name": name, "rate": 0.1, "difference": rise, "low": rise - 1, "high": rise + 1, "p": 0.03}
            for name, rise in (("noise", 2.5), ("grey", 2.25))
        ],
        "examples": [
            {
                "image": "before.png",
                "patched": "after.png",
                "patch": "ball-01",
                "size": 0.4,
                "corner": 1,
                "before": said,
                "after": after,
            }
        ],
    }


def histogram_content(study: Study) -> dict[str, Any]:
    spots = cells_of(study, LATE)
    rows = [[row, column, 0.02, 0.02 * 2 ** (i % 5 - 2), i % 5 - 2, 0.5, 0.5] for i, (row, column) in enumerate(spots)]
    for index in (3, 7, 9):
        rows[index][5:] = [0.001, 0.01]
    return {
        "atlas": LATE,
        "grid": GRID,
        "first": {"name": "animals", "activations": 1200, "images": 60},
        "second": {"name": "the rest", "activations": 900, "images": 45},
        "cells": rows,
        "different": [9, 3, 7],
        "p": 0.0005,
        "statistic": 12.5,
        "permutations": 2000,
    }


def networks_content(study: Study) -> dict[str, Any]:
    own, other = cells_of(study, LATE), cells_of(study, GUEST)
    return {
        "atlas": LATE,
        "other": GUEST,
        "grid": GRID,
        "cells": [[row, column, 20, 10, 0.5 if row else None] for row, column in own],
        "regions": {
            "own": [[*own[0], 20, 8, 0.5, 0.4, 0.05, 0.001, 0.01]],
            "other": [[*other[0], 20, 8, 0.5, 0.4, 0.3, 0.5, 0.5]],
        },
        "only_own": [list(spot) for spot in own[:2]],
        "only_other": [list(spot) for spot in other[-3:]],
        "measures": {"purity": 0.62, "null": {"low": 0.48, "high": 0.53}, "shift": [0.1, 0.2]},
        "matches": [[*own[i], *other[-1 - i], 0.9] for i in range(len(own) // 2)],
    }


def _add_classes(folder: Path, offset: int) -> None:
    record = AtlasRecord.read(folder)
    levels = []
    for level in record.levels:
        chunks = ChunkRecord(f"classes-{level.grid}-{{chunk}}.f32", PER_FILE, len(CLASSES))
        for number, name in enumerate(chunks.files()):
            some = range(number * PER_FILE, min(len(CLASSES), (number + 1) * PER_FILE))
            write_bytes(folder / name, b"".join(attribution(c, level.cells, offset).tobytes() for c in some))
        levels.append(replace(level, classes=chunks))
    replace(record, levels=tuple(levels)).write(folder)


def _files(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_files(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(_files(one) for one in value))
    return {value} if isinstance(value, str) and value.endswith(".png") else set()


def _picture(seed: int) -> bytes:
    red, green, blue = (40 + 61 * seed) % 256, (150 + 37 * seed) % 256, (90 + 83 * seed) % 256
    picture = Image.new("RGB", (96, 96), (red, green, blue))
    ImageDraw.Draw(picture).ellipse((16, 16, 80, 80), outline=(255 - red, 255 - green, 255 - blue), width=8)
    return png(picture)


def _icons() -> bytes:
    sheet = Image.new("RGB", (24 * COLUMNS, 24 * ROWS))
    for i in range(ROWS * COLUMNS):
        color = (20 * i, 255 - 20 * i, 128)
        sheet.paste(Image.new("RGB", (24, 24), color), (i % COLUMNS * 24, i // COLUMNS * 24))
    return png(sheet)


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
