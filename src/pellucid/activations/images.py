"""Photographs in a folder, and the views that are cut from them."""

import math
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from pellucid.errors import ImagesError
from pellucid.networks import Network

_OVERLAP = 0.5  # of neighbouring windows when a photograph is cut into several views


class Box(NamedTuple):
    """A square of a photograph in its own pixels."""

    left: int
    top: int
    right: int
    bottom: int


def find_images(folder: Path | str) -> list[str]:
    """The picture files in a folder and below, by their endings, as sorted paths relative to it.

    Raises `ImagesError` if there is no such folder or it holds none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ImagesError(f"no folder {folder}; give a folder of photographs")
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in endings and path.is_file() and not path.name.startswith(".")
    )
    if not found:
        raise ImagesError(
            f"no photographs in {folder} or below: none of its files is named as a picture (.jpg, .png ...)"
        )
    return found


def open_image(path: Path, channels: int = 3) -> Image.Image:
    """Open a photograph upright and in full, as RGB, or in grey for a network of one channel.

    Raises `ImagesError` with the reason if it cannot be read.
    """
    if channels not in (1, 3):
        raise ImagesError(f"photographs have one or three channels; a network of {channels} needs another source")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", category=UserWarning)  # odd metadata; the picture itself is fine
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image)
                return upright.convert("RGB" if channels == 3 else "L")
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        reason = str(error).replace(str(path), path.name) or type(error).__name__
        raise ImagesError(f"{path.name}: {reason}") from error


def views(size: tuple[int, int], crops: tuple[float, ...], center: float) -> list[Box]:
    """The boxes to cut from a photograph of (width, height).

    A crop of 1 is the network's own view: the middle square whose side is the share `center` of the shorter side. A
    smaller crop is a side as a share of the shorter one, cut in windows that overlap by about half and cover
    everything.
    """
    boxes = []
    for crop in crops:
        share = center if crop == 1 else crop
        side = max(1, round(share * min(size)))
        if crop == 1:
            left, top = (size[0] - side) // 2, (size[1] - side) // 2
            boxes.append(Box(left, top, left + side, top + side))
            continue
        for top in _starts(size[1], side):
            boxes.extend(Box(left, top, left + side, top + side) for left in _starts(size[0], side))
    return boxes


def _starts(length: int, side: int) -> list[int]:
    steps = math.ceil((length - side) / (side * _OVERLAP)) if length > side else 0
    return [round(step * (length - side) / steps) for step in range(steps + 1)] if steps else [0]


def load_view(image: Image.Image, box: Box, network: Network, size: tuple[int, int] | None = None) -> Tensor:
    """One view as the network takes it: (channels, H, W) in [0, 1], on the CPU."""
    height, width = size or network.size
    resample = Image.Resampling[network.interpolation.upper()]
    pixels = np.asarray(image.resize((width, height), resample, box=box), dtype=np.float32) / 255
    tensor = torch.from_numpy(pixels)
    return tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)
