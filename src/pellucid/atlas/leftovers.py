"""Files of an atlas that was drawn otherwise before."""

import shutil
from contextlib import suppress
from pathlib import Path

from pellucid.study import AtlasRecord

# What levels are made of; other files in the folder are not the builder's.
_OURS = ("level-*", "patches-*", "classes-*", "cards-*", "cells-*.parquet", ".icons-*")


def forget_leftovers(folder: Path, record: AtlasRecord) -> None:
    """Remove from the folder of a finished atlas the files of levels that its record does not name."""
    kept = {folder / name for name in record.files()}
    kept |= {folder / f"cells-{level.grid}.parquet" for level in record.levels}
    for pattern in _OURS:
        for path in folder.glob(pattern):
            if path.is_dir() and path.name.startswith("."):
                shutil.rmtree(path, ignore_errors=True)
                continue
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file not in kept:
                    file.unlink(missing_ok=True)
            if path.is_dir():
                with suppress(OSError):  # it holds files of this atlas
                    path.rmdir()
