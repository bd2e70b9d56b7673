"""Which class an image is of, by what it is called, and choosing images by that."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from pellucid.activations import Source
from pellucid.atlas.class_names import find_class, plain_name
from pellucid.errors import AtlasError, ImagesError
from pellucid.networks import Labels

_WNID = re.compile(r"(?<![A-Za-z0-9])n\d{8}(?!\d)")
_NUMBER = re.compile(r"[\s_-]*\(?\d+\)?$")  # what tells the images of one class apart
_RANGE = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*")


def classes_of_names(names: Sequence[str], labels: Labels | None) -> NDArray[np.int64]:
    """The classes (N,) that images are named after, -1 where none is.

    A name says its class by a WordNet id in it (`n02066245_grey_whale.JPEG`, `n02066245/17.jpg`), by a folder that is
    called as a class, or by itself, but for a number at its end (`grey whale 12.png`). A class is called by each of its
    names between commas, whatever the case; a name that several classes have says nothing.
    """
    known = _Names.of(labels)
    return np.array([known.of_path(name) for name in names], dtype=np.int64)


def image_classes(source: Source, labels: Labels | None) -> NDArray[np.int64]:
    """The classes (N,) of a network that the images of a source are of, -1 where nothing says it.

    The source's own labels go before the names of files. A label is a WordNet id, a name of a class, or, where all
    labels are numbers, a class's number.
    """
    found = classes_of_names([source.name(index) for index in range(len(source))], labels)
    known = _Names.of(labels)
    numbered = bool(source.classes) and all(text.isdecimal() for text in source.classes)
    count = len(labels) if labels else None
    for index in range(len(source)):
        label = source.label(index)
        if label >= 0:
            text = source.classes[label]
            number = int(text) if numbered else known.of_text(text)
            if number >= 0 and (count is None or number < count):
                found[index] = number
    return found


def choose_images(
    text: str, names: Sequence[str], of: NDArray[np.int64], classes: Sequence[str], *, count: int | None = None
) -> NDArray[np.int64]:
    """The numbers of the images that a text chooses, ascending.

    The text lists, between commas, classes by their number or name, ranges of classes such as `0-397`, and patterns of
    images' names such as `sea/*` or `*.png`; an image is chosen if one of them fits. `of` (N,) are the images' classes.
    `count` is the number of classes where they have no names. Raises `AtlasError` for a class that there is not, and
    `ImagesError` if no image is chosen.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise AtlasError(f"{text!r} chooses nothing; give classes, ranges of classes or patterns of names")
    chosen = np.zeros(len(names), dtype=bool)
    for part in parts:
        between = _RANGE.fullmatch(part)
        if between:
            chosen |= (of >= int(between[1])) & (of <= int(between[2]))
        elif "*" in part or "?" in part or "/" in part:
            chosen |= np.array([fnmatchcase(name, part) for name in names], dtype=bool)
        else:
            chosen |= of == find_class(classes, part, count=count)
    if not chosen.any():
        known = int((of >= 0).sum())
        raise ImagesError(
            f"none of the {len(names)} images is chosen by {text!r}; the class of {known} of them is known from their "
            "labels or names"
        )
    return np.flatnonzero(chosen)


class _Names:
    """The classes by all that they are called."""

    def __init__(self, labels: Labels | None) -> None:
        self._wnids: dict[str, int] = {}
        self._names: dict[str, int] = {}
        for index, name in enumerate(labels.names if labels else ()):
            for text in {plain_name(name), *map(plain_name, name.split(","))}:
                self._names[text] = index if self._names.get(text, index) == index else -1
        for index, wnid in enumerate(labels.wnids if labels else ()):
            self._wnids[wnid] = index
        self._names.pop("", None)

    @classmethod
    def of(cls, labels: Labels | None) -> "_Names":
        return cls(Labels.of(labels))

    def of_text(self, text: str) -> int:
        found = _WNID.search(text)
        if found and found[0] in self._wnids:
            return self._wnids[found[0]]
        return self._names.get(plain_name(text), -1)

    def of_path(self, path: str) -> int:
        *folders, file = path.split("/")
        stem = file.rpartition(".")[0] or file
        for text in (stem, _NUMBER.sub("", stem), *reversed(folders)):
            number = self.of_text(text)
            if number >= 0:
                return number
        return -1
