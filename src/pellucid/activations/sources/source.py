"""What a source of images is."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from pellucid.activations.sources.labels import Labels


@dataclass(frozen=True, eq=False)
class Source(ABC):
    """An ordered collection of images, numbered from 0.

    Cheap to pickle: files are opened when an image is, and no open file goes along. `about` is what `describe` gives.
    `skipped` has name and reason of what lies in the source but has no number, for it was found unusable before any
    image was opened: a link to nothing, a lost part of a tar file.
    """

    about: dict[str, Any]
    labels: Labels
    skipped: tuple[tuple[str, str], ...]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, index: int) -> str:
        """The name of an image: unique in the source, and the same whenever the source is opened again."""

    @abstractmethod
    def open(self, index: int, channels: int = 3) -> Image.Image:
        """An image, upright and in full: RGB for three channels, grey ("L") for one.

        Raises `ImagesError` with the reason, in one line, if it cannot be read.
        """

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, empty where there are no labels."""
        return self.labels.classes

    def label(self, index: int) -> int:
        """The class of an image by its number in `classes`, -1 where it is unknown."""
        if not 0 <= index < len(self):
            raise IndexError(f"no image {index} among {len(self)}")
        return -1 if self.labels.numbers is None else int(self.labels.numbers[index])

    def describe(self) -> dict[str, Any]:
        """What `reopen` needs to find the source again and to know it, as JSON.

        Among it `kind`, `source` (where it is), `count`, `digest` (of the names and sizes) and `labels` (where the
        classes come from).
        """
        return dict(self.about)


def about_source(kind: str, where: str, count: int, digest: str, labels: Labels, **more: Any) -> dict[str, Any]:
    """The description of a source."""
    return {"kind": kind, "source": where, "count": count, "digest": digest, **labels.describe(), **more}


def digest_of(names: Iterable[str], sizes: Iterable[int]) -> str:
    """The digest of named sizes: what `pellucid.study.digest` gives for [[name, size], ...]."""
    text, comma = hashlib.sha256(b"["), b""
    for name, size in zip(names, sizes, strict=True):  # bit by bit: the text of millions is large
        text.update(comma + json.dumps([name, size]).encode())
        comma = b", "
    text.update(b"]")
    return text.hexdigest()
