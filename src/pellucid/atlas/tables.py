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
    """The cells of one level: place (M,), mean activation (M, C), and the samples that their patches are cut from.

    `classes` is how many classes' attributions are kept beside it.
    """

    row: NDArray[np.int64]
    column: NDArray[np.int64]
    count: NDArray[np.int64]
    mean: NDArray[np.float32]
    patches: list[list[int]]
    classes: int = 0


def write_layout(path: Path, points: NDArray[np.float32], stamp: str, chosen: NDArray[np.int64] | None = None) -> None:
    """Write the points (N, 2) of harvested activations.

    `chosen` (N,) are their rows in the harvest of the layer; without it they are all of them, in their order.
    """
    columns = {"x": points[:, 0], "y": points[:, 1]}
    _write(path, pa.table(columns if chosen is None else {**columns, "sample": chosen}), stamp)


def read_layout(path: Path) -> NDArray[np.float32]:
    """The points of the atlas's activations: (N, 2)."""
    table = _read(path)
    return np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)


def read_chosen(path: Path) -> NDArray[np.int64]:
    """The rows that the atlas's activations have in the harvest of the layer: (N,)."""
    table = _read(path)
    return table["sample"].to_numpy() if "sample" in table.column_names else np.arange(len(table))


def write_cells(path: Path, cells: CellTable, stamp: str) -> None:
    """Write the cells of a level."""
    columns = {
        "row": cells.row,
        "column": cells.column,
        "count": cells.count,
        "mean": pa.FixedSizeListArray.from_arrays(pa.array(cells.mean.ravel()), cells.mean.shape[1]),
        "patches": pa.array(cells.patches, pa.list_(pa.int64())),
    }
    _write(path, pa.table(columns), stamp, classes=cells.classes)


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
        int((table.schema.metadata or {}).get(b"classes", 0)),
    )


def stamp_of(path: Path) -> str:
    """The stamp of a table, empty if there is none that can be read."""
    return _metadata(path).get(b"stamp", b"").decode()


def classes_of(path: Path) -> int:
    """How many classes' attributions are kept beside a table of cells, without reading it."""
    return int(_metadata(path).get(b"classes", 0))


def _metadata(path: Path) -> dict[bytes, bytes]:
    try:
        return pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return {}


def _write(path: Path, table: pa.Table, stamp: str, **more: int) -> None:
    metadata = {"stamp": stamp, **{name: str(value) for name, value in more.items()}}
    with writing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def _read(path: Path) -> pa.Table:
    try:
        return pq.ParquetFile(path).read()
    except (OSError, pa.ArrowInvalid) as error:
        raise StudyError(f"{path} cannot be read; build the atlas again ({str(error).splitlines()[0]})") from error
