"""The names of many images in little memory."""

from collections.abc import Iterable, Iterator

import numpy as np


class Names:
    """An immutable sequence of strings, held and pickled as one text and the places where each ends."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        encoded = [name.encode() for name in names]
        self._text = b"".join(encoded)
        self._ends = np.cumsum([len(name) for name in encoded], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self):  # -1 stands for no image, never for the last
            raise IndexError(f"no image {index} among {len(self)}")
        start = int(self._ends[index - 1]) if index else 0
        return self._text[start : int(self._ends[index])].decode()

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))
