"""Harvested activations on disk: one folder for each layer, one Parquet file for each shard of photographs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pellucid.errors import StudyError
from pellucid.study import Study, writing
from pellucid.study.files import read_json

_HALF = np.finfo(np.float16)


@dataclass(frozen=True)
class Samples:
    """Activations at single positions of a layer, in the order in which they were harvested.

    `image` (N,) indexes the study's list of photographs, `box` (N, 4) is the view in the photograph's pixels, `place`
    (N, 2) row and column in the layer's map, `activation` (N, C) and `attribution` (N, K), to the classes, float16.
    """

    image: NDArray[np.int32]
    box: NDArray[np.int32]
    place: NDArray[np.int16]
    activation: NDArray[np.float16]
    attribution: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.image)


def layer_folder(study: Study, layer: str) -> Path:
    """Where a layer's activations lie."""
    return study.path / "activations" / layer


def harvested_layers(study: Study) -> list[str]:
    """The layers of a study whose harvest of activations is finished, sorted."""
    return sorted(path.parent.name for path in (study.path / "activations").glob("*/harvest.json"))


def write_shard(path: Path, samples: Samples) -> None:
    """Write one shard atomically."""
    columns = {
        "image": pa.array(samples.image.astype(np.int32)),
        "box": _lists(samples.box.astype(np.int32)),
        "place": _lists(samples.place.astype(np.int16)),
        "activation": _lists(samples.activation),
        "attribution": _lists(samples.attribution),
    }
    with writing(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def read_shards(study: Study, layer: str, *, attribution: bool = True, activation: bool = True) -> Iterator[Samples]:
    """The shards of a finished harvest, one at a time, with or without attributions and activations.

    Raises `StudyError` if the layer is not harvested, or in part.
    """
    folder = layer_folder(study, layer)
    if not (folder / "harvest.json").is_file():
        have = harvested_layers(study)
        others = f"; it has {', '.join(have)}" if have else ""
        raise StudyError(f"the study in {study.path} has no finished harvest of layer {layer!r}{others}")
    for number in range(read_json(folder / "harvest.json")["shards"]):
        path = shard_path(folder, number)
        wanted = {"image": True, "box": True, "place": True, "activation": activation, "attribution": attribution}
        columns = [name for name, read in wanted.items() if read]
        try:
            table = pq.ParquetFile(path).read(columns=columns)
        except (OSError, pa.ArrowInvalid) as error:
            raise StudyError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
        if len(table) == 0:  # none of the shard's photographs could be read
            continue
        yield Samples(
            table["image"].to_numpy(),
            _matrix(table["box"]),
            _matrix(table["place"]),
            *(
                _matrix(table[name]) if wanted[name] else np.zeros((len(table), 0), np.float16)
                for name in ("activation", "attribution")
            ),
        )


def read_samples(study: Study, layer: str, *, attribution: bool = False) -> Samples:
    """All activations of a layer in memory, by default without the attributions."""
    return joined(read_shards(study, layer, attribution=attribution))


def joined(shards: Iterable[Samples]) -> Samples:
    """The samples of several shards, in their order."""
    parts = list(shards)
    return Samples(**{one.name: np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Samples)})


def shard_path(folder: Path, number: int) -> Path:
    """The file of one shard."""
    return folder / f"part-{number:05d}.parquet"


def write_image_list(study: Study, paths: list[str]) -> None:
    """Write the study's list of photographs."""
    with writing(study.path / "images.parquet") as temporary:
        pq.write_table(pa.table({"path": pa.array(paths, pa.string())}), temporary)


def read_image_list(study: Study) -> list[str]:
    """The study's photographs, relative to its source."""
    try:
        return pq.read_table(study.path / "images.parquet")["path"].to_pylist()
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise StudyError(f"the list of photographs in {study.path} cannot be read: {error}") from error


def half(values: NDArray) -> NDArray[np.float16]:
    """Numbers in float16; those beyond its range are kept at its ends."""
    return np.clip(values, _HALF.min, _HALF.max).astype(np.float16)


def _lists(values: NDArray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def _matrix(column: pa.ChunkedArray) -> NDArray:
    array = column.combine_chunks()
    return array.flatten().to_numpy(zero_copy_only=False).reshape(len(array), column.type.list_size)
