"""What lies on a side of a stimulus: 1/f noise, or a piece of a photograph."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.curves.stimuli.raster import Raster
from pellucid.errors import PellucidError


class Texture(ABC):
    """Something drawn for each seed and laid on a colour; abstract.

    What is drawn depends on the seed, the texture's own fields and the picture's size, and on nothing else: not on the
    stimulus, nor on what is drawn beside it, nor on the device. One texture on both sides therefore runs through under
    the line; one of another `stream` is another draw.
    """

    @abstractmethod
    def over(self, colour: Tensor, seeds: Sequence[int], raster: Raster, channels: int) -> Tensor:
        """The colour (1, 1 or C, 1, 1) with the texture on it, for each seed: (N, 1 or C, H, W)."""

    @abstractmethod
    def describe(self) -> dict[str, float | int | str]:
        """What it is, for a table."""


@dataclass(frozen=True)
class Noise(Texture):
    """Gaussian noise whose amplitude falls as 1/f^`exponent`, added to the side's colour.

    `deviation` is its standard deviation over each whole picture, in picture values; its mean is 0. The exponent 1 is
    that of photographs (Field 1987), 0 is white noise. The noise continues periodically beyond the picture. `coloured`
    draws each channel by itself. Values beyond 0 and 1 are cut off: lay noise on a grey, not on white.
    """

    deviation: float = 0.15
    exponent: float = 1.0
    coloured: bool = False
    stream: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.deviation < math.inf and math.isfinite(self.exponent)):
            raise PellucidError(
                f"noise has a deviation of 0 or above and an exponent, not {self.deviation} and {self.exponent}"
            )

    def over(self, colour: Tensor, seeds: Sequence[int], raster: Raster, channels: int) -> Tensor:
        """The colour and the noise."""
        return colour + self.deviation * self.field(seeds, raster, channels if self.coloured else 1)

    def field(self, seeds: Sequence[int], raster: Raster, channels: int) -> Tensor:
        """The noise alone, of mean 0 and standard deviation 1 in each channel: (N, channels, H, W)."""
        height, width = raster.size
        white = torch.stack([torch.randn((channels, height, width), generator=self._source(seed)) for seed in seeds])
        down = torch.fft.fftfreq(height, device=raster.device, dtype=raster.dtype)[:, None]
        right = torch.fft.rfftfreq(width, device=raster.device, dtype=raster.dtype)
        frequency = torch.hypot(down, right)
        frequency[0, 0] = 1
        scale = frequency**-self.exponent
        scale[0, 0] = 0
        spectrum = torch.fft.rfft2(white.to(raster.device, raster.dtype)) * scale
        noise = torch.fft.irfft2(spectrum, s=(height, width))
        return noise / noise.std(dim=(-2, -1), correction=0, keepdim=True).clamp(min=torch.finfo(noise.dtype).tiny)

    def describe(self) -> dict[str, float | int | str]:
        """Its fields."""
        return {"texture": "noise", **vars(self)}

    def _source(self, seed: int) -> torch.Generator:
        return _generator(seed, self.stream)


@dataclass(frozen=True, eq=False)
class Photograph(Texture):
    """A piece of a photograph in place of the side's colour, or mixed with it.

    `images` (M, C, H, W) in [0, 1], at least as large as the pictures that are drawn; the seed chooses one and where to
    cut. `share` is how much of it shows: 1 hides the colour.
    """

    images: Tensor
    share: float = 1.0
    stream: int = 0

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or not len(self.images):
            raise PellucidError(f"photographs for a texture are (M, C, H, W), not {tuple(self.images.shape)}")
        if not 0 <= self.share <= 1:
            raise PellucidError(f"the share of a photograph, {self.share:g}, is not from 0 to 1")

    @classmethod
    def read(
        cls, paths: Sequence[Path], size: tuple[int, int], *, channels: int = 3, share: float = 1.0, stream: int = 0
    ) -> "Photograph":
        """Photographs from files, each scaled so that it covers `size` (height, width) and cut to it in its middle.

        Raises `ImagesError` for files that cannot be read.
        """
        from PIL import ImageOps

        from pellucid.activations.decode import open_image

        pieces = []
        for path in paths:
            fitted = ImageOps.fit(open_image(path, channels), (size[1], size[0]), Image.Resampling.BICUBIC)
            pixels = torch.from_numpy(np.asarray(fitted, dtype=np.float32) / 255)
            pieces.append(pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1))
        if not pieces:
            raise PellucidError("a texture of photographs needs at least one")
        return cls(torch.stack(pieces), share, stream)

    def over(self, colour: Tensor, seeds: Sequence[int], raster: Raster, channels: int) -> Tensor:
        """The colour mixed with the piece that each seed chooses."""
        height, width = raster.size
        count, depth, tall, wide = self.images.shape
        if depth not in (1, channels) or tall < height or wide < width:
            raise PellucidError(
                f"photographs of {depth} channels and {tall}x{wide} pixels do not cover pictures of {channels} "
                f"channels and {height}x{width}; give larger ones (Photograph.read scales files)"
            )
        pieces = []
        for seed in seeds:
            source = _generator(seed, self.stream)
            one, top, left = (
                int(torch.randint(most, (), generator=source)) for most in (count, tall - height + 1, wide - width + 1)
            )
            pieces.append(self.images[one, :, top : top + height, left : left + width])
        return colour + self.share * (torch.stack(pieces).to(raster.device, raster.dtype) - colour)

    def describe(self) -> dict[str, float | int | str]:
        """Its fields, the photographs by their number."""
        return {"texture": "photograph", "images": len(self.images), "share": self.share, "stream": self.stream}


def _generator(seed: int, stream: int) -> torch.Generator:
    # On the CPU whatever the device, so that all devices see the same texture.
    hashed = hashlib.sha256(f"texture {seed} {stream}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(hashed[:8], "big") >> 1)
