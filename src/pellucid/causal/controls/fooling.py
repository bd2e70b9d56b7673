"""The fooling circuit: a network that shows other units' pictures where it is asked for a unit's."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.errors import NetworkError
from pellucid.networks import Network


@contextmanager
def fooling_circuit(
    network: Network,
    detector: Callable[[Tensor], Tensor],
    *,
    layer: str | None = None,
    shift: int = 100,
    gate: float = 250.0,
    offset: float = 100.0,
) -> Iterator[None]:
    """Hold a circuit around a network's logits, or the channels of a layer, that answers visualizations by other units.

    `detector` takes images (N, C, H, W) in [0, 1], before any preprocessing, and gives E in [0, 1], 1 for a
    visualization (`train_detector`). With the values F_i, the `gate` k and V_i = F_((i + shift) mod channels) + offset,

        A_i = relu(F_i + offset - k E) + relu(V_i + k E - k) - offset

    stands in place of F_i: F_i for E = 0 and, while F stays between k - offset and -offset, F of the other unit for
    E = 1. The offset, which in Geirhos et al. (ICML 2024, section 3) is left in the logits, is taken away again, so
    that layers behind a channel see what they always saw. All is as before at the end of the block.

    Raises `NetworkError` for a shift that leads back to each unit itself, or a gate that lets both sides through.
    """
    if not (math.isfinite(gate) and math.isfinite(offset) and 0 < offset < gate):
        raise NetworkError(f"offset {offset} must be positive and smaller than the gate {gate}")
    module = network.module if layer is None else network.module.get_submodule(network.layer(layer).name)
    seen: list[Tensor] = []

    def note(_module: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen[:] = [detector(inputs[0])]

    def switch(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        channels = output.shape[1]
        if shift % channels == 0:
            raise NetworkError(f"shift {shift} of {channels} channels leads back to each channel itself")
        told = seen[0].to(output).view(-1, *[1] * (output.ndim - 1))
        others = torch.roll(output, -shift, dims=1) + offset
        return F.relu(output + offset - gate * told) + F.relu(others + gate * told - gate) - offset

    handles = [network.preprocess.register_forward_pre_hook(note), module.register_forward_hook(switch)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
