"""Image files in a folder and below."""

import os
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image

from pellucid.activations.decode import printable
from pellucid.activations.sources.files import FileSource
from pellucid.activations.sources.labels import find_labels
from pellucid.activations.sources.names import Names
from pellucid.activations.sources.source import about_source, digest_of
from pellucid.errors import ImagesError


def find_images(folder: Path | str) -> list[str]:
    """The picture files in a folder and below, by their endings, as sorted paths relative to it.

    Hidden files are left out. A linked folder is searched if it does not lie in this one anyway, each once, so that no
    image is found twice and no circle of links is followed for ever.

    Raises `ImagesError` if there is no such folder or it holds none.
    """
    return [name for name, _ in _Search.of(Path(folder)).found]


def open_folder(folder: Path, labels: str | None = None) -> FileSource:
    """The images of a folder (see `find_images`) as a source."""
    search = _Search.of(folder)
    names = Names(name for name, _ in search.found)
    classes = find_labels(labels, names)
    where = folder.resolve()
    digest = digest_of(names, (size for _, size in search.found))
    about = about_source("folder", str(where), len(names), digest, classes)
    return FileSource(about, classes, tuple(sorted(search.skipped)), where, names)


@cache
def picture_endings() -> frozenset[str]:
    """The endings that Pillow knows how to read, with their dots, in small letters."""
    return frozenset(ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def is_picture(name: str) -> bool:
    """Whether a file is named as a picture and not hidden. `name` is without folders."""
    stem, dot, ending = name.rpartition(".")
    return bool(stem) and dot + ending.lower() in picture_endings() and not name.startswith(".")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Search:
    """One walk over a folder: `found` are names and sizes of images, `skipped` names and reasons."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: list[tuple[str, int]] = []
        self.skipped: list[tuple[str, str]] = []
        self._links: list[str] = []
        self._searched: set[tuple[int, int]] = set()

    @classmethod
    def of(cls, folder: Path) -> "_Search":
        if not folder.is_dir():
            raise ImagesError(f"no folder {folder}; give a folder of photographs")
        search = cls(folder)
        search._below("")
        while search._links:  # after everything that lies here itself
            first = min(search._links)
            search._links.remove(first)
            search._below(first)
        search.found.sort()
        if not search.found:
            raise ImagesError(search._nothing())
        return search

    def _below(self, start: str) -> None:
        waiting = [start]
        while waiting:
            name = waiting.pop()
            try:
                about = (self.folder / name).stat()
                if (about.st_dev, about.st_ino) in self._searched:
                    continue
                self._searched.add((about.st_dev, about.st_ino))
                with os.scandir(self.folder / name) as entries:
                    waiting += [f"{name}/{entry.name}" if name else entry.name for entry in self._of_one(name, entries)]
            except OSError as error:
                self._skip(name or str(self.folder), error.strerror or str(error))

    def _of_one(self, folder: str, entries: Iterator[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
        """Sort the entries of one folder in; those that are folders are returned."""
        folders = []
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry)
            elif is_picture(entry.name) or entry.is_symlink():
                self._file(name, entry)
        return folders

    def _file(self, name: str, entry: os.DirEntry[str]) -> None:
        wanted = is_picture(entry.name)
        try:
            about = entry.stat()
        except OSError as error:  # a link to nothing, or to itself
            if wanted:
                self._skip(name, error.strerror or str(error))
            return
        if stat.S_ISDIR(about.st_mode):
            self._links.append(name)
        elif wanted and not stat.S_ISREG(about.st_mode):
            self._skip(name, "is not a file but a pipe, a socket or a device")
        elif wanted:
            if _is_text(name):
                self.found.append((name, about.st_size))
            else:  # a study is UTF-8
                self._skip(name, "its name is not UTF-8; rename it")

    def _skip(self, name: str, reason: str) -> None:
        self.skipped.append((printable(name), f"{printable(name)}: {reason}"))

    def _nothing(self) -> str:
        nothing = f"no photographs in {self.folder} or below: "
        if self.skipped:
            return nothing + f"none of its files can be used; the first: {min(self.skipped)[1]}"
        entries = {entry.name for entry in self.folder.iterdir()}
        if {"state.json", "dataset_info.json"} <= entries or "dataset_dict.json" in entries:
            return nothing + f"it is a data set of Hugging Face; give 'hf:{self.folder}'"
        if any(name.endswith(".tar") for name in entries):
            return nothing + f"it has tar files; give '{self.folder}/*.tar'"
        return nothing + "none of its files is named as a picture (.jpg, .png ...)"
