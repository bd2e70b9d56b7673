"""Decoded views of the images of a source, in the order of their numbers, read by processes of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pellucid.activations.sources import Source
from pellucid.activations.views import Box, ViewPlan
from pellucid.errors import ImagesError
from pellucid.networks import Network


@dataclass(frozen=True)
class Geometry:
    """How a network wants its images: channels, height and width, and how they are resized."""

    channels: int
    size: tuple[int, int]
    interpolation: str

    @classmethod
    def of(cls, network: Network) -> "Geometry":
        """That of a network."""
        return cls(network.channels, network.size, network.interpolation)

    def view(self, image: Image.Image, box: Box) -> np.ndarray:
        """One view as the network takes it, but in 8 bits: (channels, H, W) uint8."""
        height, width = self.size
        resample = Image.Resampling[self.interpolation.upper()]
        pixels = np.array(image.resize((width, height), resample, box=box))
        return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


@dataclass(frozen=True)
class Decoded:
    """The views (V, channels, H, W) uint8 of an image, or the reason why there are none."""

    image: int
    name: str
    label: int
    views: Tensor | None
    reason: str = ""


@dataclass(frozen=True)
class Decoder(Dataset[Decoded]):
    """Opens images of a source and cuts their views; picklable, so that processes and machines may each have one."""

    source: Source
    plan: ViewPlan
    geometry: Geometry

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Decoded:
        """The views of an image by its number. What is wrong with the image is part of the answer."""
        name = self.source.name(index)
        try:
            image = self.source.open(index, self.geometry.channels)
            boxes = self.plan.boxes(image.size, name)
        except ImagesError as error:
            return Decoded(index, name, -1, None, str(error))
        views = np.stack([self.geometry.view(image, box) for box in boxes])
        return Decoded(index, name, self.source.label(index), torch.from_numpy(views))


def decoded(decoder: Decoder, images: Sequence[int], *, workers: int = 0) -> Iterator[Decoded]:
    """The images of these numbers in their order; `workers` processes read ahead, none reads in this one."""
    loader = DataLoader(
        decoder,
        batch_size=None,
        sampler=images,  # type: ignore[arg-type] - any sequence of numbers
        num_workers=workers,
        prefetch_factor=16 if workers else None,
        generator=torch.Generator(),  # else the loader would draw from the global one
    )
    try:
        yield from loader
    except RuntimeError as error:
        if "worker" not in str(error):
            raise
        raise ImagesError(
            f"a process that reads images ended without a word ({str(error).splitlines()[0]}); it may have run out of "
            "memory: give fewer workers. What is finished is kept, the same command goes on from there"
        ) from error
