"""Which pixels drive some units of a layer, by integrated gradients from a blurred picture."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from pellucid.activations.harvested import check_units
from pellucid.attribution import IntegratedGradients, Reading, saliency
from pellucid.errors import ObjectiveError, PellucidError
from pellucid.networks import Network, frozen, read
from pellucid.networks.pooling import smooth_pooling
from pellucid.visualize.gradients import Blur


def chosen_units(network: Network, layer: str, units: Sequence[int] | None) -> tuple[int, ...]:
    """The units of a spatial layer that are meant, each once: those given, or all.

    Raises `LayerError` for a layer without maps, `ObjectiveError` for units that it does not have, or none at all.
    """
    count = network.spatial_layer(layer).channels
    if units is None:
        return tuple(range(count))
    check_units(layer, units, count)
    if not len(units):
        raise ObjectiveError(f"name one unit of {layer!r} at least; it has units 0 to {count - 1}")
    return tuple(dict.fromkeys(int(unit) for unit in units))


def rectified_maps(network: Network, images: Tensor, layer: str) -> Tensor:
    """The activations max(h, 0) (N, C, h, w) of a layer for images (N, channels, H, W), without gradients."""
    network.check(images)
    network.spatial_layer(layer)
    with frozen(network.module), torch.no_grad():
        found = read(network, images.to(network.device, network.dtype), [layer])[layer]
    return found.clamp(min=0)


def single_image(network: Network, image: Tensor) -> Tensor:
    """One image, (channels, H, W) or (1, channels, H, W), as (1, channels, H, W). Refuses several, and other forms."""
    images = image[None] if image.ndim == 3 else image
    network.check(images)
    if len(images) != 1:
        raise PellucidError(f"curves are looked for in one image at a time, not in {len(images)}")
    return images.detach()


def firing(maps: Tensor, units: Sequence[int], threshold: float) -> Tensor:
    """1 where one of the units fires with at least `threshold` times the family's greatest activation, 0 elsewhere.

    For maps (1, C, h, w) of max(h, 0); all other units are 0. Raises `ObjectiveError` if none of the units fires.
    """
    if not 0 <= threshold < 1:
        raise ObjectiveError(f"threshold = {threshold} must be a share of the greatest activation, from 0 to below 1")
    family = maps[:, list(units)]
    greatest = family.max()
    if not greatest > 0:
        raise ObjectiveError(
            "none of the units fires anywhere in the image: there is nothing to attribute; choose other units, or an "
            "image with curves that are not smaller than what the units see"
        )
    mask = torch.zeros_like(maps)
    mask[:, list(units)] = ((family >= threshold * greatest) & (family > 0)).to(maps)
    return mask


def read_out_attribution(
    network: Network,
    image: Tensor,
    layer: str,
    weights: Tensor,
    *,
    steps: int = 8,
    blur: float = 8.0,
    smooth: float | None = None,
) -> Tensor:
    """What each pixel adds to Σ weights · max(h, 0): (H, W), signed, summed over colours.

    h are the layer's activations, weights (1, C, h, w) are fixed numbers. The attribution is the integrated gradient
    from the image blurred by a Gaussian of `blur` px, so that whatever is wider than a line is not what is explained,
    in `steps` steps; its sum is the read-out's for the image less that for the blurred image, up to the error of the
    steps (Sundararajan, Taly and Yan 2017). A plain gradient would be greatest where the image has the least contrast,
    for networks that normalize contrast. With `smooth` max-pooling passes its gradient on by shares to that power
    (`smooth_pooling`), otherwise to the maximum alone.

    Raises `PellucidError` for several images or a blur that is not above 0.
    """
    image = single_image(network, image).to(network.device, network.dtype)
    if not blur > 0:
        raise PellucidError(f"blur = {blur:g} px must be above 0: the image itself explains nothing of itself")

    def total(found: Mapping[str, Tensor]) -> Tensor:
        return (weights * found[layer].clamp(min=0)).sum(dim=(1, 2, 3))

    method = IntegratedGradients(steps, Blur(blur)(image)[0])
    with nullcontext() if smooth is None else smooth_pooling(smooth):
        return saliency(network, image, Reading([layer], total), method)[0].sum(dim=0)
