"""Batch normalization folded into the convolution before it: the same network in fewer passes over memory."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn

from pellucid.networks.frozen import frozen
from pellucid.networks.network import Network
from pellucid.networks.reading import is_output, layer_of, read

_TOLERANCE = 1e-3  # of the largest activation: far above rounding, far below any real difference


@dataclass(frozen=True)
class _Pair:
    convolution: nn.Conv2d
    normalization: nn.BatchNorm2d


@contextmanager
def folded(network: Network, names: Collection[str]) -> Iterator[int]:
    """Hold every batch normalization that directly follows a convolution folded into its weights.

    In evaluation mode y = γ·(conv(x) - μ)/√(σ² + ε) + β is itself a convolution, so that neither pass needs to go over
    the map a second time. `names` is what will be read, as by `read`: convolutions among these layers stay as they
    are. What is read is compared before and after, and where it differs by more than rounding (a convolution's output
    has another reader, a module does something of its own), nothing is folded. Gives the number of folded pairs; every
    weight and module is as before at the end.
    """
    wanted = {layer_of(name) for name in names if not is_output(name)}
    for name in wanted:
        network.layer(name)  # the first call runs the network, so before anything is watched
    with frozen(network.module), torch.no_grad():
        pairs = _pairs(network, names, wanted)
        probe = _probe(network)
        before = read(network, probe, names) if pairs else {}
    with ExitStack() as stack:
        for pair in pairs:
            stack.enter_context(_folded(pair))
        with frozen(network.module), torch.no_grad():
            same = not pairs or _same(before, read(network, probe, names))
        if same:
            yield len(pairs)
    if not same:  # outside of the stack, where everything is as it was
        yield 0


def _pairs(network: Network, names: Collection[str], wanted: Collection[str]) -> list[_Pair]:
    """Convolutions whose output is what a batch normalization takes, each used once."""
    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}
    uses: dict[nn.Module, int] = {}
    found: list[_Pair] = []
    handles = []

    def after(module: nn.Module, _inputs: object, output: Any) -> None:
        uses[module] = uses.get(module, 0) + 1
        made[id(output)] = (module, output)  # pyright: ignore[reportArgumentType]  only convolutions have this hook

    def before(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        uses[module] = uses.get(module, 0) + 1
        if inputs and id(inputs[0]) in made:
            found.append(_Pair(made[id(inputs[0])][0], module))  # pyright: ignore[reportArgumentType]

    kept = {module for name, module in network.module.named_modules() if name in wanted}
    try:
        for module in network.module.modules():
            if module in kept and isinstance(module, nn.Conv2d):
                continue
            if isinstance(module, nn.Conv2d) and _plain(module) and "weight" in module._parameters:
                handles.append(module.register_forward_hook(after))
            elif type(module) in (nn.BatchNorm2d, BatchNormAct2d) and _plain(module) and _steady(module):
                handles.append(module.register_forward_pre_hook(before))
        read(network, network.blank(), names)
    finally:
        for handle in handles:
            handle.remove()
    return [pair for pair in found if uses[pair.convolution] == uses[pair.normalization] == 1]


def _plain(module: nn.Module) -> bool:
    """Whether nobody watches the module: a user's hook must see what it always sees."""
    return not (module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module))


def _steady(module: nn.Module) -> bool:
    return isinstance(getattr(module, "running_mean", None), Tensor)


def _probe(network: Network) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, network.channels, *network.size, generator=generator).to(network.device, network.dtype)


def _same(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> bool:
    return all(
        bool((before[name] - after[name]).abs().max() <= _TOLERANCE * before[name].abs().max().clamp_min(1e-6))
        for name in before
    )


@contextmanager
def _folded(pair: _Pair) -> Iterator[None]:
    convolution, normalization = pair.convolution, pair.normalization
    weight, bias = convolution._parameters["weight"], convolution._parameters["bias"]
    assert weight is not None
    try:
        folded_weight, folded_bias = _weights(weight, bias, normalization)
        convolution._parameters["weight"] = nn.Parameter(folded_weight, requires_grad=False)
        convolution._parameters["bias"] = nn.Parameter(folded_bias, requires_grad=False)
        # An attribute of the instance goes before the class's method, and leaves no trace once deleted.
        vars(normalization)["forward"] = _Rest(normalization)
        yield
    finally:
        vars(normalization).pop("forward", None)
        convolution._parameters["weight"], convolution._parameters["bias"] = weight, bias


def _weights(weight: Tensor, bias: Tensor | None, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None
        assert variance is not None
        kind = torch.float32 if weight.device.type == "mps" else torch.float64
        gain = (variance.to(kind) + norm.eps).rsqrt()
        gain = gain if norm.weight is None else gain * norm.weight.to(kind)
        shift = -mean.to(kind) * gain
        shift = shift if norm.bias is None else shift + norm.bias.to(kind)
        shift = shift if bias is None else shift + bias.to(kind) * gain
        return (weight.to(kind) * gain[:, None, None, None]).to(weight.dtype), shift.to(weight.dtype)


class _Rest:
    """What a normalization does besides normalizing; an object, so that the copy of a module gets the copies' parts."""

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        self._steps: list[nn.Module] = []
        if isinstance(norm, BatchNormAct2d):
            self._steps = [cast("nn.Module", norm.drop), cast("nn.Module", norm.act)]

    def __call__(self, x: Tensor) -> Tensor:
        for step in self._steps:
            x = step(x)
        return x
