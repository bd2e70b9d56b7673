"""Comparing folders."""

import hashlib
from pathlib import Path


def tree(folder: Path) -> dict[str, str]:
    """The sha256 of every file in a folder and below, by its relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
