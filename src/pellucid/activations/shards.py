"""The harvest of a single shard: what some images do to the units of the chosen layers."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pellucid.activations.batches import Decoded
from pellucid.activations.device_tally import DeviceTally
from pellucid.activations.items import image_of, item_of
from pellucid.activations.parts import Key, Part
from pellucid.activations.summary import Bins, Covariance, Draw, Summary, joined
from pellucid.activations.tally import Tally
from pellucid.networks import Network
from pellucid.networks.lanes import copies
from pellucid.networks.one_thread import one_thread
from pellucid.networks.taps import Tap, tapping

_TYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
PRECISIONS = tuple(_TYPES)
_AT_ONCE = 1024  # positions whose products are taken together
_BLOCK = 192  # units; products of later blocks are those of earlier ones the other way round


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
        """Summarize the images of a shard; those that could not be read are listed.

        On a processor several batches are at work at once, each in a thread of its own with a copy of the network.
        """
        skipped: list[dict[str, str]] = []
        with one_thread(self.network.device) as count, ExitStack() as ending:
            lanes = [_Lane(self, network, ending) for network in copies(self.network, count)]
            threads = [ThreadPoolExecutor(1) for _ in lanes]
            for thread in threads:
                ending.callback(thread.shutdown, cancel_futures=True)
            waiting: deque[Future[None]] = deque()
            for number, views in enumerate(self._batches(images, skipped)):
                if len(waiting) >= 2 * len(lanes):
                    waiting.popleft().result()
                lane = number % len(lanes)
                waiting.append(threads[lane].submit(lanes[lane].count, views))
            for future in waiting:
                future.result()
            ends = [thread.submit(lane.finish) for thread, lane in zip(threads, lanes, strict=True)]
            parts = [future.result() for future in ends]
        summaries = {key: joined([part[key] for part in parts]) for key in self.bins}
        # Views of one image may have gone different ways.
        seen = len(set().union(*(lane.images for lane in lanes)))
        return Part({key: replace(summary, images=seen) for key, summary in summaries.items()}, tuple(skipped))

    def _batches(self, images: Iterable[Decoded], skipped: list[dict[str, str]]) -> Iterator[list["_View"]]:
        pending: list[_View] = []
        for image in images:
            if image.views is None:
                skipped.append({"image": image.name, "reason": image.reason})
                continue
            pending += [(item_of(image.image, view), image.label, pixels) for view, pixels in enumerate(image.views)]
            while len(pending) >= self.batch:
                yield pending[: self.batch]
                del pending[: self.batch]
        if pending:
            yield pending


_View = tuple[int, int, Tensor]


class _Lane:
    """What one thread counts of a shard."""

    def __init__(self, work: ShardWork, network: Network, ending: ExitStack) -> None:
        self.images: set[int] = set()
        self._work = work
        self._device, self._dtype = network.device, network.dtype
        layers = {layer for layer, _ in work.bins}
        self._run = ending.enter_context(tapping(network, layers, precision=_TYPES[work.precision]))
        self._tallies = {key: self._tally(bins) for key, bins in work.bins.items()}
        self._seconds = {
            key: _Products(bins.units) for key, bins in work.bins.items() if work.covariance and key[1] == "post"
        }

    def _tally(self, bins: Bins) -> Tally | DeviceTally:
        kept = {"examples": self._work.examples, "samples": self._work.samples, "seed": self._work.seed}
        # Devices without double precision leave the counting to the processor.
        return DeviceTally(bins, **kept, device=self._device) if self._device.type == "cuda" else Tally(bins, **kept)

    def count(self, views: list[_View]) -> None:
        """Count the activations of some views."""
        pixels = torch.stack([view for *_, view in views]).to(self._device, self._dtype).div_(255)
        items = np.array([item for item, *_ in views])
        labels = np.array([label for _, label, _ in views])
        draw = Draw(self._work.seed, items)
        self.images |= set(image_of(items).tolist())

        def take(layer: str, side: Tap, values: Tensor) -> None:
            tally = self._tallies[layer, side]
            if isinstance(tally, DeviceTally):
                tally.add(values, items, labels, draw)
            else:
                tally.add(values.cpu().numpy(), items, labels, draw)
            if (layer, side) in self._seconds:
                self._seconds[layer, side].add(self._drawn(values, draw))

        self._run(pixels, take)

    def finish(self) -> dict[Key, Summary]:
        """The summaries of all that was counted."""
        return {
            key: tally.finish(self._seconds[key].covariance() if key in self._seconds else None)
            for key, tally in self._tallies.items()
        }

    def _drawn(self, values: Tensor, draw: Draw) -> Tensor:
        """Of activations (N, C, P) those at the positions of each item with the least priorities."""
        places, wanted = values.shape[2], self._work.covariance
        if places <= wanted:
            return values
        chosen = np.sort(draw.of(places)[1][:, :wanted], axis=1).astype(np.int64)
        index = torch.from_numpy(chosen).to(values.device)[:, None].expand(-1, values.shape[1], -1)
        return values.gather(2, index)


class _Products:
    """The covariance of a layer's output in the making: the products of each unit with those up to its block's end."""

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
        lower = np.tril(self._products.numpy())
        return Covariance(self._count, self._sums.numpy(), lower + np.tril(lower, -1).T)

    def _multiply(self) -> None:
        flat = torch.cat(self._waiting, dim=1)
        self._waiting = []
        total = flat.sum(1)
        if not bool(total.isfinite().all()):
            flat = torch.where(flat.isfinite(), flat, 0)
            total = flat.sum(1)
        self._count += flat.shape[1]
        self._sums += total.cpu()
        for begin in range(0, len(flat), _BLOCK):
            end = begin + _BLOCK
            self._products[begin:end, :end] += (flat[begin:end] @ flat[:end].T).cpu()
