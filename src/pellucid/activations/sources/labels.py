"""Classes of images: from what a source says itself, from folders, from file names or from a table."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.sources.names import Names
from pellucid.activations.sources.table import read_table
from pellucid.errors import ImagesError

_WHOLE = re.compile(r"-?\d+")


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of a source's images.

    `numbers` (n,) counts in `classes`, -1 where the class is unknown; None if all are. `mode` is what to ask for to
    have the same again: "own", "folders", "names", "none" or the path of a table, whose sha256 is `digest`.
    """

    mode: str = "none"
    classes: tuple[str, ...] = ()
    numbers: NDArray[np.int32] | None = None
    digest: str | None = None

    @classmethod
    def of(cls, mode: str, texts: Iterable[str | None], digest: str | None = None) -> "Labels":
        """Labels of the classes in `texts`, sorted: by value if all are whole numbers, else as text."""
        texts = list(texts)
        known = {text for text in texts if text is not None}
        if all(_WHOLE.fullmatch(text) for text in known):
            classes = tuple(sorted(known, key=lambda text: (int(text), text)))
        else:
            classes = tuple(sorted(known))
        number: dict[str | None, int] = {name: index for index, name in enumerate(classes)}
        return cls(mode, classes, np.array([number.get(text, -1) for text in texts], np.int32), digest)

    @classmethod
    def counted(cls, mode: str, classes: Iterable[str], numbers: Sequence[int]) -> "Labels":
        """Labels of classes whose order is given."""
        return cls(mode, tuple(classes), np.array(numbers, np.int32))

    def describe(self) -> dict[str, str]:
        """What a source's description says of them."""
        return {"labels": self.mode} | ({"labels_digest": self.digest} if self.digest else {})


def find_labels(mode: str | None, names: Names | Sequence[str], own: Labels | None = None) -> Labels:
    """The classes of the images of these names (relative paths).

    `mode` is "folders" (the first folder of a name), "names" (the file's name up to its first `_`), "own" (those that
    the source has itself), "none" or the path of a CSV file of paths and labels. None takes the source's own, else the
    folders if every image lies in one and there are at least two, else none.

    Raises `ImagesError` if no image gets a class from what was asked for.
    """
    if mode == "none":
        return Labels()
    if mode is None:
        return own if own and own.classes else _of_all_folders(names)
    if mode == "own":
        found = own or Labels()
        lack = "the source has no labels of its own"
    elif mode == "folders":
        found = Labels.of(mode, map(_folder, names))
        lack = "no image lies in a folder of the source"
    elif mode == "names":
        found = Labels.of(mode, map(_beginning, names))
        lack = "no file's name has a '_' after its class"
    else:
        found = _of_table(Path(mode), names)
        lack = f"none of the images is in {mode} with a label (the first is {names[0]!r})"
    if not found.classes:
        raise ImagesError(
            f"labels = {mode!r}: {lack}; give 'folders', 'names', a CSV file of paths and labels, or 'none'"
        )
    return found


def _of_all_folders(names: Names | Sequence[str]) -> Labels:
    folders = [_folder(name) for name in names]
    return Labels.of("folders", folders) if None not in folders and len(set(folders)) > 1 else Labels()


def _folder(name: str) -> str | None:
    first, slash, _ = name.partition("/")
    return first if slash else None


def _beginning(name: str) -> str | None:
    beginning, mark, _ = PurePosixPath(name).name.partition("_")
    return beginning if mark and beginning else None


def _of_table(path: Path, names: Names | Sequence[str]) -> Labels:
    if not path.is_file():
        raise ImagesError(
            f"labels = {str(path)!r} is neither 'folders', 'names', 'own' or 'none' nor a CSV file that is there"
        )
    path = path.resolve()
    paths, labels = read_table(path)
    if labels is None:
        raise ImagesError(f"{path} has no column 'label' or 'class'")
    table: dict[str, str | None] = {}
    for image, label in zip(paths, labels, strict=True):
        if table.setdefault(image, label) != label:
            raise ImagesError(f"{path} gives {image!r} two labels, {table[image]!r} and {label!r}; leave one")
    # A table of bare file names serves for images in folders, too.
    found = (table.get(name, table.get(PurePosixPath(name).name)) for name in names)
    return Labels.of(str(path), found, hashlib.sha256(path.read_bytes()).hexdigest())
