"""How alike two pictures are: the cosine of a network's features, or any perceptual metric."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pellucid.causal.observers.seen import Picture
from pellucid.networks import Network, frozen, read


class Similarity(ABC):
    """Abstract: how alike a picture is to others, the more the larger."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in tables and file names."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """All that decides it, for the record."""

    @abstractmethod
    def __call__(self, picture: Picture, others: Sequence[Picture]) -> Tensor:
        """The similarity of a picture to each of the others: (M,) float64."""


@dataclass(frozen=True, eq=False)
class Features(Similarity):
    """The cosine of a network's features: of `layer`, averaged over its map, by default the last layer that has one.

    Pictures are resized to the network's input as they are. Features are kept by the pictures' contents, so that equal
    pictures have equal ones to the last bit. `batch` pictures pass through the network together. The network should
    not be the one whose units are asked for: it would know what it is asked.
    """

    network: Network
    layer: str | None = None
    batch: int = 16
    _known: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.layer is None:
            spatial = [layer.name for layer in self.network.layers() if layer.spatial]
            object.__setattr__(self, "layer", spatial[-1] if spatial else self.network.layers()[-1].name)
        else:
            self.network.layer(self.layer).check()

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name.replace("/", "_")

    def describe(self) -> dict[str, Any]:
        """The network's name and weights, and the layer."""
        return {"features": self.network.name, "weights_sha256": self.network.digest, "layer": self.layer}

    def __call__(self, picture: Picture, others: Sequence[Picture]) -> Tensor:
        """Cosines."""
        vectors = self.vectors([picture, *others])
        return vectors[1:] @ vectors[0]

    def vectors(self, pictures: Sequence[Picture]) -> Tensor:
        """Features of unit length: (N, F) float64, on the CPU."""
        new = list({one.digest: one for one in pictures if one.digest not in self._known}.values())
        for start in range(0, len(new), self.batch):
            part = new[start : start + self.batch]
            images = torch.stack([_as_input(one, self.network) for one in part])
            self._known.update(zip((one.digest for one in part), self.of(images), strict=True))
        return torch.stack([self._known[one.digest] for one in pictures])

    def of(self, images: Tensor) -> Tensor:
        """Features of unit length (N, F), float64 on the CPU, of images (N, C, H, W) in [0, 1] at its size."""
        assert self.layer is not None
        with torch.no_grad(), frozen(self.network.module):
            found = read(self.network, images.to(self.network.device, self.network.dtype), [self.layer])[self.layer]
        return F.normalize(pooled(found), dim=1)


def pooled(activations: Tensor) -> Tensor:
    """Activations (N, C, ...) averaged over everything but items and channels: (N, C) float64, on the CPU."""
    return activations.detach().cpu().double().flatten(2).mean(dim=2) if activations.ndim > 2 else _double(activations)


def _double(values: Tensor) -> Tensor:
    return values.detach().cpu().double()


def _as_input(picture: Picture, network: Network) -> Tensor:
    height, width = network.size
    image = Image.fromarray(picture.pixels)
    if network.channels == 1:
        image = image.convert("L")
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling[network.interpolation.upper()])
    pixels = torch.from_numpy(np.array(image, dtype=np.float32) / 255)
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


@dataclass(frozen=True, eq=False)
class Metric(Similarity):
    """Any perceptual metric as a similarity, such as DreamSim, LPIPS or DISTS.

    `function` takes a picture (1, 3, H, W) and others (M, 3, H, W), in [0, 1], and gives (M,) values: distances by
    default, similarities with `distance=False`. All pictures are given at the `size` (height, width) in pixels.
    """

    function: Callable[[Tensor, Tensor], Tensor]
    called: str
    size: tuple[int, int] = (224, 224)
    distance: bool = True

    @property
    def name(self) -> str:
        """What the metric is called."""
        return self.called

    def describe(self) -> dict[str, Any]:
        """Its name and the size of the pictures that it is given."""
        return {"metric": self.called, "size": list(self.size)}

    def __call__(self, picture: Picture, others: Sequence[Picture]) -> Tensor:
        """The metric's values, distances negated."""
        first, *rest = (self._tensor(one) for one in (picture, *others))
        values = _double(self.function(first[None], torch.stack(rest))).flatten()
        return -values if self.distance else values

    def _tensor(self, picture: Picture) -> Tensor:
        image = Image.fromarray(picture.pixels).resize((self.size[1], self.size[0]), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(image, dtype=np.float32) / 255).permute(2, 0, 1)
