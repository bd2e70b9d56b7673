"""Image files that a list names: a text file of paths, a table, or a sequence in a program."""

import os
from collections.abc import Iterable, Sequence
from itertools import repeat
from pathlib import Path

from pellucid.activations.sources.files import FileSource
from pellucid.activations.sources.labels import Labels, find_labels
from pellucid.activations.sources.names import Names
from pellucid.activations.sources.source import about_source, digest_of
from pellucid.activations.sources.table import read_lines, read_table
from pellucid.errors import ImagesError

LIST_ENDINGS = (".txt", ".lst", ".csv")
"""Of files that list images."""


def open_list(file: Path, labels: str | None = None) -> FileSource:
    """The images that a list file names, in its order.

    A .txt or .lst has one path a line; a .csv is a table (see `read_table`) and may have labels. Paths are relative to
    the list, or absolute. A listed file that is not there has a number, and opening it says so.

    Raises `ImagesError` if the list cannot be read or is empty.
    """
    file = file.resolve()
    paths, texts = read_table(file) if file.suffix.lower() == ".csv" else (read_lines(file), None)
    listed: dict[str, str | None] = {}
    skipped = []
    for path, text in zip(paths, texts or repeat(None), strict=False):
        name = _below(file.parent, path)
        if name in listed:
            skipped.append((name, f"{name}: listed more than once, used once"))
        listed.setdefault(name, text)
    if not listed:
        raise ImagesError(f"{file} lists no images")
    names = Names(listed)
    classes = find_labels(labels, _from_common_folder(listed), Labels.of("own", listed.values()))
    about = about_source("list", str(file), len(names), digest_of_files(file.parent, names), classes)
    return FileSource(about, classes, tuple(skipped), file.parent, names)


def open_paths(paths: Sequence[str | Path], labels: str | None = None) -> FileSource:
    """Some image files in their order; names are relative to the folder that has all of them.

    Raises `ImagesError` if there are none, or one twice.
    """
    whole = [Path(path).absolute().as_posix() for path in paths]
    if not whole:
        raise ImagesError("no images were given")
    if len(set(whole)) < len(whole):
        twice = next(path for path in whole if whole.count(path) > 1)
        raise ImagesError(f"{twice} is given more than once; give each image once")
    try:
        names = Names(_from_common_folder(whole))
    except UnicodeEncodeError as error:
        raise ImagesError(f"the name of image {str(paths[0])!a} or a later one is not UTF-8; rename it") from error
    root = Path(whole[0][: -len(names[0])])
    classes = find_labels(labels, names)
    about = about_source("paths", str(root), len(names), digest_of_files(root, names), classes, paths=list(names))
    return FileSource(about, classes, (), root, names)


def digest_of_files(root: Path, names: Names) -> str:
    """The digest of files by their names below a folder."""
    return digest_of(names, (_size(root / name) for name in names))


def _below(folder: Path, path: str) -> str:
    """A path as it is, but relative if it lies in the folder."""
    return path.removeprefix(f"{folder.as_posix().rstrip('/')}/")


def _from_common_folder(names: Iterable[str]) -> list[str]:
    names = list(names)
    # What the first and the last share, all between them do. By characters, as the cut is at a slash in any case.
    shared = os.path.commonprefix([min(names), max(names)])  # noqa: RUF071
    return [name[shared.rfind("/") + 1 :] for name in names]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # to be reported when it is opened
        return -1
