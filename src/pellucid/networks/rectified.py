"""The layers of a network that give what a rectifier gives."""

import torch

from pellucid.errors import LayerError
from pellucid.networks.network import Network
from pellucid.networks.taps import tapped


def rectified_layers(network: Network, *, maps: bool = False) -> list[str]:
    """The layers whose output comes straight out of a rectifier, in the order in which they finish.

    Of layers within each other that give the same, such as an activation function and the block that ends with it,
    the outer one stands for both. With `maps` only those with a map of more than one position. Raises `LayerError`
    where there is none.
    """
    known = [layer for layer in network.layers() if layer.layout not in ("ambiguous", "other")]
    names = [layer.name for layer in known if not maps or (layer.spatial and layer.size != (1, 1))]
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(network.blank(1).shape, generator=generator).to(network.device, network.dtype)
    found = tapped(network, noise, names)
    outermost: list[str] = []
    for name in names:
        if (name, "pre") not in found:
            continue
        last = outermost[-1] if outermost else ""
        if last.startswith(f"{name}.") and torch.equal(found[last, "post"], found[name, "post"]):
            outermost.pop()
        outermost.append(name)
    if not outermost:
        what = "layer with a map" if maps else "layer"
        raise LayerError(f"no {what} of {network.name} gives what a rectifier gives; name layers instead")
    return outermost
