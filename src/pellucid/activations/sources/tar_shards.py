"""Images in tar files, by the convention of WebDataset: the files of one sample share their name up to its first dot.

Aizman, Maltby, Breuel: High performance I/O for large scale deep learning, 2019 (arXiv:2001.01858).
"""

import glob
import itertools
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pellucid.activations.decode import open_image
from pellucid.activations.sources.labels import Labels, find_labels
from pellucid.activations.sources.names import Names
from pellucid.activations.sources.reader import Reader
from pellucid.activations.sources.source import Source, about_source, digest_of
from pellucid.activations.sources.tar_index import Shard, index_shard
from pellucid.errors import ImagesError

_AT_ONCE = 8  # shards that are indexed at a time: over a network it is waiting that takes the time
_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}")
_WILD = re.compile(r"[*?\[]|" + _BRACES.pattern)


@dataclass(frozen=True, eq=False)
class TarSource(Source):
    """The images of tar files, each read from its place: `size` bytes at `offset` of `shards[shard]`.

    Names are SHARD/MEMBER; the order is that of the shards and in them that of the files.
    """

    shards: tuple[Path, ...]
    names: Names
    shard: NDArray[np.int32]
    offset: NDArray[np.int64]
    size: NDArray[np.int64]
    reader: Reader = field(default_factory=Reader)

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The name of an image: its shard, a slash, and its name there."""
        return self.names[index]

    def open(self, index: int, channels: int = 3) -> Image.Image:
        """An image, read from its place in its shard."""
        name, path = self.names[index], self.shards[self.shard[index]]
        try:
            content = self.reader.read(path, int(self.offset[index]), int(self.size[index]))
        except OSError as error:
            raise ImagesError(f"{name}: {path}: {error.strerror or error}") from error
        if len(content) < self.size[index]:
            raise ImagesError(f"{name}: {path} has become shorter since it was indexed")
        return open_image(content, channels, name=name)


def open_tars(where: str, labels: str | None = None) -> TarSource:
    """The images of one tar file, of those that a pattern finds (`*`, `?`, `[ab]`, `**`), or of a series.

    A series is written with braces: `train-{000..010}.tar`, `{train,val}.tar`. The tar files must not be compressed.
    An image is a file with a picture's ending; its class is what stands in the sample's `.cls`, at `label` in its
    `.json`, or in its `.txt` (if it is one short line and there is no `.json`, else it is a caption). A shard that is
    damaged or cut off gives what can be read of it; the rest is in `skipped`.

    Raises `ImagesError` if there are no such files or no images in them.
    """
    paths = expand(where)
    if not paths:
        raise ImagesError(
            f"no tar file {where}; give a path, a pattern (train-*.tar) or a series (train-{{000..010}}.tar)"
        )
    root = Path(os.path.commonpath([path.parent for path in paths]))
    titles = [path.relative_to(root).as_posix() for path in paths]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        shards = list(threads.map(index_shard, paths, titles))
    skipped = tuple(itertools.chain.from_iterable(shard.skipped for shard in shards))
    if not any(shard.names for shard in shards):
        first = f"; the first reason: {skipped[0][1]}" if skipped else ""
        raise ImagesError(f"no images in {where}{first}")
    return _joined(str(Path(where).absolute()), paths, titles, shards, skipped, labels)


def is_tar(where: str) -> bool:
    """Whether this names tar files: by its ending, or as a pattern or series of files that are there."""
    return bool(re.search(r"\.tar(\.\w+)?$|\.tgz$", where)) or (bool(_WILD.search(where)) and not Path(where).exists())


def expand(where: str) -> list[Path]:
    """The absolute paths of a series or a pattern: series in their order, and what a pattern finds sorted."""
    if Path(where).exists():
        return [Path(where).absolute()]
    found: list[str] = []
    for one in _series(where):
        # Path.glob takes no absolute pattern.
        found += sorted(glob.glob(one, recursive=True)) if glob.has_magic(one) else [one]  # noqa: PTH207
    if not any(map(os.path.exists, found)):
        return []
    return list(dict.fromkeys(Path(path).absolute() for path in found))


def _series(where: str) -> list[str]:
    braces = _BRACES.search(where)
    if not braces:
        return [where]
    first, last, some = braces.groups()
    if some is not None:
        parts = some.split(",")
    else:
        width = max(len(first), len(last)) if first.startswith("0") or last.startswith("0") else 0
        step = 1 if int(first) <= int(last) else -1
        parts = [f"{number:0{width}d}" for number in range(int(first), int(last) + step, step)]
    ends = _series(where[braces.end() :])
    return [where[: braces.start()] + part + end for part in parts for end in ends]


def _joined(
    where: str,
    paths: list[Path],
    titles: Sequence[str],
    shards: list[Shard],
    skipped: tuple[tuple[str, str], ...],
    labels: str | None,
) -> TarSource:
    chain = itertools.chain.from_iterable
    inside = Names(chain(shard.names for shard in shards))
    names = Names(f"{title}/{name}" for title, shard in zip(titles, shards, strict=True) for name in shard.names)
    own = Labels.of("own", chain(shard.labels for shard in shards))
    classes = find_labels(labels, inside, own)
    number = np.repeat(np.arange(len(shards), dtype=np.int32), [len(shard.names) for shard in shards])
    offset = np.fromiter(chain(shard.offsets for shard in shards), np.int64, len(names))
    size = np.fromiter(chain(shard.sizes for shard in shards), np.int64, len(names))
    about = about_source("tar", where, len(names), digest_of(names, size.tolist()), classes)
    return TarSource(about, classes, skipped, tuple(paths), names, number, offset, size)
