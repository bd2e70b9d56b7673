"""Summaries of the shards of a harvest while it runs: a tree of parts in a folder or a bucket.

Shards are the leaves. Eight neighbours that are finished become one part of the next level, until a single part is of
everything. The tree's form follows from the number of shards alone, so that sums come out the same in whatever order
the shards were finished and however often a run was interrupted.
"""

import io
import json
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from pellucid.activations.summary import Summary
from pellucid.activations.summary.store import named, write_arrays
from pellucid.errors import StudyError
from pellucid.networks.taps import Tap
from pellucid.study import writing

_ARITY = 8
_NAME = re.compile(r"(\d+)-(\d+)\.npz")

Key = tuple[str, Tap]
"""A layer and a tap."""


@dataclass(frozen=True, eq=False)
class Part:
    """What came of some shards: a summary for each layer and tap, and the images that could not be read."""

    summaries: Mapping[Key, Summary]
    skipped: tuple[dict[str, str], ...] = ()

    def merge(self, other: "Part") -> "Part":
        """Of both sets of shards, in their order."""
        both = {key: summary.merge(other.summaries[key]) for key, summary in self.summaries.items()}
        return Part(both, self.skipped + other.skipped)


@dataclass(frozen=True)
class Node:
    """A part's place in the tree: level 0 are the shards, counted from 0 in each level."""

    level: int
    number: int

    def parent(self) -> "Node":
        """The part that this one goes into."""
        return Node(self.level + 1, self.number // _ARITY)


@dataclass(frozen=True)
class Tree:
    """The tree of parts over a number of shards."""

    shards: int

    def width(self, level: int) -> int:
        """How many parts a level has."""
        return -(-self.shards // _ARITY**level)

    def root(self) -> Node:
        """The part that is of everything."""
        level = 0
        while self.width(level) > 1:
            level += 1
        return Node(level, 0)

    def children(self, node: Node) -> list[Node]:
        """The parts that a part is joined from, none for a shard."""
        if node.level == 0:
            return []
        first = node.number * _ARITY
        return [
            Node(node.level - 1, number) for number in range(first, min(first + _ARITY, self.width(node.level - 1)))
        ]

    def shards_of(self, node: Node) -> range:
        """The shards that a part is of."""
        size = _ARITY**node.level
        return range(node.number * size, min((node.number + 1) * size, self.shards))


@dataclass(frozen=True)
class PartStore:
    """Parts in a folder, or anywhere that fsspec reaches (`s3://bucket/folder`); each appears whole or not at all.

    `options` are those of the file system (keys, endpoints). It may be pickled and used by several processes.
    """

    where: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def nodes(self) -> set[Node]:
        """The parts that are there."""
        try:
            self._files.invalidate_cache()
            names = [posixpath.basename(path) for path in self._files.ls(self._root, detail=False)]
        except FileNotFoundError:
            return set()
        matches = [match for name in names if (match := _NAME.fullmatch(name))]
        return {Node(int(match[1]), int(match[2])) for match in matches}

    def write(self, node: Node, part: Part) -> None:
        """Write a part. Raises `StudyError` if it cannot be written."""
        with self._writing(self._path(node)) as file:
            write_arrays(file, _arrays(part))

    def read(self, node: Node) -> Part:
        """Read a part. Raises `StudyError` if it is missing or damaged."""
        path = self._path(node)
        try:
            with self._files.open(path, "rb") as file, np.load(file) as archive:
                return _part(archive)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise StudyError(
                f"{path} cannot be read: {error}; remove it, and its images are harvested again"
            ) from error

    def remove(self, nodes: list[Node]) -> None:
        """Remove parts that have gone into a larger one."""
        for node in nodes:
            if self._files.exists(self._path(node)):
                self._files.rm_file(self._path(node))

    def clear(self) -> None:
        """Remove everything."""
        if self._files.exists(self._root):
            self._files.rm(self._root, recursive=True)

    def write_file(self, name: str, content: bytes) -> None:
        """Write a small file beside the parts."""
        with self._writing(f"{self._root}/{name}") as file:
            file.write(content)

    def read_file(self, name: str) -> bytes | None:
        """Read a small file, None if there is none."""
        path = f"{self._root}/{name}"
        return self._files.cat_file(path) if self._files.exists(path) else None

    @property
    def local(self) -> Path | None:
        """The folder, where it is one of this machine."""
        return Path(self._root) if isinstance(self._files, LocalFileSystem) else None

    @property
    def _files(self) -> Any:
        return url_to_fs(self.where, **self.options)[0]

    @property
    def _root(self) -> str:
        return url_to_fs(self.where, **self.options)[1].rstrip("/")

    def _path(self, node: Node) -> str:
        return f"{self._root}/{node.level}-{node.number:08d}.npz"

    @contextmanager
    def _writing(self, path: str) -> Iterator[Any]:
        if self.local:
            with writing(Path(path)) as temporary, temporary.open("wb") as file:
                yield file
            return
        # An object store takes an object as a whole, so nobody ever sees half of one.
        content = io.BytesIO()
        yield content
        try:
            self._files.pipe_file(path, content.getvalue())
        except OSError as error:
            raise StudyError(f"cannot write {path}: {error}") from error


def merge_ready(store: PartStore, tree: Tree, node: Node) -> Node:
    """Join a finished part with its neighbours as far up as they are there, and give the part it has gone into."""
    while node != tree.root():
        parent = node.parent()
        children = tree.children(parent)
        if not set(children) <= store.nodes():
            return node
        join(store, tree, parent)
        node = parent
    return node


def join(store: PartStore, tree: Tree, parent: Node) -> None:
    """Make a part from those it is joined from, which are removed then."""
    children = tree.children(parent)
    first, *others = (store.read(child) for child in children)
    for other in others:
        first = first.merge(other)
    store.write(parent, first)
    store.remove(children)


def missing_shards(store: PartStore, tree: Tree) -> list[int]:
    """The shards that are in no part yet; what an interrupted run left behind of joined parts is removed."""
    nodes = store.nodes()
    covered: set[int] = set()
    for node in sorted(nodes, key=lambda node: -node.level):
        shards = set(tree.shards_of(node))
        if shards <= covered:
            store.remove([node])
        covered |= shards
    return [shard for shard in range(tree.shards) if shard not in covered]


def finish(store: PartStore, tree: Tree) -> Part:
    """The part that is of everything, once no shard is missing."""
    root = tree.root()
    for level in range(1, root.level + 1):
        nodes = store.nodes()
        for number in range(tree.width(level)):
            parent = Node(level, number)
            if parent not in nodes and set(tree.children(parent)) <= nodes:
                join(store, tree, parent)
    return store.read(root)


def _arrays(part: Part) -> Iterator[tuple[str, Any]]:
    about = {"skipped": part.skipped, "keys": [list(key) for key in part.summaries]}
    yield "about", np.frombuffer(json.dumps(about).encode(), np.uint8)
    for number, summary in enumerate(part.summaries.values()):
        yield from named(str(number), summary.arrays())


def _part(archive: Any) -> Part:
    about = json.loads(archive["about"].tobytes())
    summaries = {}
    for number, (layer, tap) in enumerate(about["keys"]):
        prefix = f"{number}|"
        names = [name for name in archive.files if name.startswith(prefix)]
        summaries[layer, tap] = Summary.from_arrays({name.removeprefix(prefix): archive[name] for name in names})
    return Part(summaries, tuple(about["skipped"]))
