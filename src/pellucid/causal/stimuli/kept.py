"""Results that take long, kept in the experiment's folder under what they depend on, so that a run can go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pellucid.study import digest, writing

Arrays = dict[str, NDArray[Any]]


def kept(folder: Path, about: dict[str, Any], make: Callable[[], Arrays]) -> Arrays:
    """Arrays as they were made before with the same `about`, a JSON value, or made now and written."""
    path = folder / f"{digest(about)[:32]}.npz"
    if path.is_file():
        try:
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError):  # damaged by something else than this program, which writes it whole
            path.unlink(missing_ok=True)
    made = make()
    with writing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **cast(Any, made))
    return made
