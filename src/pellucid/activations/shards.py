"""The harvest of a single shard: what some images do to the units of the chosen layers."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pellucid.activations.batches import Decoded
from pellucid.activations.device_tally import DeviceTally
from pellucid.activations.items import item_of
from pellucid.activations.parts import Key, Part
from pellucid.activations.summary import Bins, Covariance, Draw, Summary
from pellucid.activations.tally import Tally
from pellucid.networks import Network
from pellucid.networks.taps import Tap, tap

_TYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
PRECISIONS = tuple(_TYPES)
_AT_ONCE = 1024  # positions whose products are taken together


@dataclass(frozen=True, eq=False)
class ShardWork:
    """What is the same for every shard: the network, its layers' bins by layer and tap, and how much is kept."""

    network: Network
    bins: Mapping[Key, Bins]
    batch: int
    examples: int
    samples: int
    seed: int
    covariance: int
    precision: str = "float32"

    def __call__(self, images: Iterable[Decoded]) -> Part:
        """Summarize the images of a shard; those that could not be read are listed."""
        tallies = {key: self._tally(bins) for key, bins in self.bins.items()}
        seconds = {
            key: _Products(bins.units) for key, bins in self.bins.items() if self.covariance and key[1] == "post"
        }
        skipped = []
        pending: list[tuple[int, int, Tensor]] = []
        for image in images:
            if image.views is None:
                skipped.append({"image": image.name, "reason": image.reason})
                continue
            pending += [(item_of(image.image, view), image.label, pixels) for view, pixels in enumerate(image.views)]
            while len(pending) >= self.batch:
                self._count(pending[: self.batch], tallies, seconds)
                del pending[: self.batch]
        if pending:
            self._count(pending, tallies, seconds)

        def finished(key: Key) -> Summary:
            return tallies[key].finish(seconds[key].covariance() if key in seconds else None)

        with ThreadPoolExecutor(torch.get_num_threads()) as threads:
            return Part(dict(zip(tallies, threads.map(finished, tallies), strict=True)), tuple(skipped))

    def _tally(self, bins: Bins) -> Tally | DeviceTally:
        kept = {"examples": self.examples, "samples": self.samples, "seed": self.seed}
        device = self.network.device
        if device.type == "cuda":
            return DeviceTally(bins, **kept, device=device)
        return Tally(bins, **kept, threads=torch.get_num_threads())  # of devices without double precision too

    def _count(
        self,
        views: list[tuple[int, int, Tensor]],
        tallies: Mapping[Key, Tally | DeviceTally],
        seconds: Mapping[Key, "_Products"],
    ) -> None:
        network = self.network
        pixels = torch.stack([view for *_, view in views]).to(network.device, network.dtype) / 255
        items = np.array([item for item, *_ in views])
        labels = np.array([label for _, label, _ in views])
        draw = Draw(self.seed, items)

        def count(layer: str, side: Tap, values: Tensor) -> None:
            tally = tallies[layer, side]
            if isinstance(tally, DeviceTally):
                tally.add(values, items, labels, draw)
            else:
                tally.add(values.cpu().numpy(), items, labels, draw)
            if (layer, side) in seconds:
                seconds[layer, side].add(self._drawn(values, draw))

        tap(network, pixels, {layer for layer, _ in tallies}, count, precision=_TYPES[self.precision])

    def _drawn(self, values: Tensor, draw: Draw) -> Tensor:
        """Of activations (N, C, P) those at the positions of each item with the least priorities."""
        places = values.shape[2]
        if places <= self.covariance:
            return values
        chosen = np.sort(draw.of(places)[1][:, : self.covariance], axis=1).astype(np.int64)
        index = torch.from_numpy(chosen).to(values.device)[:, None].expand(-1, values.shape[1], -1)
        return values.gather(2, index)


class _Products:
    """The covariance of a layer's output in the making."""

    def __init__(self, units: int) -> None:
        self._count = 0
        self._sums = torch.zeros(units, dtype=torch.float64)
        self._products = torch.zeros(units, units, dtype=torch.float64)
        self._waiting: list[Tensor] = []

    def add(self, values: Tensor) -> None:
        """Add activations (N, C, P)."""
        self._waiting.append(values.transpose(0, 1).flatten(1).clone())
        if sum(part.shape[1] for part in self._waiting) >= _AT_ONCE:
            self._multiply()

    def covariance(self) -> Covariance:
        """What was added."""
        if self._waiting:
            self._multiply()
        return Covariance(self._count, self._sums.numpy(), self._products.numpy())

    def _multiply(self) -> None:
        flat = torch.cat(self._waiting, dim=1)
        self._waiting = []
        total = flat.sum(1)
        if not bool(total.isfinite().all()):
            flat = torch.where(flat.isfinite(), flat, 0)
            total = flat.sum(1)
        self._count += flat.shape[1]
        self._sums += total.cpu()
        self._products += (flat @ flat.T).cpu()
