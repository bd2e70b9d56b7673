"""What a network makes of the centre of pictures, as they are and moved about."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pellucid.atlas.movements import movements
from pellucid.attribution.logits import logit_attributions
from pellucid.networks import Network
from pellucid.visualize.transforms import draw, view

_VIEWS = 8  # of a picture that is moved about


def encode_centers(network: Network, layer: str, pixels: NDArray[np.uint8], *, batch: int = 32) -> Tensor:
    """What 8-bit pictures (N, size, size, 3) give at the centre of a layer's map: (N, C)."""
    parts = [_centers(network, layer, _images(network, pixels[at : at + batch])) for at in range(0, len(pixels), batch)]
    return torch.cat(parts)


def center_attributions(network: Network, layer: str, pixels: NDArray[np.uint8], *, batch: int = 16) -> Tensor:
    """Attribution of every class to what 8-bit pictures (N, size, size, 3) give at the centre of a layer's map: (N, K).

    Gradient times activation (see `pellucid.attribution.logits`).
    """
    found = network.spatial_layer(layer)
    parts = []
    for at in range(0, len(pixels), batch):
        images = _images(network, pixels[at : at + batch])
        with torch.no_grad():
            output = network.activations(images, [layer])[layer]
        size = found.maps(output).shape[2:]
        places = torch.tensor([size[0] // 2, size[1] // 2]).expand(len(images), 1, 2)
        parts.append(logit_attributions(network, images, found, output, places)[:, 0].float().cpu())
    return torch.cat(parts)


def jittered_cosines(
    network: Network,
    layer: str,
    pixels: NDArray[np.uint8],
    means: Tensor,
    names: Sequence[str],
    metric: Tensor | None = None,
    *,
    views: int = _VIEWS,
    batch: int = 32,
) -> Tensor:
    """Mean cosine between what 8-bit pictures (N, size, size, 3) give while they are moved and the means (N, C): (N,).

    Each picture is moved about as icons are while they are drawn, `views` times, by what its name decides, so that
    several pictures of one name are seen in the same views. `metric` is applied to both sides first.
    """
    transforms = movements("article", pixels.shape[1])
    wanted = means if metric is None else means.double() @ metric.double()
    found = []
    for at in range(0, len(pixels), batch):
        images = _images(network, pixels[at : at + batch])
        sources = [_generator(name) for name in names[at : at + batch]]
        total = torch.zeros(len(images), dtype=torch.float64)
        for _ in range(views):
            maps = draw(transforms, sources, (images.shape[2], images.shape[3]))
            seen = _centers(network, layer, view(images, maps, transforms)).double()
            seen = seen if metric is None else seen @ metric.double()
            total += F.cosine_similarity(seen, wanted[at : at + batch].double(), dim=1)
        found.append(total / views)
    return torch.cat(found)


def as_images(pixels: NDArray[np.uint8], channels: int) -> Tensor:
    """8-bit pictures (N, H, W, 3) as images (N, `channels`, H, W) in [0, 1]; their mean for other than 3 channels."""
    images = torch.from_numpy(pixels.astype(np.float32) / 255).permute(0, 3, 1, 2)
    return images if channels == 3 else images.mean(dim=1, keepdim=True).expand(-1, channels, -1, -1)


def _images(network: Network, pixels: NDArray[np.uint8]) -> Tensor:
    return as_images(pixels, network.channels).to(network.device, network.dtype)


def _centers(network: Network, layer: str, images: Tensor) -> Tensor:
    found = network.spatial_layer(layer)
    with torch.no_grad():
        maps = found.maps(network.activations(images, [layer])[layer])
    return maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2].float().cpu()


def _generator(name: str) -> torch.Generator:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)
