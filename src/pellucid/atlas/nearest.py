"""The nearest of many activations by cosine: through an index where usearch is there, else one by one."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import AtlasError
from pellucid.study import write_json, writing
from pellucid.study.files import read_json

_BLOCK = 65_536  # activations that are compared at a time where there is no index
# Neighbours of each in the index, and how many candidates are followed while it is made and searched. With the
# library's own 16, 128 and 64 one in twenty of the 20 nearest is missed among 18,000 activations of 672 channels.
_CONNECTED, _ADDING, _SEARCHING = 32, 128, 256


@dataclass(frozen=True)
class Nearest:
    """Activations (N, C), in float16, that can be searched. Make one with `of` or `kept`."""

    count: int
    channels: int
    _index: Any = None  # a usearch index
    _vectors: NDArray[np.float16] | None = None  # of length one, where there is no index

    @classmethod
    def of(cls, activations: NDArray, *, exact: bool = False, threads: int = 0) -> "Nearest":
        """Activations (N, C), indexed (Malkov and Yashunin 2018, HNSW) unless `exact`, or usearch is not installed.

        An index of one thread is the same every time; 0 takes all processors.
        """
        return cls.joined([activations], exact=exact, threads=threads)

    @classmethod
    def joined(cls, parts: Iterable[NDArray], *, exact: bool = False, threads: int = 0) -> "Nearest":
        """The same of activations that come in parts, of which one is held at a time where there is an index."""
        index, kept, count, channels = None, [], 0, 0
        for part in parts:
            channels = part.shape[1]
            if not exact and index is None:
                index = _new_index(channels)
            units = _units(part)
            if index is None:
                kept.append(units)
            else:
                index.add(np.arange(count, count + len(part), dtype=np.uint64), units, threads=threads)
            count += len(part)
        if not count:
            raise AtlasError("there are no activations to search")
        return cls(count, channels, index, None if index is not None else np.concatenate(kept))

    @classmethod
    def kept(cls, path: Path, stamp: str, parts: Iterable[NDArray]) -> "Nearest":
        """The index of a file, mapped into memory; made of the parts and written first if it is not of this stamp.

        Without usearch the parts are held in memory instead.
        """
        found = _restored(path, stamp)
        if found is not None:
            return found
        made = cls.joined(parts)
        if made._index is None:
            return made
        about = path.with_suffix(".json")
        about.unlink(missing_ok=True)  # it must not seem to tell of the file that comes next
        with writing(path) as temporary:
            made._index.save(str(temporary))
        size = path.stat().st_size
        write_json(about, {"stamp": stamp, "count": made.count, "channels": made.channels, "bytes": size})
        return made

    def search(self, vectors: NDArray, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The `count` nearest to each vector (M, C): their numbers and cosines, both (M, count), nearest first.

        Raises `AtlasError` for vectors of another number of channels, and for one that is zero or no number.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.channels:
            raise AtlasError(
                f"vectors {vectors.shape} cannot be searched among activations of {self.channels} channels"
            )
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        if not np.all((lengths > 0) & np.isfinite(lengths)):
            raise AtlasError("a vector that is zero or no number has no nearest activations")
        count = min(count, self.count)
        if not len(vectors):
            return np.zeros((0, count), dtype=np.int64), np.zeros((0, count), dtype=np.float32)
        if self._index is None:
            return self._one_by_one(vectors / lengths[:, None], count)
        found = self._index.search(_units(vectors), count)
        keys, cosines = np.atleast_2d(found.keys).astype(np.int64), 1 - np.atleast_2d(found.distances)
        short = int(np.min(found.counts)) if keys.shape[0] > 1 else count  # an index may find fewer
        return keys[:, :short], np.clip(cosines[:, :short], -1, 1).astype(np.float32)

    def _one_by_one(self, units: NDArray, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        assert self._vectors is not None
        cosines = np.empty((len(units), self.count), dtype=np.float32)
        for at in range(0, self.count, _BLOCK):
            some = self._vectors[at : at + _BLOCK].astype(np.float32)
            cosines[:, at : at + _BLOCK] = units.astype(np.float32) @ some.T
        some = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        some.sort(axis=1)  # of equal ones the first comes first
        order = np.argsort(-np.take_along_axis(cosines, some, axis=1), axis=1, kind="stable")
        order = np.take_along_axis(some, order, axis=1)
        return order, np.clip(np.take_along_axis(cosines, order, axis=1), -1, 1)


def _units(activations: NDArray) -> NDArray[np.float16]:
    """Activations (N, C) of length one; one that is zero stays so, and has the cosine 0 with all."""
    values = activations.astype(np.float32)
    return (values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-12)).astype(np.float16)


def _new_index(channels: int) -> Any:
    try:
        from usearch.index import Index
    except ImportError:
        return None
    # For vectors of length one the inner product is the cosine, and a zero vector is nothing special.
    return Index(
        ndim=channels,
        metric="ip",
        dtype="f16",
        connectivity=_CONNECTED,
        expansion_add=_ADDING,
        expansion_search=_SEARCHING,
    )


def _restored(path: Path, stamp: str) -> "Nearest | None":
    """The index of a file, None if there is none of this stamp that can be read."""
    try:
        from usearch.index import Index

        about = read_json(path.with_suffix(".json"))
        if about["stamp"] != stamp or about["bytes"] != path.stat().st_size:
            return None
        index = Index.restore(str(path), view=True)
        if index is not None:
            index.expansion_search = _SEARCHING  # not kept in the file
    except Exception:  # no usearch, no file, or a damaged one, of which usearch says so in several ways: made anew
        return None
    if index is None or (len(index), index.ndim) != (about["count"], about["channels"]):
        return None
    return Nearest(about["count"], about["channels"], index)
