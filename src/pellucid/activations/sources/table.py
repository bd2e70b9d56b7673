"""Tables of images as CSV files: a column of paths and, if there is one, a column of labels."""

import csv
from collections.abc import Iterator
from pathlib import Path, PurePath

from pellucid.errors import ImagesError

_PATHS = ("path", "image", "file")
_LABELS = ("label", "class")


def read_table(path: Path) -> tuple[list[str], list[str | None] | None]:
    """The paths of a CSV file and the labels beside them (None where the table has no such column).

    The first line names the columns, in any case: the paths are under `path`, `image` or `file`, the labels under
    `label` or `class`. Fields are parted by commas, semicolons or tabs.

    Raises `ImagesError` if the file cannot be read or has no column of paths.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            parting = next((sign for sign in (",", ";", "\t") if sign in header), ",")
            file.seek(0)
            rows = csv.reader(file, delimiter=parting)
            columns = [column.strip().lower() for column in next(rows, [])]
            wanted, label = (next((columns.index(name) for name in names if name in columns), None)
                             for names in (_PATHS, _LABELS))  # fmt: skip
            if wanted is None:
                raise ImagesError(
                    f"{path} has no column 'path', 'image' or 'file'; its first line must name the columns, and it is "
                    f"{header.strip()[:80]!r}"
                )
            whole = [row for row in rows if len(row) > wanted and row[wanted].strip()]
    except (OSError, ValueError, csv.Error) as error:
        raise ImagesError(f"{path} cannot be read as a CSV file: {_said(error)}") from error
    paths = [normal(row[wanted]) for row in whole]
    return paths, None if label is None else [_cell(row, label) for row in whole]


def read_lines(path: Path) -> list[str]:
    """The paths of a list file: one a line; empty lines and those that begin with "#" are left out.

    Raises `ImagesError` if the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            return list(_paths(file))
    except (OSError, ValueError) as error:
        raise ImagesError(f"{path} cannot be read as a list of images: {_said(error)}") from error


def normal(path: str) -> str:
    """A path with slashes alone and without what says nothing, as `./`."""
    return PurePath(path.strip()).as_posix()


def _paths(lines: Iterator[str]) -> Iterator[str]:
    return (normal(line) for line in lines if line.strip() and not line.startswith("#"))


def _cell(row: list[str], column: int) -> str | None:
    return (row[column].strip() or None) if column < len(row) else None


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
