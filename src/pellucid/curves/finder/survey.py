"""What a dataset does to all units of many layers, as far as the finder needs it: scales, and the best examples."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.activations.batches import Decoded, Decoder, Geometry, decoded
from pellucid.activations.sources import Source
from pellucid.activations.views import ViewPlan
from pellucid.curves.scales import Scale
from pellucid.errors import ImagesError
from pellucid.networks import Network
from pellucid.networks.lanes import in_lanes
from pellucid.networks.taps import Tap, tap

EXAMPLES = 10
_BATCH_ON_CPU, _BATCH = 4, 64


@dataclass(frozen=True, eq=False)
class Best:
    """The images that excite each of U units most, from the best: (U, K) `images` by number, `positions` and `values`.

    Positions are counted row by row in the layer's map. Where there are fewer than K images, the number is -1.
    """

    images: NDArray[np.int64]
    positions: NDArray[np.int64]
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Survey:
    """What one layer does on a dataset: the scale of its units, and their best examples."""

    scale: Scale
    best: Best


@dataclass(frozen=True, eq=False)
class _Counted:
    """What one layer does on a few images: `sums` (3, U) of values, of squares and of how many are above 0, over so
    many `positions`, and of each image the highest value and its place (U, N)."""

    sums: Tensor
    positions: int
    values: Tensor
    places: Tensor

    @classmethod
    def of(cls, maps: Tensor) -> "_Counted":
        """That of activations (N, U, P)."""
        rectified = maps.clamp(min=0)
        parts = (rectified, rectified.square(), (rectified > 0).to(rectified.dtype))
        sums = torch.stack([part.sum(dim=(0, 2)) for part in parts]).double()
        values, places = maps.max(dim=2)
        return cls(sums, maps.shape[0] * maps.shape[2], values.T, places.T)


class _Tally:
    """The sums of one layer, and its best images, in the making."""

    def __init__(self, examples: int) -> None:
        self._examples = examples
        self._sums = torch.zeros(())
        self._positions = 0
        self._best: tuple[Tensor, Tensor, Tensor] | None = None  # images, places, values, (U, K)

    def add(self, counted: _Counted, images: Tensor) -> None:
        """Add what was counted of images with these numbers (N,)."""
        self._sums = counted.sums + self._sums.to(counted.sums)
        self._positions += counted.positions
        best = (images[None].expand(counted.values.shape[0], -1), counted.places, counted.values)
        if self._best is not None:
            best = tuple(torch.cat(both, dim=1) for both in zip(self._best, best, strict=True))
        # In the order of images where values are the same, so that the batches do not matter.
        order = best[2].argsort(dim=1, descending=True, stable=True)[:, : self._examples]
        self._best = best[0].gather(1, order), best[1].gather(1, order), best[2].gather(1, order)

    def survey(self) -> Survey:
        """What all of that tells."""
        assert self._best is not None
        total, square, fires = (self._sums / self._positions).cpu().numpy()
        scale = Scale(total, np.sqrt(np.maximum(square - total**2, 0)), fires, self._positions)
        images, places, values = (part.cpu() for part in self._best)
        return Survey(scale, Best(images.numpy(), places.numpy(), values.float().numpy()))


def survey(
    network: Network,
    source: Source,
    layers: Sequence[str],
    *,
    images: Sequence[int] | None = None,
    examples: int = EXAMPLES,
    workers: int = 1,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Survey]:
    """Survey layers over images of a source, by their numbers or all of them, in one pass.

    Images that cannot be read are left out; `advance` is told of every image. Raises `ImagesError` if none can be.
    """
    decoder = Decoder(source, ViewPlan(center=network.crop), Geometry.of(network))
    numbers = list(range(len(source)) if images is None else images)
    tallies = {layer: _Tally(examples) for layer in layers}
    together = _BATCH_ON_CPU if network.device.type == "cpu" else _BATCH
    reasons: list[str] = []
    seen = 0
    batches = _batches(decoded(decoder, numbers, workers=workers), together, reasons, advance)
    for these, counted in in_lanes(network, partial(_count, tuple(tallies)), batches):
        seen += len(these)
        for layer, one in counted.items():
            tallies[layer].add(one, these)
    if not seen:
        raise ImagesError(f"none of the {len(numbers)} images can be read; {reasons[-1]}")
    return {layer: tally.survey() for layer, tally in tallies.items()}


def _batches(
    images: Iterable[Decoded], together: int, reasons: list[str], advance: Callable[[int], None]
) -> Iterator[list[tuple[int, Tensor]]]:
    """Numbers and views of images, so many at a time; why one is left out goes to the reasons."""
    waiting: list[tuple[int, Tensor]] = []
    for one in images:
        advance(1)
        if one.views is None:
            reasons.append(one.reason)
            continue
        waiting.append((one.image, one.views[0]))
        if len(waiting) == together:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _count(
    layers: tuple[str, ...], network: Network, views: list[tuple[int, Tensor]]
) -> tuple[Tensor, dict[str, _Counted]]:
    pictures = torch.stack([view for _, view in views]).to(network.device, network.dtype) / 255
    images = torch.tensor([number for number, _ in views], device=network.device)
    counted: dict[str, _Counted] = {}

    def take(layer: str, side: Tap, maps: Tensor) -> None:
        if side == "post":
            counted[layer] = _Counted.of(maps)

    tap(network, pictures, layers, take)
    return images, counted
