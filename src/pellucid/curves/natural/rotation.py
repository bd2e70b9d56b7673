"""Turning a photograph about one of its points."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.errors import ImagesError, PellucidError
from pellucid.shapes import Images

Beyond = Literal["reflection", "grey"]
"""What lies beyond the photograph: its mirror image, or nothing but grey."""
_FINEST = 4  # samples of a pixel along an axis; what is to shrink further is shrunk once before it is turned
_SPARSE = 0.25  # further apart than pixels of the photograph samples may lie: they are interpolated between several
_TOGETHER = 1 << 19  # samples at a time
_SOFT = 0.1  # of the round window's radius: over it the picture goes over to grey


def rotated(
    image: Image.Image | np.ndarray | Tensor,
    centre: tuple[float, float],
    scale: float | tuple[float, float],
    angles: Sequence[float],
    size: int | tuple[int, int],
    out_centre: tuple[float, float] | None = None,
    *,
    beyond: Beyond = "reflection",
    window: bool = False,
    interpolation: str = "bicubic",
) -> Images:
    """Pictures (angles, C, H, W) in [0, 1] of a photograph that is turned about one point, which stays in its place.

    The point `centre` (y, x) of the photograph comes to `out_centre` (y, x) of each picture, by default its middle.
    Both are counted from the middle of the first pixel, and need not be whole. Turned by `angles`, in degrees, content
    goes clockwise as one sees it (y down): what points to 3 o'clock points to 6 o'clock at 90. `scale` is how many
    pixels of the photograph make one of the picture, or (vertical, horizontal) where that differs; the picture is
    turned, not the photograph, so that a view that was squeezed stays so. `size` is (height, width), or both.

    `image` is a Pillow image, an array (H, W) or (H, W, C) of 8 bits or in [0, 1], or a tensor (C, H, W) in [0, 1],
    whose device and type the pictures have; else they are float32 on the CPU. Each pixel is interpolated once in the
    photograph as it is (`interpolation` is bicubic or bilinear), or where that is larger at several points of it, which
    are then averaged with the filter by which photographs are shrunk for networks. Beyond the photograph lies its
    mirror image, or grey (`beyond`). With a round `window` everything is grey beyond the largest circle about
    `out_centre` that lies inside of the picture: then no corner comes and goes as it turns.

    Raises `PellucidError` for sizes and scales that are not positive, `ImagesError` for what is no image.
    """
    height, width = (size, size) if isinstance(size, int) else size
    down, across = (scale, scale) if isinstance(scale, int | float) else scale
    if height < 1 or width < 1 or not (0 < down < math.inf and 0 < across < math.inf):
        raise PellucidError(f"a picture of {height}x{width} pixels at scale {down:g}, {across:g} cannot be cut")
    if interpolation not in ("bicubic", "bilinear"):
        raise PellucidError(f"photographs are turned with interpolation 'bicubic' or 'bilinear', not {interpolation!r}")
    middle = ((height - 1) / 2, (width - 1) / 2) if out_centre is None else out_centre
    pixels, centre, scales = _shrunk(_pixels(image)[None], centre, (down, across), interpolation)
    samples = max(1, math.ceil(scales[0] - _SPARSE)), max(1, math.ceil(scales[1] - _SPARSE))
    pictures = pixels.new_empty((len(angles), pixels.shape[1], height, width))
    together = max(1, _TOGETHER // (height * width * samples[0] * samples[1]))
    for at in range(0, len(angles), together):
        some = angles[at : at + together]
        fine = _read(
            pixels, _grid(pixels, (height, width), samples, middle, centre, scales, some), interpolation, beyond
        )
        pictures[at : at + together] = fine if samples == (1, 1) else _resized(fine, (height, width), interpolation)
    pictures.clamp_(0, 1)
    return _through(pictures, middle) if window else pictures


def turns(step: float) -> list[float]:
    """The angles 0, step, 2 step, ... once round the circle. Raises `PellucidError` unless they fit into it."""
    count = round(360 / step) if step > 0 else 0
    if count < 4 or abs(count * step - 360) > 1e-6:
        raise PellucidError(f"a step of {step:g} degrees does not divide a turn of 360 into 4 parts or more")
    return [360 * k / count for k in range(count)]


def _pixels(image: Any) -> Tensor:
    """An image as a tensor (C, H, W)."""
    if isinstance(image, Image.Image):
        image = np.asarray(image if image.mode in ("RGB", "L") else image.convert("RGB"))
    if isinstance(image, np.ndarray):
        whole = image.dtype == np.uint8
        values = torch.from_numpy(np.ascontiguousarray(image, np.float32))
        image = (values[None] if values.ndim == 2 else values.movedim(-1, 0)) / (255 if whole else 1)
    if not isinstance(image, Tensor) or image.ndim != 3 or not image.is_floating_point() or 0 in image.shape:
        raise ImagesError("a photograph is a Pillow image, an array (H, W) or (H, W, C), or a tensor (C, H, W)")
    return image


def _shrunk(
    pixels: Tensor, centre: tuple[float, float], scale: tuple[float, float], interpolation: str
) -> tuple[Tensor, tuple[float, float], tuple[float, float]]:
    """A photograph that is far too large made smaller, and the same point and scale in it."""
    sides = [max(1, round(length / max(1, s / _FINEST))) for length, s in zip(pixels.shape[2:], scale, strict=True)]
    shares = [side / length for side, length in zip(sides, pixels.shape[2:], strict=True)]
    if shares != [1, 1]:
        pixels = _resized(pixels, (sides[0], sides[1]), interpolation)
    y, x = ((at + 0.5) * share - 0.5 for at, share in zip(centre, shares, strict=True))
    return pixels, (y, x), (scale[0] * shares[0], scale[1] * shares[1])


def _grid(
    pixels: Tensor,
    size: tuple[int, int],
    samples: tuple[int, int],
    middle: tuple[float, float],
    centre: tuple[float, float],
    scale: tuple[float, float],
    angles: Sequence[float],
) -> Tensor:
    """Where in the photograph each sample of each picture is read: (angles, H, W, 2), x and y from -1 to 1."""
    y, x = (
        (torch.arange(length * count, dtype=torch.float64) + 0.5) / count - 0.5 - at
        for length, count, at in zip(size, samples, middle, strict=True)
    )
    turn = torch.deg2rad(torch.tensor(angles, dtype=torch.float64))[:, None]
    cosine, sine = turn.cos(), turn.sin()
    # Back from where the content has gone to where it came from: counter-clockwise.
    along = (x * cosine, y * sine), (-x * sine, y * cosine)
    places = []
    for axis, (by_x, by_y) in zip((1, 0), along, strict=True):
        unit, start = 2 * scale[axis] / pixels.shape[2 + axis], (2 * centre[axis] + 1) / pixels.shape[2 + axis] - 1
        places.append((unit * by_x).to(pixels)[:, None, :] + (unit * by_y + start).to(pixels)[:, :, None])
    return torch.stack(places, dim=-1)


def _read(pixels: Tensor, grid: Tensor, interpolation: str, beyond: Beyond) -> Tensor:
    """The photograph (1, C, H, W) at the places of a grid (N, h, w, 2)."""
    grey = 0.0 if beyond == "reflection" else 0.5
    found = torch.nn.functional.grid_sample(
        (pixels - grey).expand(len(grid), -1, -1, -1),
        grid,
        mode=interpolation,
        padding_mode="reflection" if beyond == "reflection" else "zeros",
        align_corners=False,
    )
    return found + grey


def _resized(pixels: Tensor, size: tuple[int, int], interpolation: str) -> Tensor:
    return torch.nn.functional.interpolate(pixels, size=size, mode=interpolation, antialias=True)


def _through(pictures: Tensor, middle: tuple[float, float]) -> Tensor:
    """The pictures seen through a round window with a soft edge."""
    height, width = pictures.shape[2:]
    radius = min(middle[0], middle[1], height - 1 - middle[0], width - 1 - middle[1]) + 0.5
    if radius <= 0:
        raise PellucidError(f"no circle about {middle} lies inside of a picture of {height}x{width} pixels")
    y, x = (
        torch.arange(length, dtype=pictures.dtype, device=pictures.device) - at
        for length, at in zip((height, width), middle, strict=True)
    )
    distance = torch.sqrt(y[:, None] ** 2 + x**2)
    seen = ((radius - distance) / (_SOFT * radius)).clamp(0, 1)
    return 0.5 + (pictures - 0.5) * seen


def batches(angles: Sequence[float], batch: int) -> Iterator[Sequence[float]]:
    """The angles, so many at a time."""
    return (angles[at : at + batch] for at in range(0, len(angles), batch))
