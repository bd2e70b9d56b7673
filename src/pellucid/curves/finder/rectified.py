"""The layers that a network is searched in."""

import torch

from pellucid.errors import LayerError
from pellucid.networks import Network
from pellucid.networks.taps import tapped


def rectified_layers(network: Network) -> list[str]:
    """The spatial layers whose output comes straight out of a rectifier, in the order in which they finish.

    Of layers within each other that give the same, such as an activation function and the block that ends with it,
    the outer one stands for both. Raises `LayerError` where there is none.
    """
    names = [layer.name for layer in network.layers() if layer.spatial and layer.size != (1, 1)]
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(network.blank(1).shape, generator=generator).to(network.device, network.dtype)
    found = tapped(network, noise, names)
    rectified = [name for name in names if (name, "pre") in found]
    if not rectified:
        raise LayerError(
            f"no layer with a map of {network.name} gives what a rectifier gives; name layers with --layers"
        )
    outermost: list[str] = []
    for name in rectified:
        same = outermost and outermost[-1].startswith(f"{name}.") and _same(found, outermost[-1], name)
        outermost[-1:] = [name] if same else [*outermost[-1:], name]
    return outermost


def _same(found: dict, one: str, other: str) -> bool:
    return torch.equal(found[one, "post"], found[other, "post"])
