"""What the builder keeps for itself beside the pictures: the layout and the cells' means, stamped with their making."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pellucid.errors import StudyError
from pellucid.study import writing


@dataclass(frozen=True)
class CellTable:
    """The cells of one level: place (M,), mean activation (M, C), and the samples that their patches are cut from."""

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    count: NDArray[np.int64]
    mean: NDArray[np.float32]
    patches: list[list[int]]


def write_layout(path: Path, points: NDArray[np.float32], stamp: str) -> None:
    """Write the points (N, 2) of the harvested activations, in their order."""
    table = pa.table({"x": points[:, 0], "y": points[:, 1]})
    _write(path, table, stamp)


def read_layout(path: Path) -> NDArray[np.float32]:
    """The points of the harvested activations: (N, 2)."""
    table = _read(path)
    return np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)


def write_cells(path: Path, cells: CellTable, stamp: str) -> None:
    """Write the cells of a level."""
    columns = {
        "row": cells.row,
        "column": cells.column,
        "count": cells.count,
        "mean": pa.FixedSizeListArray.from_arrays(pa.array(cells.mean.ravel()), cells.mean.shape[1]),
        "patches": pa.array(cells.patches, pa.list_(pa.int64())),
    }
    _write(path, pa.table(columns), stamp)


def read_cells(path: Path) -> CellTable:
    """The cells of a level."""
    table = _read(path)
    mean = table["mean"].combine_chunks()
    return CellTable(
        table["row"].to_numpy(),
        table["column"].to_numpy(),
        table["count"].to_numpy(),
        mean.flatten().to_numpy().reshape(len(mean), -1).copy(),  # torch takes only arrays it may write to
        table["patches"].to_pylist(),
    )


def stamp_of(path: Path) -> str:
    """The stamp of a table, empty if there is none that can be read."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return ""
    return metadata.get(b"stamp", b"").decode()


def _write(path: Path, table: pa.Table, stamp: str) -> None:
    with writing(path) as temporary:
        pq.write_table(table.replace_schema_metadata({"stamp": stamp}), temporary, compression="zstd")


def _read(path: Path) -> pa.Table:
    try:
        return pq.ParquetFile(path).read()
    except (OSError, pa.ArrowInvalid) as error:
        raise StudyError(f"{path} cannot be read; build the atlas again ({str(error).splitlines()[0]})") from error
