"""Image sets: which photographs a unit is shown with, by how strongly it responds to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pellucid.activations.fingerprints import NEAR, Fingerprint
from pellucid.errors import ObjectiveError

BINS = 10
PUBLISHED_TOP = 200  # of some 600,000 photographs
_SHARE = 9  # of fewer photographs, the highest ninth


@dataclass(frozen=True)
class ImageSet:
    """Photographs by their numbers: `references`, one of each bin but the last, from the least extreme up.

    `queries` are of the last bin: the first is this set's own, the others, which no other set has, take its place where
    it is of no use. `ranks` are theirs, 1 for the most extreme photograph.
    """

    number: int
    queries: tuple[int, ...]
    ranks: tuple[int, ...]
    references: tuple[int, ...]

    @property
    def query(self) -> int:
        """The photograph that is asked about."""
        return self.queries[0]


def top_count(photographs: int, image_sets: int) -> int:
    """How many photographs image sets are made of: 200, of less than 1,800 a ninth of them, in ten equal bins.

    The published number, 200, is of 600,000 photographs. Raises `ObjectiveError` where ten bins have not a photograph
    for each set.
    """
    count = min(PUBLISHED_TOP, photographs // _SHARE) // BINS * BINS
    if count < BINS * image_sets:
        count = BINS * image_sets
    if count > photographs // 2:
        raise ObjectiveError(
            f"{image_sets} image sets take {count} extreme photographs of the {photographs} that there are, more than "
            "half of them; give more photographs or fewer image sets"
        )
    return count


def extremes(
    values: NDArray[np.floating],
    prints: Sequence[Fingerprint | None],
    count: int,
    *,
    seed: int,
    near: int | None = NEAR,
    largest: bool = True,
) -> list[int]:
    """The photographs with the most extreme activations, the most extreme first, without near duplicates.

    Of near duplicates (`activations.fingerprints`) the most extreme stays; None keeps them all. Equal activations come
    in an order drawn from `seed`, and photographs that could not be measured (NaN) not at all. Of largest activations
    those that equal the smallest of all are left out: to these the unit does not respond. There may be fewer than
    `count`.
    """
    shuffled = np.random.default_rng(seed).permutation(len(values))
    keys = values[shuffled].astype(np.float64)
    order = shuffled[np.argsort(-keys if largest else keys, kind="stable")]
    floor = np.nanmin(values) if np.isfinite(values).any() else np.nan
    kept: list[int] = []
    for index in order.tolist():
        if len(kept) == count or not np.isfinite(values[index]) or (largest and values[index] <= floor):
            break
        own = prints[index]
        others = (prints[other] for other in kept)
        if near is not None and own and any(other and own.near(other, near) for other in others):
            continue
        kept.append(index)
    return kept


def image_sets(chosen: Sequence[int], count: int, *, seed: int) -> tuple[ImageSet, ...]:
    """Cut photographs, the most extreme first, in ten equal bins, and take one of each for every set.

    The bins are cut and used as in Zimmermann et al. 2021: those below the last are each shuffled, by `seed`; the last
    stays in order, and set 0 has its least extreme photograph, set 1 the next. No photograph is in two sets. Raises
    `ObjectiveError` for more sets than a bin has photographs.
    """
    size = len(chosen) // BINS
    if not 1 <= count <= size:
        raise ObjectiveError(
            f"{len(chosen)} photographs make bins of {size}, which is not enough for {count} image sets; give more "
            "photographs or fewer image sets"
        )
    upwards = list(reversed(chosen[: size * BINS]))
    bins = [upwards[at : at + size] for at in range(0, size * BINS, size)]
    random = np.random.default_rng(seed)
    shuffled = [[one[place] for place in random.permutation(size)] for one in bins[:-1]]
    own = [list(range(number, size, count)) for number in range(count)]
    return tuple(
        ImageSet(
            number,
            tuple(bins[-1][place] for place in own[number]),
            tuple(size - place for place in own[number]),
            tuple(one[number] for one in shuffled),
        )
        for number in range(count)
    )
