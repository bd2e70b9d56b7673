"""The examples that excite a unit most: the best of many, each image once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.items import image_of
from pellucid.errors import SummaryError

NONE = -1
"""Stands for no item."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """The K best positions of each of U units, the best first, no image twice.

    `values` (U, K) float32 are activations, `items` and `places` (U, K) where they were seen; of equals the first item
    goes first. Items are -1 where there are fewer. With `lowest`, the best is the least.
    """

    values: NDArray[np.float32]
    items: NDArray[np.int64]
    places: NDArray[np.int32]
    lowest: bool = False

    @classmethod
    def empty(cls, units: int, length: int, *, lowest: bool = False) -> "Ranking":
        """Of nothing: what changes nothing when joined."""
        worst = np.float32(np.inf if lowest else -np.inf)
        shape = (units, length)
        return cls(np.full(shape, worst), np.full(shape, NONE), np.full(shape, NONE, np.int32), lowest)

    @classmethod
    def of(
        cls,
        values: NDArray[np.float32],
        items: NDArray[np.int64],
        places: NDArray[np.int32],
        length: int,
        *,
        lowest: bool = False,
    ) -> "Ranking":
        """The best of N positions (U, N) for each unit; an item of -1 counts for nothing."""
        order = np.lexsort((places, items, values if lowest else -values, items == NONE), axis=-1)
        images = np.take_along_axis(image_of(items), order, 1)
        # The first of each image, in their order, and then what is not wanted.
        kept = np.argsort(_again(images) | (images == NONE), axis=1, kind="stable")[:, :length]
        wanted = ~np.take_along_axis(_again(images) | (images == NONE), kept, 1)
        order = np.take_along_axis(order, kept, 1)
        found = cls.empty(len(values), length, lowest=lowest)
        width = order.shape[1]
        for name, given in (("values", values), ("items", items), ("places", places)):
            array = getattr(found, name)
            array[:, :width] = np.where(wanted, np.take_along_axis(given, order, 1), array[:, :width])
        return found

    def merge(self, other: "Ranking") -> "Ranking":
        """The best of both."""
        if self.values.shape != other.values.shape or self.lowest != other.lowest:
            raise SummaryError(
                f"rankings of {self.values.shape} and {other.values.shape} units and places cannot be joined; "
                "they come of different harvests"
            )

        def both(name: str) -> Any:
            return np.concatenate([getattr(self, name), getattr(other, name)], axis=1)

        return Ranking.of(both("values"), both("items"), both("places"), self.values.shape[1], lowest=self.lowest)


def _again(images: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a row holds an image that stands further left already."""
    order = np.argsort(images, axis=1, kind="stable")
    ordered = np.take_along_axis(images, order, 1)
    repeated = np.zeros(images.shape, bool)
    repeated[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    again = np.empty_like(repeated)
    np.put_along_axis(again, order, repeated, 1)
    return again
