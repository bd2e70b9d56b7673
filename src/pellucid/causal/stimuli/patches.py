"""Square patches of a picture: where they lie, and what they are filled with."""

import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.errors import ImagesError, ObjectiveError
from pellucid.shapes import AnyTensor

Fill = Literal["mean", "blur", "grey"]
"""What stands in place of a patch: its own mean colour, what a strong blur of the image leaves of it, or mid-grey."""
FILLS = ("mean", "blur", "grey")
_PUBLISHED = 224  # side of the pictures for which the blur of the references was published: 21x21 pixels, sigma 3.5


class Patch(NamedTuple):
    """A patch in pixels of the picture."""

    top: int
    left: int
    height: int
    width: int

    @property
    def rows(self) -> slice:
        """Its rows."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """Its columns."""
        return slice(self.left, self.left + self.width)


def pixels_of(side: float, size: tuple[int, int]) -> int:
    """The side of a square patch in pixels: `side` as a share of the picture's shorter side (up to 1), or in pixels.

    Shares are rounded: 0.4 of 224 is 90. Raises `ObjectiveError` if the patch does not fit.
    """
    given = round(side * min(size)) if isinstance(side, float) and side <= 1 else side
    if not (1 <= given <= min(size) and given == int(given)):
        raise ObjectiveError(
            f"a patch with a side of {side} does not fit a picture of {size[0]}x{size[1]} pixels: give a share above 0 "
            f"and up to 1, or whole pixels up to {min(size)}"
        )
    return int(given)


def starts(length: int, side: int, stride: int) -> range:
    """Where patches of a side begin that lie wholly inside: (length - side) // stride + 1 places."""
    if stride < 1:
        raise ObjectiveError(f"a stride of {stride} goes nowhere; give 1 pixel or more")
    return range(0, length - side + 1, stride)


def filled(image: AnyTensor, patch: Patch, fill: Fill, background: AnyTensor | None = None) -> AnyTensor:
    """A copy of an image (C, H, W) with a patch covered.

    "mean" takes the mean of the pixels under the patch, channel by channel, in [0, 1]; "grey" 0.5; "blur" the same
    place of `background`, by default `blurred_away(image, side)`.
    """
    covered = image.clone()
    fill_patch(covered, patch, fill, background)
    return covered


def fill_patch(image: AnyTensor, patch: Patch, fill: Fill, background: AnyTensor | None = None) -> None:
    """The same in the image itself."""
    under = (slice(None), patch.rows, patch.columns)
    match fill:
        case "mean":
            image[under] = image[under].mean(dim=(1, 2), keepdim=True)
        case "grey":
            image[under] = 0.5
        case "blur":
            image[under] = (blurred_away(image, patch.height) if background is None else background)[under]
        case _:
            raise ObjectiveError(f"a patch is filled with {', '.join(FILLS)}, not {fill!r}")


def blurred_away(image: AnyTensor, side: int) -> AnyTensor:
    """An image (C, H, W) so blurred that a patch of a side keeps only its colours: sigma is a quarter of the side."""
    return gaussian_blur(image, side / 4, radius=math.ceil(3 * side / 4))


def reference_blur(image: AnyTensor) -> AnyTensor:
    """An image (C, H, W) with the blur of the references in Zimmermann et al. 2021: 21x21 pixels, sigma 3.5, at 224 px.

    Pictures of another size are blurred in proportion to their shorter side.
    """
    share = min(image.shape[1:]) / _PUBLISHED
    return gaussian_blur(image, 3.5 * share, radius=max(1, round(10 * share)))


def gaussian_blur(image: AnyTensor, sigma: float, *, radius: int) -> AnyTensor:
    """Blur an image (C, H, W) with a Gaussian cut off at `radius` pixels; the picture is mirrored at its borders.

    A radius that reaches beyond the mirrored picture is cut to it.
    """
    if image.ndim != 3:
        raise ImagesError(f"an image is (C, H, W), not {tuple(image.shape)}")
    blurred = image[:, None]
    for axis in (2, 3):
        reach = min(radius, blurred.shape[axis] - 1)
        offsets = torch.arange(-reach, reach + 1, dtype=torch.float64, device=image.device)
        weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
        kernel = (weights / weights.sum()).to(image)
        padding = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
        shape = (1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)
        blurred = F.conv2d(F.pad(blurred, padding, mode="reflect"), kernel.view(shape))
    return blurred[:, 0]


def overlap(one: Tensor, other: Tensor, side: int) -> Tensor:
    """The share of their area that square patches have in common, (n, 2) and (m, 2) top left corners: (n, m)."""
    apart = (one[:, None] - other[None]).abs()
    common = (side - apart).clamp_min(0)
    return common.prod(dim=2) / side**2
