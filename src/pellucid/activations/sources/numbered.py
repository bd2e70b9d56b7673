"""Data sets of other packages, whose images have numbers and no names."""

from dataclasses import dataclass
from typing import Any

from pellucid.activations.sources.source import Source


@dataclass(frozen=True, eq=False)
class NumberedSource(Source):
    """The images of a data set. Names are their numbers, in eight digits."""

    dataset: Any

    def __len__(self) -> int:
        return len(self.dataset)

    def name(self, index: int) -> str:
        """The number of the image."""
        if not 0 <= index < len(self):
            raise IndexError(f"no image {index} among {len(self)}")
        return f"{index:08d}"
