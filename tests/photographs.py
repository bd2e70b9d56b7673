"""Photographs for tests: those that scikit-learn ships, and pictures drawn here."""

from pathlib import Path

import numpy as np
import sklearn.datasets
from PIL import Image


def real_photographs(folder: Path) -> Path:
    """Two photographs, of a temple and of a flower."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(sklearn.datasets.__file__).parent / "images"
    for name in ("china.jpg", "flower.jpg"):
        (folder / name).write_bytes((source / name).read_bytes())
    return folder


def drawn_photographs(folder: Path, count: int, size: tuple[int, int] = (48, 40), seed: int = 0) -> Path:
    """Pictures of coloured noise, smooth enough to differ in more than noise."""
    random = np.random.default_rng(seed)
    (folder / "deeper").mkdir(parents=True, exist_ok=True)
    for index in range(count):
        rough = Image.fromarray(random.integers(0, 256, (6, 7, 3), dtype=np.uint8))
        rough.resize(size).save(folder / ("deeper" if index % 3 == 0 else ".") / f"{index:03d}.png")
    return folder


def photograph_squares(folder: Path, count: int) -> Path:
    """Squares of those two photographs, so many of each, from 150 to 400 pixels a side."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for path in sorted(real_photographs(folder.parent / f"{folder.name} uncut").iterdir()):
        with Image.open(path) as photograph:
            for number in range(count):
                side = int(random.integers(150, 400))
                left, top = (int(random.integers(0, length - side)) for length in photograph.size)
                photograph.crop((left, top, left + side, top + side)).save(folder / f"{path.stem}-{number:02d}.png")
    return folder
