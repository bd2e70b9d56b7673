"""Attribution by position drawn over the picture: red where it excites the unit, blue where it inhibits it."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pellucid.activations.views import Box
from pellucid.curves.attributions.linear import LinearAttribution
from pellucid.networks import Network, ReceptiveField
from pellucid.pictures import Pixels

_EXCITES, _INHIBITS = np.array([214, 40, 40.0]), np.array([38, 84, 220.0])
_FADED = 0.55  # how far the picture goes over to white under the colours


@dataclass(frozen=True)
class Fields:
    """Which pixels the units of two layers look at, in pictures of `size` (height, width): measured.

    `unit` is the receptive field of the unit's layer, `previous` that of the layer it is attributed to, whose map has
    `grid` rows and columns.
    """

    size: tuple[int, int]
    grid: tuple[int, int]
    unit: ReceptiveField
    previous: ReceptiveField

    @classmethod
    def of(cls, network: Network, layer: str, previous: str, size: tuple[int, int]) -> "Fields":
        """Measure the two layers."""
        shown = network if size == network.size else replace(network, size=size)
        fields = shown.receptive_fields([layer, previous])
        grid = shown.spatial_layer(previous).size
        assert grid is not None
        return cls(size, grid, fields[layer], fields[previous])

    def box(self, position: tuple[int, int]) -> Box:
        """The pixels that the unit at a position sees, without the padding: all, along an axis where it sees all."""
        left, top, right, bottom = self.unit.box(*position)
        (top, bottom), (left, right) = (
            (0, length) if whole else (max(0, min(low, length - 1)), min(length, max(high, 1)))
            for low, high, length, whole in (
                (top, bottom, self.size[0], self.unit.whole[0]),
                (left, right, self.size[1], self.unit.whole[1]),
            )
        )
        return Box(left, top, right, bottom)

    def centres(self, axis: int) -> tuple[float, float]:
        """The pixel in the middle of the first of the previous layer's rows (columns for axis 1), and their stride."""
        if self.previous.whole[axis]:
            stride = self.size[axis] / self.grid[axis]
            return stride / 2 - 0.5, stride
        return self.previous.center(0, 0)[axis], self.previous.stride[axis]


def heat(found: LinearAttribution, fields: Fields) -> Tensor:
    """Attribution by position at each pixel of the pictures, with its sign: (N, H, W).

    Each position of the map stands at the middle of its receptive field; between them it is linear.
    """
    maps = found.by_position()
    tents = []
    for axis in (0, 1):
        first, stride = fields.centres(axis)
        middles = first + stride * torch.arange(maps.shape[1 + axis], device=maps.device, dtype=maps.dtype)
        pixels = torch.arange(fields.size[axis], device=maps.device, dtype=maps.dtype)
        tents.append((1 - (pixels[:, None] - middles).abs() / stride).clamp_min(0))
    return torch.einsum("yh,nhw,xw->nyx", tents[0], maps, tents[1])


def drawn_over(picture: Pixels, values: NDArray[np.floating], *, least: float = 0.0) -> Pixels:
    """A picture (H, W, 3), faded, under attribution (H, W): red above zero, blue below, opaque at the largest.

    Where even the largest is below `least`, colours stay as faint as they are to that.
    """
    largest = max(float(np.abs(values).max()), least) or 1.0
    share = np.abs(values / largest)[..., None] ** 0.7  # weak ones would hardly show
    colours = np.where(values[..., None] > 0, _EXCITES, _INHIBITS)
    grey = np.asarray(Image.fromarray(picture).convert("L"), dtype=np.float64)[..., None]
    faded = grey + _FADED * (255 - grey)
    return np.round((1 - share) * faded + share * colours).astype(np.uint8)


def cut_out(values: NDArray[np.floating], box: Box, side: int) -> NDArray[np.floating]:
    """A square of `side` pixels cut out of a map of numbers (H, W), as pictures are cut; zero beside a longer box."""
    part = Image.fromarray(values[box.top : box.bottom, box.left : box.right].astype(np.float32))
    longest = max(part.width, part.height)
    width, height = (max(1, round(side * length / longest)) for length in (part.width, part.height))
    square = np.zeros((side, side), np.float32)
    left, top = (side - width) // 2, (side - height) // 2
    square[top : top + height, left : left + width] = np.asarray(
        part.resize((width, height), Image.Resampling.BILINEAR)
    )
    return square
