"""Reading stretches of large files again and again."""

import os
import threading
from pathlib import Path


class Reader:
    """Keeps the shard open that each thread read last; pickled, it has none."""

    def __init__(self) -> None:
        self._last = threading.local()

    def __reduce__(self) -> "tuple[type[Reader], tuple[()]]":
        return Reader, ()

    def read(self, path: Path, offset: int, size: int) -> bytes:
        """The bytes of a file from `offset` on, fewer where it ends before."""
        last = getattr(self._last, "open", None)
        if last is None or (last.path, last.process) != (path, os.getpid()):  # a forked process shares the position
            last = self._last.open = _Open(path)
        return last.read(offset, size)


class _Open:
    """A file that is open as long as this object lives."""

    def __init__(self, path: Path) -> None:
        self.path, self.process = path, os.getpid()
        self._file = path.open("rb")

    def read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
