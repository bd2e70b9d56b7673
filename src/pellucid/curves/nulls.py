"""Networks without the structure that training gave them: what the finder finds there is found by chance."""

import copy
from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from pellucid.errors import PellucidError
from pellucid.networks import Network
from pellucid.networks.frozen import frozen

NULLS = ("permuted", "shuffled", "random")
"""How weights lose their structure, from the mildest to the harshest."""


def null_network(network: Network, kind: str, images: Iterable[Tensor] = (), *, seed: int = 0) -> Network:
    """A copy of a network whose weights have lost their structure, with batch normalizations fitted to images again.

    Of every weight of two axes or more, `permuted` gives each unit the input channels in another order, the same one
    for all units of the layer, so that kernels keep their form and only the wiring is lost (where a unit hears one
    channel, as in depthwise convolutions, the units change places instead); `shuffled` puts all its numbers in random
    order; and `random` draws them from a normal distribution of the same mean and deviation. Biases stay.

    `images` are batches (N, C, H, W) in [0, 1]. Without them the running statistics of batch normalizations stay those
    of the network, which hardly fit what comes in now.
    """
    if kind not in NULLS:
        raise PellucidError(f"there is no null {kind!r}; there are {', '.join(NULLS)}")
    module = copy.deepcopy(network.module)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in module.parameters():
            if weight.ndim >= 2:
                weight.copy_(_robbed(weight.detach().cpu(), kind, generator))
    made = replace(network, name=f"{network.name} ({kind} {seed})", module=module)
    _fit_normalizations(made, images)
    return made


def _robbed(weight: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    match kind:
        case "permuted":
            axis = 1 if weight.shape[1] > 1 else 0
            return weight.index_select(axis, torch.randperm(weight.shape[axis], generator=generator))
        case "shuffled":
            return weight.flatten()[torch.randperm(weight.numel(), generator=generator)].view_as(weight)
        case _:
            drawn = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
            return weight.mean() + weight.std() * drawn


def _fit_normalizations(network: Network, images: Iterable[Tensor]) -> None:
    """Let batch normalizations keep the mean statistics of all batches, as torch does with `momentum=None`."""
    normalizations = [part for part in network.module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    batches = list(images) if normalizations else []
    if not batches:
        return
    momenta = [part.momentum for part in normalizations]
    with frozen(network.module), torch.no_grad():
        for part in normalizations:
            part.reset_running_stats()
            part.momentum = None
            part.train()
        for batch in batches:
            network.logits(network.preprocess(batch))
        for part, momentum in zip(normalizations, momenta, strict=True):
            part.momentum = momentum
