"""A unit with a second filter that natural images leave silent, and that a visualization is drawn to."""

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.errors import LayerError, NetworkError
from pellucid.networks import Network, frozen, read


@dataclass(frozen=True, eq=False)
class SilentUnit:
    """What was added to a channel of a convolution: sign · relu(filter(x) - threshold).

    `highest` is the filter's largest response to the natural images; `filter` is a convolution of one channel.
    """

    network: Network
    layer: str
    channel: int
    filter: nn.Conv2d
    threshold: float
    highest: float
    sign: float

    def fires(self, images: Tensor, *, batch: int = 16) -> Tensor:
        """For which images (N, C, H, W) the silent filter passes its threshold at any position: (N,) bool."""
        return _largest(self.network, self.layer, self.filter, self.channel, images, batch) > self.threshold


@contextmanager
def silent_unit(
    network: Network,
    layer: str,
    channel: int,
    images: Tensor,
    *,
    generator: torch.Generator,
    strength: float = 100.0,
    slant: float = 1.0,
    margin: float = 1.0,
    toward: Tensor | None = None,
    read_at: str | None = None,
    batch: int = 16,
) -> Iterator[SilentUnit]:
    """Hold a silent filter on a channel of a convolution: nothing changes on natural images, visualizations do.

    The filter is w' = strength · (w + slant · d) with the channel's own weights w and a direction d of the same length
    that is orthogonal to w: random, or that of `toward` (input channels, kernel height, kernel width). relu(w' * x - b)
    is added to the channel, with b = `margin` times the largest w' * x over all places of the natural `images`
    (N, C, H, W), so that the network gives for these what it gave, to the bit. Who optimizes the channel follows w
    until w' passes b, and from there w', `strength` times as steep. `SilentUnit.fires` says for which other images it
    is not silent.

    Few directions are within reach: of 300 random ones in six layers of `efficientnet_lite0`, pictures optimized for
    the unit come to 0.8 to 1 times b along the median one with a slant of 1 and to 0.4 to 0.8 times with 3, along the
    best one to 1.15 to 1.35 times with 1. Take `toward` from such a search, and look at `fires`.

    `read_at` is the layer where the unit is read, behind the convolution, with the same number: where a normalization
    between them turns the sign, the term is subtracted. Silent units as in Geirhos et al. (ICML 2024, section 3). The
    weights themselves stay, and so does `Network.digest`; all is as before at the end of the block.

    Raises `LayerError` if the layer is no convolution with such a channel, `NetworkError` for other numbers.
    """
    network.layer(layer)
    convolution = network.module.get_submodule(layer)
    if not isinstance(convolution, nn.Conv2d) or not 0 <= channel < convolution.out_channels:
        raise LayerError(f"layer {layer!r} of {network.name} is no convolution with a channel {channel}")
    if not all(math.isfinite(one) and one > 0 for one in (strength, slant, margin)):
        raise NetworkError(f"strength {strength}, slant {slant} and margin {margin} must be positive")
    network.check(images)
    own = convolution.weight.detach()[channel]
    d = _across(own, torch.randn(own.shape, generator=generator) if toward is None else toward)
    silent = _one_channel(convolution, strength * (own + slant * d))
    highest = float(_largest(network, layer, silent, channel, images, batch).max())
    if highest <= 0:
        raise NetworkError(f"the filter for {layer}:{channel} is silent without a threshold: take other images")
    threshold = margin * highest
    sign = 1.0 if read_at is None else _sign(network, layer, channel, read_at, images[:batch])

    def add(_module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        term = sign * F.relu(silent(_inputs(convolution, channel, inputs[0])) - threshold)
        return output.index_add(1, torch.tensor([channel], device=output.device), term.to(output.dtype))

    handle = convolution.register_forward_hook(add)
    try:
        yield SilentUnit(network, layer, channel, silent, threshold, highest, sign)
    finally:
        handle.remove()


def _across(own: Tensor, direction: Tensor) -> Tensor:
    """A direction orthogonal to a filter and as long."""
    if direction.shape != own.shape:
        raise NetworkError(f"the filter to go toward is {tuple(direction.shape)}, not {tuple(own.shape)}")
    direction = direction.to(own)
    length = own.norm()
    rest = direction - own * (direction * own).sum() / length.square().clamp_min(1e-30)
    if not bool(length > 0) or not bool(rest.norm() > 1e-6 * direction.norm()):
        raise NetworkError("there is no direction across a filter of zeros, or across itself")
    return rest * length / rest.norm()


def _one_channel(convolution: nn.Conv2d, weight: Tensor) -> nn.Conv2d:
    """The same convolution, with its way of padding, for one channel and without a bias."""
    made = copy.copy(convolution)  # own dictionaries of what torch keeps in them, below
    made._parameters = {"weight": nn.Parameter(weight[None].clone(), requires_grad=False), "bias": None}
    for name, value in vars(convolution).items():
        if "hooks" in name and isinstance(value, dict):
            vars(made)[name] = type(value)()
    made.in_channels, made.out_channels, made.groups = weight.shape[0], 1, 1
    return made


def _inputs(convolution: nn.Conv2d, channel: int, x: Tensor) -> Tensor:
    """Those of the input's channels that an output channel sees."""
    group = channel // (convolution.out_channels // convolution.groups)
    size = convolution.in_channels // convolution.groups
    return x[:, group * size : (group + 1) * size]


def _largest(network: Network, layer: str, silent: nn.Conv2d, channel: int, images: Tensor, batch: int) -> Tensor:
    """The filter's largest response to each image, without its threshold: (N,)."""
    convolution = network.module.get_submodule(layer)
    assert isinstance(convolution, nn.Conv2d)
    found: list[Tensor] = []

    def note(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
        found.append(silent(_inputs(convolution, channel, inputs[0])).amax(dim=(1, 2, 3)))

    handle = convolution.register_forward_pre_hook(note)
    try:
        with torch.no_grad():
            for part in images.split(batch):
                network.activations(part.to(network.device, network.dtype), [layer])
    finally:
        handle.remove()
    return torch.cat(found).cpu()


def _sign(network: Network, layer: str, channel: int, read_at: str, images: Tensor) -> float:
    """Whether the unit where it is read rises (1) or falls (-1) with the convolution's channel."""
    convolution = network.module.get_submodule(layer)
    images = images.to(network.device, network.dtype)

    def unit() -> Tensor:
        with torch.no_grad(), frozen(network.module):
            return read(network, images, [read_at])[read_at][:, channel].double().mean()

    before = unit()
    spread: list[float] = []

    def lift(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        spread.append(float(output[:, channel].std()))
        step = torch.full_like(output[:, channel : channel + 1], spread[-1] or 1.0)
        return output.index_add(1, torch.tensor([channel], device=output.device), step)

    handle = convolution.register_forward_hook(lift)
    try:
        after = unit()
    finally:
        handle.remove()
    if after == before:
        raise LayerError(f"{read_at}:{channel} does not depend on {layer}:{channel}: name the layer right behind it")
    return 1.0 if after > before else -1.0
