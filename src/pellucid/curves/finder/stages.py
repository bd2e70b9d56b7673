"""What long work has done so far, kept so that it goes on where it was interrupted."""

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import StudyError
from pellucid.study import writing
from pellucid.study.files import digest

Arrays = Mapping[str, NDArray]


@dataclass(frozen=True)
class Stages:
    """Results of stages as archives of arrays in a folder, or nowhere (None).

    A stage is known by the values that its result depends on, so that one of another run, with other options, is never
    taken for it.
    """

    folder: Path | None

    def get(self, stage: object, make: Callable[[], Arrays]) -> Arrays:
        """The result of a stage: what was kept of it, or what `make` gives, which is kept then."""
        if self.folder is None:
            return make()
        path = self.folder / f"{digest(stage)[:24]}.npz"
        kept = _read(path)
        if kept is not None:
            return kept
        made = make()
        with writing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **made)
        return made

    def clear(self) -> None:
        """Remove what was kept: the work is finished."""
        if self.folder is None or not self.folder.is_dir():
            return
        try:
            for path in self.folder.glob("*.npz"):
                path.unlink()
            self.folder.rmdir()
        except OSError as error:
            raise StudyError(f"cannot remove {self.folder}: {error.strerror or error}") from error


def bank_digest(table: Mapping[str, NDArray]) -> str:
    """A digest of a bank's columns."""
    total = hashlib.sha256()
    for name, values in table.items():
        total.update(name.encode() + values.dtype.str.encode() + values.tobytes())
    return total.hexdigest()


def _read(path: Path) -> Arrays | None:
    """The arrays of a file; None if it is missing or was damaged, in which case it is made again."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (FileNotFoundError, zipfile.BadZipFile, ValueError, EOFError, KeyError):
        return None
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror or error}") from error
