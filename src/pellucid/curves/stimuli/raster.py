"""The pixels of a picture, by their places from the point that the stimuli are centred on."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Raster:
    """Pixels of a picture of `size` (height, width), seen from `centre` (y, x).

    The pixel of row i and column j is the square of side 1 around (y, x) = (i, j): whole numbers are the middles of
    pixels. Each pixel has `supersampling`² samples, evenly spaced and symmetric about its middle.
    """

    size: tuple[int, int]
    centre: tuple[float, float]
    supersampling: int = 4
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    dtype: torch.dtype = torch.float32

    @property
    def y(self) -> Tensor:
        """How far each row lies below the centre, (H,)."""
        return self._places(self.size[0], self.centre[0])

    @property
    def x(self) -> Tensor:
        """How far each column lies to the right of the centre, (W,)."""
        return self._places(self.size[1], self.centre[1])

    @property
    def offsets(self) -> tuple[Tensor, Tensor]:
        """The samples of a pixel from its middle: down and to the right, (S,) each."""
        count = self.supersampling
        steps = (torch.arange(count, device=self.device, dtype=self.dtype) - (count - 1) / 2) / count
        return steps.repeat_interleave(count), steps.repeat(count)

    @property
    def distance(self) -> Tensor:
        """How far the middles of the pixels lie from the centre, (H, W)."""
        return torch.hypot(self.y[:, None], self.x[None, :])

    def _places(self, length: int, middle: float) -> Tensor:
        return torch.arange(length, device=self.device, dtype=self.dtype) - middle


def direction(degrees: float) -> tuple[float, float]:
    """The unit vector (x, y) of an angle in degrees, clockwise from 3 o'clock with y down.

    Angles that differ by a multiple of 90 degrees give vectors that are exact quarter turns of each other, so that
    their pictures are as well.
    """
    quarters, rest = divmod(degrees % 360.0, 90.0)
    x, y = math.cos(math.radians(rest)), math.sin(math.radians(rest))
    for _ in range(int(quarters) % 4):
        x, y = -y, x
    return x, y
