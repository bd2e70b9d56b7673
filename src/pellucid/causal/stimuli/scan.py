"""The occlusion scan: how strongly a unit responds while a patch of the image is covered, for every place of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.causal.stimuli.activity import UnitActivity
from pellucid.causal.stimuli.patches import Fill, Patch, blurred_away, fill_patch, pixels_of, starts
from pellucid.errors import ImagesError, ObjectiveError

Respond = UnitActivity | Callable[[Any], Any]
"""A unit of a network, or any function that gives images (N, C, H, W) one number each, (N,)."""
BATCH = 8  # images in a pass: more of them leave a processor's caches, and take longer each


@dataclass(frozen=True, eq=False)
class Scan:
    """Activations (rows, columns) of one unit for patches at `tops` and `lefts`, and `base` without any."""

    activations: NDArray[np.float64]
    base: float
    tops: tuple[int, ...]
    lefts: tuple[int, ...]
    side: int

    def __len__(self) -> int:
        return self.activations.size

    def patch(self, index: int) -> Patch:
        """The patch of a place, counted row by row."""
        row, column = divmod(index, len(self.lefts))
        return Patch(self.tops[row], self.lefts[column], self.side, self.side)

    @property
    def lowest(self) -> Patch:
        """The patch at which the activation is smallest; the first of equal ones."""
        return self.patch(int(self.activations.argmin()))

    @property
    def highest(self) -> Patch:
        """The patch at which the activation is largest; the first of equal ones."""
        return self.patch(int(self.activations.argmax()))

    @property
    def relative_difference(self) -> float:
        """(largest - smallest) / |base|; not a number where the base is 0."""
        return float(np.ptp(self.activations)) / abs(self.base) if self.base else float("nan")


def scan(
    respond: Respond,
    image: Tensor,
    *,
    side: float = 0.4,
    stride: int = 2,
    fill: Fill = "mean",
    batch: int = BATCH,
) -> Scan:
    """Cover a square patch of an image (C, H, W) in [0, 1] at every place, and measure the activation of a unit.

    `side` is a share of the image's shorter side or whole pixels, `stride` in pixels, `fill` as in `patches.filled`.
    Patches lie wholly inside: a picture of 224 pixels has 68 x 68 = 4,624 of 90 pixels at stride 2 (Zimmermann et al.
    2021). `batch` images make a pass. Raises `ObjectiveError` for a patch that does not fit.
    """
    extent = _extent(image)
    length = pixels_of(side, extent)
    background = blurred_away(image, length) if fill == "blur" else None

    def cover(picture: Tensor, patch: Patch) -> None:
        fill_patch(picture, patch, fill, background)

    return _scanned(respond, image, length, stride, batch, cover)


def reveal(
    respond: Respond, image: Tensor, blurred: Tensor, *, side: float = 0.4, stride: int = 2, batch: int = BATCH
) -> Scan:
    """The other way round: all of an image is `blurred` but a patch; `base` is what the blurred image gives.

    The patch at which the activation is largest is the one that stays sharp in the references of the condition
    "natural_blur" (Zimmermann et al. 2021).
    """

    def uncover(picture: Tensor, patch: Patch) -> None:
        picture[:, patch.rows, patch.columns] = image[:, patch.rows, patch.columns]

    return _scanned(respond, blurred, pixels_of(side, _extent(image)), stride, batch, uncover)


def answers(respond: Respond, batches: Iterable[Tensor]) -> Iterator[NDArray[np.float64]]:
    """What a unit or a function gives for each batch."""
    found = respond.each(batches) if isinstance(respond, UnitActivity) else map(respond, batches)
    for values in found:
        yield np.asarray(torch.as_tensor(values).detach().cpu(), dtype=np.float64)


def _scanned(
    respond: Respond, base: Tensor, side: int, stride: int, batch: int, change: Callable[[Tensor, Patch], None]
) -> Scan:
    if batch < 1:
        raise ObjectiveError(f"batch = {batch} must be positive")
    height, width = _extent(base)
    tops, lefts = (tuple(starts(length, side, stride)) for length in (height, width))
    patches = [Patch(top, left, side, side) for top, left in product(tops, lefts)]

    def batches() -> Iterator[Tensor]:
        yield base[None]
        for at in range(0, len(patches), batch):
            some = patches[at : at + batch]
            pictures = base.repeat(len(some), 1, 1, 1)
            for picture, patch in zip(pictures, some, strict=True):
                change(picture, patch)
            yield pictures

    whole, *rest = answers(respond, batches())
    values = np.concatenate(rest)
    if values.shape != (len(patches),) or not np.isfinite([*values, *whole]).all():
        raise ImagesError(f"{len(patches)} pictures gave {values.size} activations, of which some may be no numbers")
    return Scan(values.reshape(len(tops), len(lefts)), float(whole[0]), tops, lefts, side)


def _extent(image: Tensor) -> tuple[int, int]:
    if image.ndim != 3:
        raise ImagesError(f"an image is (C, H, W), not {tuple(image.shape)}")
    return image.shape[1], image.shape[2]
