"""Which layers of a network have activations, and in what form; found by one forward pass."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from pellucid.networks.capture import hooked
from pellucid.networks.frozen import frozen

if TYPE_CHECKING:
    from pellucid.networks.network import Network

Layout = Literal["NCHW", "NHWC", "NLC", "NC", "other"]


@dataclass(frozen=True)
class Layer:
    """A submodule that gives a tensor.

    `shape` is its output's shape without the batch axis at the network's input size; `layout` says which axis is what:
    spatial maps are NCHW or NHWC, tokens NLC, vectors NC, anything else `other`. `calls` counts its uses in one pass.
    """

    name: str
    kind: str  # the class of the module
    shape: tuple[int, ...]
    layout: Layout
    calls: int = 1

    @property
    def spatial(self) -> bool:
        """Whether the output is a map with a height and a width."""
        return self.layout in ("NCHW", "NHWC")

    @property
    def channels(self) -> int:
        """The number of units (channels)."""
        return self.shape[0] if self.layout in ("NCHW", "NC") else self.shape[-1]

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the map, None where there is none."""
        match self.layout:
            case "NCHW":
                return self.shape[1], self.shape[2]
            case "NHWC":
                return self.shape[0], self.shape[1]
            case _:
                return None

    def maps(self, output: Tensor) -> Tensor:
        """The output as maps (N, C, h, w)."""
        return output.movedim(-1, 1) if self.layout == "NHWC" else output


def trace(network: "Network") -> dict[str, Layer]:
    """Run the network once on a grey picture and list its layers in the order in which they finish.

    Modules that only pass their input on (`nn.Identity`) and outputs that are no floating-point tensors are left out.
    """
    outputs: dict[str, tuple[tuple[int, ...], int]] = {}

    def hook(name: str):
        def read(_module: nn.Module, _args: object, output: object) -> None:
            if isinstance(output, Tensor) and output.is_floating_point():
                _, calls = outputs.pop(name, ((), 0))
                outputs[name] = (tuple(output.shape), calls + 1)

        return read

    modules = {
        name: part for name, part in network.module.named_modules() if name and not isinstance(part, nn.Identity)
    }
    # Two pictures: an output whose first axis is not 2 has no batch axis in front.
    grey = network.blank(2)
    with frozen(network.module), torch.no_grad(), hooked(network.module, {name: hook(name) for name in modules}):
        network.module(network.preprocess(grey))
    return {
        name: Layer(name, type(modules[name]).__name__, shape[1:], _layout(shape, network.size), calls)
        for name, (shape, calls) in outputs.items()
    }


def _layout(shape: tuple[int, ...], size: tuple[int, int]) -> Layout:
    """Tell the layout from the shape: the two spatial axes of a map keep the picture's aspect."""
    if len(shape) < 2 or shape[0] != 2:
        return "other"
    if len(shape) == 2:
        return "NC"
    if len(shape) == 3:
        return "NLC"
    if len(shape) > 4:
        return "other"

    def skew(height: int, width: int) -> float:
        # How far two axes are from the picture's aspect; a rounding of one row or column on a stride is no skew.
        return abs(height * size[1] - width * size[0]) / (size[0] + size[1])

    first, last = skew(shape[2], shape[3]), skew(shape[1], shape[2])
    if first <= 1:
        # (C, h, w) with h/w right; if (h, w, C) fits as well, channels-first is the convention of the field.
        return "NCHW"
    return "NHWC" if last <= 1 else "NCHW"
