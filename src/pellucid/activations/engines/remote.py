"""What the machines of a cluster do for a harvest: open the images of a shard, summarize them, join parts.

Errors travel as values. So the cluster tells an error of the program, which would come again, from the loss of a
process or a machine, after which a shard is done again.
"""

import pickle
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import ray
import torch
from numpy.typing import NDArray
from ray import cloudpickle

from pellucid.activations.batches import Decoded, Decoder
from pellucid.activations.parts import Node, PartStore, Tree, join
from pellucid.activations.shards import ShardWork
from pellucid.errors import StudyError

SESSION = "session"
"""The file beside the parts by which a worker sees that it looks at the same folder as the program that sent it."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Reading:
    """How shards are read: `images` has the number of each shard and its images, by the rows of the data set."""

    decoder: Decoder
    images: list[tuple[int, range]]


class LostError(Exception):
    """A shard whose process was lost again and again."""


def read_shard(row: Row, reading: Any, attempts: Any) -> list[dict[str, Any]]:
    """Open the images of a shard, in one row: all their views one after the other, and what belongs to each image.

    `reading` refers to a `Reading` in the cluster's memory, `attempts` is the actor that counts how often each shard
    was begun.
    """
    shard, pixels, about, error = -1, [np.zeros(0, np.uint8)], [], b""
    try:
        found: Reading = _fetched(reading)
        shard, numbers = found.images[row["id"]]
        _begin(attempts, "reading", shard)
        for image in (found.decoder[number] for number in numbers):
            about.append((replace(image, views=None), None if image.views is None else tuple(image.views.shape)))
            if image.views is not None:
                pixels.append(image.views.numpy().reshape(-1))
    except Exception as fault:
        error = packed(fault)
    return [{"shard": shard, "pixels": np.concatenate(pixels), "about": pickle.dumps(about), "error": error}]


class Worker:
    """A network in a process of its own, on the device that the cluster gave it.

    `work` refers to a `ShardWork` in the cluster's memory. A network that cannot be loaded is an error of each shard.
    """

    def __init__(self, work: Any, attempts: Any, store: PartStore, session: bytes, threads: int) -> None:
        self._reference = work
        self._attempts = attempts
        self._work: ShardWork | None = None
        self._store = store
        self._session = session
        self._threads = threads

    def __call__(self, rows: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Write the part of the shard that is the only row; the answer is its number, and the error if there is one."""
        shard, error = int(rows["shard"][0]), rows["error"][0]
        if not error:
            try:
                _begin(self._attempts, "summarizing", shard)
                part = self._prepared()(_images(rows["pixels"][0], rows["about"][0]))
                self._store.write(Node(0, shard), part)
            except Exception as fault:
                error = packed(fault)
        return {"shard": np.array([shard]), "error": np.array([error], dtype=object)}

    def _prepared(self) -> ShardWork:
        if self._work is None:
            if self._store.read_file(SESSION) != self._session:
                raise StudyError(
                    f"the machine {ray.util.get_node_ip_address()} of the cluster does not see {self._store.where}, "
                    "where the parts of the harvest go; give a folder that all machines share, or an address like "
                    "s3://bucket/folder"
                )
            torch.set_num_threads(self._threads)
            work: ShardWork = ray.get(self._reference)
            if ray.get_gpu_ids() and torch.cuda.is_available():
                work = replace(work, network=work.network.to("cuda"))
            self._work = work
        return self._work


def join_parts(store: PartStore, tree: Tree, parent: Node) -> bytes:
    """Join the parts that go into one; nothing is left to do but to remove them if it was made in an earlier try."""
    try:
        if parent in store.nodes():
            store.remove(tree.children(parent))
            return b""
        try:
            join(store, tree, parent)
        except StudyError:
            if parent not in store.nodes():  # else a task of a program that was killed has just made it
                raise
    except Exception as error:
        return packed(error)
    return b""


def packed(error: Exception) -> bytes:
    """An error and the story of it, to be sent to another machine."""
    story = "".join(traceback.format_exception(error))
    try:
        content = _pickled((error, story))
        pickle.loads(content)
    except Exception:  # some errors hold what cannot be sent
        content = _pickled((RuntimeError(f"{type(error).__name__}: {error}"), story))
    return content


def unpacked(content: bytes) -> Exception:
    """The error that was sent, with its story as a note."""
    error, story = pickle.loads(content)
    error.add_note(f"This was raised on the cluster:\n\n{story}")
    return error


def _images(pixels: NDArray[np.uint8], about: bytes) -> Iterator[Decoded]:
    at = 0
    for image, shape in pickle.loads(about):
        if shape is None:
            yield image
            continue
        size = int(np.prod(shape))
        # A copy, for what lies in the cluster's memory must not be written to.
        yield replace(image, views=torch.from_numpy(pixels[at : at + size].reshape(shape).copy()))
        at += size


def _pickled(value: Any) -> bytes:
    return cloudpickle.dumps(value)  # pyright: ignore[reportPrivateImportUsage] - also what a script defines


def _begin(attempts: Any, what: str, shard: int) -> None:
    if not ray.get(attempts.begin.remote(what, shard)):
        raise LostError(f"the process that was {what} it ended without a word each time; has it enough memory?")


# A process reads many shards; the source is unpacked once.
@lru_cache(maxsize=1)
def _fetched(reference: Any) -> Any:
    return ray.get(reference)
