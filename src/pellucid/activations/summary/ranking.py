"""The examples that excite a unit most: the best of many, each image once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.items import image_of
from pellucid.errors import SummaryError

NONE = -1
"""Stands for no item."""
_LAST = np.uint64(0xFFFFFFFF)


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
        """The best of N items (N,), each at one position (U, N) for each unit; a place of -1 counts for nothing."""
        from pellucid.activations.summary.sorted_lists import first_of_each_image

        found = cls.empty(len(values), length, lowest=lowest)
        if not len(items):
            return found
        order = items.argsort(kind="stable")
        _, images = np.unique(image_of(items[order]), return_inverse=True)
        known = places[:, order] != NONE
        # One number that is ordered by value, then by item: numbers are sorted fastest.
        keys = np.where(known, _rising(values[:, order] if lowest else -values[:, order]), _LAST)
        keys = np.sort((keys << np.uint64(32)) | np.arange(len(items), dtype=np.uint64), axis=1)
        columns = np.full((len(values), length), NONE)
        first_of_each_image((keys & _LAST).astype(np.int64), images, known.sum(axis=1), columns)
        wanted = columns != NONE
        columns = order[columns]
        for name, given in (("values", values), ("items", items[None]), ("places", places)):
            array = getattr(found, name)
            given = np.broadcast_to(given, values.shape)
            np.copyto(array, np.take_along_axis(given, columns, 1), where=wanted)
        return found

    def merge(self, other: "Ranking") -> "Ranking":
        """The best of both."""
        from pellucid.activations.summary.sorted_lists import join_rankings

        if self.values.shape != other.values.shape or self.lowest != other.lowest:
            raise SummaryError(
                f"rankings of {self.values.shape} and {other.values.shape} units and places cannot be joined; "
                "they come of different harvests"
            )
        found = Ranking.empty(*self.values.shape, lowest=self.lowest)
        ours, theirs = ((one.values, one.items, one.places, image_of(one.items)) for one in (self, other))
        join_rankings(np.float32(1 if self.lowest else -1), ours, theirs, (found.values, found.items, found.places))
        return found


def _rising(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Numbers below 2^32 - 1 in the order of finite values, equal for 0 and -0."""
    bits = (values + np.float32(0)).view(np.uint32)
    return (bits ^ np.where(bits >> 31, _LAST, 1 << 31).astype(np.uint32)).astype(np.uint64)
