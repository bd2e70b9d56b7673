"""How strongly units respond to images: one number for each image, whatever the form of the layer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from pellucid.errors import LayerError, ObjectiveError
from pellucid.networks import Layer, Network, capture, frozen
from pellucid.networks.lanes import in_lanes
from pellucid.shapes import Images, Values

Summary = Literal["mean", "max"]
"""What stands for a map: the spatial mean, as in Zimmermann et al. 2021, or the largest activation in it."""


@dataclass(frozen=True, eq=False)
class Activity:
    """What some layers give for images: for each layer (N, C), the `summary` over its positions.

    Tokens count as positions, and a layer of vectors is taken as it is. On a processor batches are passed one thread
    each, as many at once as torch has threads: the numbers do not depend on how many those are.
    """

    network: Network
    layers: tuple[str, ...]
    summary: Summary = "mean"

    def __post_init__(self) -> None:
        if self.summary not in ("mean", "max"):
            raise ObjectiveError(f"an activation is the 'mean' or the 'max' of a map, not {self.summary!r}")

    def each(self, batches: Iterable[Tensor]) -> Iterator[dict[str, Tensor]]:
        """The values for each batch of images (N, channels, H, W), in their order, on the CPU."""
        layers = {name: self.network.layer(name) for name in self.layers}
        for layer in layers.values():
            if layer.layout == "other":
                raise LayerError(
                    f"layer {layer.name!r} gives {layer.shape} for an image: neither a map, tokens nor a vector"
                )
            layer.check()

        def work(network: Network, images: Tensor) -> dict[str, Tensor]:
            network.check(images)
            return _passed(network, images, layers, self.summary)

        return in_lanes(self.network, work, batches)


@dataclass(frozen=True, eq=False)
class UnitActivity:
    """The activation of one unit for images: call it with (N, channels, H, W) for (N,)."""

    network: Network
    layer: str
    unit: int
    summary: Summary = "mean"

    def __post_init__(self) -> None:
        count = self.network.layer(self.layer).channels
        if not 0 <= self.unit < count:
            raise ObjectiveError(f"{self.layer} of {self.network.name} has units 0 to {count - 1}, not {self.unit}")

    def __call__(self, images: Images) -> Values:
        """The unit's activations."""
        return next(iter(self.each([images])))

    def each(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """The unit's activations (N,) for each batch, several batches at once where there are several threads."""
        for found in Activity(self.network, (self.layer,), self.summary).each(batches):
            yield found[self.layer][:, self.unit]


def _passed(network: Network, images: Tensor, layers: Mapping[str, Layer], summary: Summary) -> dict[str, Tensor]:
    # Colours beside one another in memory: a pass through narrow convolutions takes half as long on a processor.
    shown = images.to(network.device, network.dtype).contiguous(memory_format=torch.channels_last)

    def keep(name: str, output: Tensor) -> Tensor:
        maps = layers[name].maps(output)
        flat = maps.reshape(*maps.shape[:2], -1)
        return flat.mean(dim=2) if summary == "mean" else flat.amax(dim=2)

    with torch.no_grad(), frozen(network.module):
        found = capture(
            network.module,
            lambda: network.module(network.preprocess(shown)),
            {name: layer.calls for name, layer in layers.items()},
            keep=keep,
        )
    return {name: values.cpu() for name, values in found.items()}
