"""The attribution of every class to the cells of a level, on disk, and how coherent it is across the map."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import StudyError
from pellucid.study import LevelRecord, write_bytes
from pellucid.study.records import ChunkRecord

_BYTES = 2**18  # of a file: what a browser fetches to weigh a map by one class
_PAIRS = 100_000  # of cells taken at random, where there are more


def describe_classes(grid: int, cells: int, classes: int) -> ChunkRecord | None:
    """The files for the attributions of so many classes to so many cells; none where there are no classes.

    All cells' attributions of one class lie together, and so many classes in a file as make 256 KiB.
    """
    if classes == 0:
        return None
    return ChunkRecord(f"classes-{grid}/{{chunk}}.bin", max(1, _BYTES // (4 * cells)), classes)


def write_class_means(folder: Path, record: ChunkRecord, means: NDArray[np.float32]) -> None:
    """Write mean attributions (M, K) to the files that `describe_classes` says."""
    by_class = np.ascontiguousarray(means.T, dtype="<f4")
    for number, name in enumerate(record.files()):
        write_bytes(folder / name, by_class[number * record.per_file : (number + 1) * record.per_file].tobytes())


def read_class_means(folder: Path, level: LevelRecord) -> NDArray[np.float32]:
    """The mean attribution of every class to the cells of a level: (M, K), (M, 0) in atlases that do not hold it.

    Raises `StudyError` for files that are missing or of another length.
    """
    if level.classes is None:
        return np.zeros((level.cells, 0), np.float32)
    parts = []
    for number, name in enumerate(level.classes.files()):
        path = folder / name
        count = min(level.classes.per_file, level.classes.count - number * level.classes.per_file)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StudyError(f"{path} cannot be read: {error.strerror or error}") from error
        if len(content) != 4 * count * level.cells:
            raise StudyError(
                f"{path} holds {len(content)} bytes, not {count} classes of {level.cells} cells; build the atlas again"
            )
        parts.append(np.frombuffer(content, "<f4").reshape(count, level.cells))
    return np.concatenate(parts).T.astype(np.float32)


def neighbour_correlation(
    rows: NDArray[np.int64], columns: NDArray[np.int64], means: NDArray[np.float32], *, seed: int = 0
) -> tuple[float, float]:
    """Pearson's correlation between the attribution vectors (M, K) of cells that touch, and of cells at random.

    Touching are cells beside or below each other. Both are means over pairs, the second over all pairs of different
    cells or 100,000 of them. NaN where there is no pair, or nothing varies.
    """
    centred = means - means.mean(axis=1, keepdims=True)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True).clip(1e-12)
    where = {place: cell for cell, place in enumerate(zip(rows.tolist(), columns.tolist(), strict=True))}
    pairs = [
        (cell, where[neighbour])
        for (row, column), cell in where.items()
        for neighbour in ((row, column + 1), (row + 1, column))
        if neighbour in where
    ]
    return _mean_product(units, np.array(pairs).reshape(-1, 2)), _mean_product(units, _some_pairs(len(means), seed))


def _some_pairs(count: int, seed: int) -> NDArray[np.int64]:
    if count * (count - 1) // 2 <= _PAIRS:
        return np.stack(np.triu_indices(count, 1), axis=1)
    random = np.random.default_rng(seed)
    first = random.integers(0, count, _PAIRS)
    return np.stack([first, (first + random.integers(1, count, _PAIRS)) % count], axis=1)


def _mean_product(units: NDArray, pairs: NDArray) -> float:
    if len(pairs) == 0 or units.shape[1] == 0:
        return float("nan")
    return float(np.einsum("pk,pk->p", units[pairs[:, 0]], units[pairs[:, 1]]).mean())
