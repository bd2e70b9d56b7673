"""Silence for Pillow's warnings about odd files, in any number of threads."""

import threading
import warnings
from types import TracebackType


class _Quiet:
    """Within it, Pillow's warnings are silent in every thread.

    The filters of `warnings` belong to the whole process, and two threads that each save and restore them undo one
    another. So the first thread that enters sets the filter and the last that leaves restores what was there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._saved.__exit__(kind, error, trace)


quiet_pillow = _Quiet()
"""Silences warnings of Pillow's own, as long as one is inside."""
