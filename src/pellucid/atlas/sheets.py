"""Reading the pictures of an atlas's cells back from its sheets."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.errors import StudyError
from pellucid.pictures import cut
from pellucid.study import SheetRecord


def read_icons(
    folder: Path, sheet: SheetRecord, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """The pictures of cells at these rows and columns, all cells of a level in their order: (M, size, size, 3).

    Raises `StudyError` for a sheet that is missing or damaged.
    """
    if not sheet.tile:
        return _pictures(folder / sheet.file, sheet, len(rows))
    found = np.zeros((len(rows), sheet.size, sheet.size, 3), dtype=np.uint8)
    for row, column in sheet.squares:
        inside = np.flatnonzero((rows // sheet.tile == row) & (columns // sheet.tile == column))
        found[inside] = _pictures(folder / sheet.file.format(row=row, column=column), sheet, len(inside))
    return found


def _pictures(path: Path, sheet: SheetRecord, count: int) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return cut(image, sheet.size, sheet.columns, count)
    except (OSError, ValueError) as error:
        raise StudyError(f"{path} cannot be read; build the atlas again ({error})") from error
