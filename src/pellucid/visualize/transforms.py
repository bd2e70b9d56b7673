"""Transformation robustness: small random movements of the picture before the network sees it.

All movements of one step are one affine map for each picture, so that the picture is sampled once, bilinearly, however
many there are. Every picture draws its movements from its own generator. Distances are in pixels and angles in degrees.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from pellucid.shapes import Affine, Images, Views

Matrix = list[list[float]]  # 2x3: takes (x, y, 1) of the output to (x, y) of the input, in pixels from the centre

_STILL: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


class Transform(ABC):
    """One random movement."""

    @abstractmethod
    def draw(self, generator: torch.Generator) -> Matrix:
        """The movement as a matrix, everything random drawn from the generator."""


class Pad(Transform):
    """Widen the view by `pixels` on every side, where the network sees a border of one `value`.

    What movements bring into view from outside the picture has the same value.
    """

    def __init__(self, pixels: int = 12, value: float = 0.5) -> None:
        self.pixels = pixels
        self.value = value

    def draw(self, generator: torch.Generator) -> Matrix:
        """Padding moves nothing."""
        return _STILL

    def __repr__(self) -> str:
        return f"Pad({self.pixels}, value={self.value:g})"


class Jitter(Transform):
    """Shift by whole pixels, uniformly up to half of `pixels` to every side (Lucid's `jitter(pixels)`)."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels

    def draw(self, generator: torch.Generator) -> Matrix:
        """A shift."""
        half = self.pixels // 2
        x, y = ((2 * half + 1) * torch.rand(2, generator=generator, dtype=torch.float64)).tolist()
        return [[1.0, 0.0, math.floor(x) - half], [0.0, 1.0, math.floor(y) - half]]

    def __repr__(self) -> str:
        return f"Jitter({self.pixels})"


class Scale(Transform):
    """Enlarge about the centre by a factor drawn from `factors`."""

    def __init__(self, factors: Sequence[float]) -> None:
        self.factors = tuple(factors)

    def draw(self, generator: torch.Generator) -> Matrix:
        """A scaling: a factor above 1 shows less of the picture."""
        factor = self.factors[_index(len(self.factors), generator)]
        return [[1.0 / factor, 0.0, 0.0], [0.0, 1.0 / factor, 0.0]]

    def __repr__(self) -> str:
        return f"Scale({list(self.factors)})"


class Rotate(Transform):
    """Turn about the centre by an angle drawn from `degrees`."""

    def __init__(self, degrees: Sequence[float]) -> None:
        self.degrees = tuple(degrees)

    def draw(self, generator: torch.Generator) -> Matrix:
        """A rotation."""
        angle = math.radians(self.degrees[_index(len(self.degrees), generator)])
        return [[math.cos(angle), -math.sin(angle), 0.0], [math.sin(angle), math.cos(angle), 0.0]]

    def __repr__(self) -> str:
        return f"Rotate({list(self.degrees)})"


def _index(count: int, generator: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=generator))


def standard(size: tuple[int, int]) -> tuple[Transform, ...]:
    """Lucid's shifts, scales and angles, with shifts in proportion for pictures below 128 px.

    Lucid's border of 12 pixels is left out, since a wider view costs time in proportion; `Pad(12)` in front brings it.
    """
    share = min(1.0, min(size) / 128)
    return (
        Jitter(max(2, round(8 * share))),
        Scale([1 + (step - 5) / 50 for step in range(11)]),
        Rotate([*range(-10, 11), 0, 0, 0, 0, 0]),
        Jitter(max(2, round(4 * share))),
    )


def draw(transforms: Sequence[Transform], generators: Sequence[torch.Generator]) -> Affine:
    """The maps of one step for N pictures: (N, 3, 3), the first transform applied first."""
    maps = []
    for generator in generators:
        total = _STILL
        for transform in transforms:
            total = _then(total, transform.draw(generator))
        maps.append([*total, [0.0, 0.0, 1.0]])
    return torch.tensor(maps, dtype=torch.float64).reshape(-1, 3, 3)


def _then(first: Matrix, second: Matrix) -> Matrix:
    """The product of two 2x3 matrices with (0, 0, 1) below; in plain numbers, which for so few is much the fastest."""
    (a, b, c), (d, e, f) = first
    (p, q, r), (s, t, u) = second
    return [[a * p + b * s, a * q + b * t, a * r + b * u + c], [d * p + e * s, d * q + e * t, d * r + e * u + f]]


def view(images: Images, maps: Affine, transforms: Sequence[Transform]) -> Views:
    """Pictures (N, C, H, W) as the network sees them: moved by their maps, wider by what is padded.

    Outside of the picture lies the value of the last `Pad`, grey without one. Differentiable in the pictures.
    """
    pads = [transform for transform in transforms if isinstance(transform, Pad)]
    border = pads[-1].value if pads else 0.5
    wider = 2 * sum(pad.pixels for pad in pads)
    count, channels, height, width = images.shape
    seen = (height + wider, width + wider)
    # affine_grid runs from -1 to 1 over the height and the width of what is seen, grid_sample over the picture's.
    outer = torch.tensor([seen[1] / 2, seen[0] / 2, 1.0], dtype=maps.dtype)
    inner = torch.tensor([width / 2, height / 2, 1.0], dtype=maps.dtype)
    theta = (maps * outer[None, None, :] / inner[None, :, None])[:, :2]
    grid = F.affine_grid(theta.to(images), [count, channels, *seen], align_corners=False)
    return F.grid_sample(images - border, grid, mode="bilinear", padding_mode="zeros", align_corners=False) + border
