"""All harvested activations of a layer at hand: in memory where they are few, else mapped from a file."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import Samples
from pellucid.activations.store import joined, layer_folder, read_shards
from pellucid.errors import StudyError
from pellucid.study import Study

IN_MEMORY = 2**29  # bytes of activations that are simply held
BLOCK = 8192  # activations that are worked on at a time in single precision


def open_samples(study: Study, layer: str, *, in_memory: int = IN_MEMORY) -> Samples:
    """The activations of a layer, without attributions, as `read_samples` gives them.

    Where they take more than `in_memory` bytes, `activation` is mapped from a file that has no name in the study's
    folder and is gone when nothing refers to it any more: the system reads what is looked at and forgets it again.
    Raises `StudyError` if the layer is not harvested, or in part.
    """
    small: dict[str, list[NDArray]] = {"image": [], "box": [], "place": []}
    held: list[NDArray] = []
    with ExitStack() as open_files:
        file: IO[bytes] | None = None
        for shard in read_shards(study, layer, attribution=False):
            for name, parts in small.items():
                parts.append(getattr(shard, name))
            held.append(shard.activation)
            if file is not None or sum(part.nbytes for part in held) > in_memory:
                file = file or open_files.enter_context(TemporaryFile(dir=layer_folder(study, layer)))
                for part in held:
                    file.write(np.ascontiguousarray(part).tobytes())
                held = [part[:0] for part in held[:1]]
        if not held:
            raise StudyError(f"the harvest of layer {layer!r} of the study in {study.path} holds no activation")
        if file is not None:
            file.flush()
            activation = np.memmap(file, np.float16, "r").reshape(-1, held[0].shape[1])
        else:
            activation = np.concatenate(held)
    columns = {name: np.concatenate(parts) for name, parts in small.items()}
    return Samples(**columns, activation=activation, attribution=np.zeros((len(activation), 0), np.float16))


def sampled_places(study: Study, layer: str) -> Samples:
    """Where the activations of a layer were taken, without activations and attributions: those are (N, 0).

    Raises `StudyError` if the layer is not harvested, or in part.
    """
    return joined(read_shards(study, layer, attribution=False, activation=False))


def blocks(activations: NDArray) -> Iterator[NDArray]:
    """Activations (N, C), so many at a time as are worked on in single precision."""
    return (activations[at : at + BLOCK] for at in range(0, len(activations), BLOCK))


def take(samples: Samples, rows: NDArray[np.int64]) -> Samples:
    """Some of the samples, by their rows, in that order; the samples themselves if that is all of them."""
    if np.array_equal(rows, np.arange(len(samples))):
        return samples
    return Samples(**{column.name: getattr(samples, column.name)[rows] for column in fields(samples)})
