"""Photographs as a network takes them."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pellucid.activations.decode import open_image as open_image
from pellucid.activations.sources.folder import find_images as find_images
from pellucid.activations.views import Box as Box
from pellucid.activations.views import views as views
from pellucid.networks import Network


def load_view(image: Image.Image, box: Box, network: Network, size: tuple[int, int] | None = None) -> Tensor:
    """One view as the network takes it: (channels, H, W) in [0, 1], on the CPU."""
    height, width = size or network.size
    resample = Image.Resampling[network.interpolation.upper()]
    pixels = np.asarray(image.resize((width, height), resample, box=box), dtype=np.float32) / 255
    tensor = torch.from_numpy(pixels)
    return tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)
