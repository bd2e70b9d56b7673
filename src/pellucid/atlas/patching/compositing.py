"""Pasting pictures into the corners of images."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pellucid.errors import AtlasError
from pellucid.shapes import Images

CORNERS = ("top left", "top right", "bottom left", "bottom right")


def patch_size(share: float, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width in pixels of a patch that takes this share of each side of images of `size` (H, W).

    Rounded down, as in the article (Carter et al. 2019, "Using Atlases to Find Adversarial Patches"), but never below a
    pixel. Raises `AtlasError` for a share outside of (0, 1].
    """
    if not 0 < share <= 1:
        raise AtlasError(f"a patch cannot take {share} of an image's side; give a share above 0 and up to 1")
    return max(1, int(share * size[0])), max(1, int(share * size[1]))


def shrunk(picture: Image.Image, size: tuple[int, int]) -> Tensor:
    """A picture squashed to `size` (h, w), whatever its own form: (C, h, w) in [0, 1], on the CPU."""
    pixels = np.asarray(picture.resize((size[1], size[0]), Image.Resampling.LANCZOS), dtype=np.float32) / 255
    tensor = torch.from_numpy(pixels)
    return tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)


def shrunk_images(images: Images, size: tuple[int, int]) -> Tensor:
    """Images (N, C, H, W) squashed to `size` (h, w)."""
    small = F.interpolate(images, size, mode="bicubic", antialias=True, align_corners=False)
    return small.clamp(0, 1)


def pasted(images: Images, patches: Tensor, corner: int) -> Images:
    """Images (N, C, H, W) with a patch (C, h, w), or one for each (N, C, h, w), in a corner.

    `corner` counts in `CORNERS`. The images themselves stay as they are. Raises `AtlasError` for a patch that does not
    fit.
    """
    if not 0 <= corner < len(CORNERS):
        raise AtlasError(f"there is no corner {corner}; 0 to 3 are {', '.join(CORNERS)}")
    height, width = patches.shape[-2:]
    if height > images.shape[2] or width > images.shape[3] or patches.shape[-3] != images.shape[1]:
        raise AtlasError(f"a patch {tuple(patches.shape)} does not fit into images {tuple(images.shape)}")
    top = 0 if corner < 2 else images.shape[2] - height
    left = 0 if corner % 2 == 0 else images.shape[3] - width
    out = images.clone()
    out[:, :, top : top + height, left : left + width] = patches.to(images)
    return out
