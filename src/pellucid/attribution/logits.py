"""Attribution of logits to the activations at single positions of a layer."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from pellucid.attribution.forward_pooling import ForwardPooling
from pellucid.errors import NetworkError
from pellucid.networks import Layer, Network, frozen
from pellucid.networks.capture import hooked

POOLINGS = ("exact", "smooth")


def logit_attributions(
    network: Network,
    images: Tensor,
    layer: Layer,
    output: Tensor,
    positions: Tensor,
    *,
    pooling: str = "exact",
    at_once: int = 4,
) -> Tensor:
    """Gradient times activation, h · ∂logit/∂h, for all classes at once (Carter et al. 2019, "Attribution").

    `images` (N, C, H, W), `output` what `layer` gives for them, `positions` (N, k, 2) rows and columns of its map or of
    its grid of tokens.
    Gives (N, k, K). One forward-mode product for each position, with the activation itself as the tangent there and
    zero elsewhere, takes the place of K backward passes; `at_once` positions travel together. Exact where the rest of
    the network is linear, a first-order approximation elsewhere.

    With `pooling="smooth"` derivatives pass max-pooling by shares of the whole window, as in a block of
    `smooth_pooling()`, which has them for plain backward passes: steadier, and no longer what the network does.
    """
    check_pooling(pooling)
    calls = 0

    def logits_with(extra: Tensor) -> Tensor:
        nonlocal calls
        calls = 0

        def add(_module: object, _args: object, output: Tensor) -> Tensor | None:
            nonlocal calls
            calls += 1
            return output + extra if calls == layer.calls else None

        with hooked(network.module, {layer.name: add}):
            return network.logits(network.preprocess(images))

    zero = torch.zeros_like(output)

    def product(tangent: Tensor) -> Tensor:
        return torch.func.jvp(logits_with, (zero,), (tangent,))[1]

    parts = []
    rules = ForwardPooling() if pooling == "smooth" else nullcontext()
    with frozen(network.module), torch.no_grad(), _plain_attention(), warnings.catch_warnings(), rules:
        # A few of torch's functions are looped over where vmap has no rule for them: slower, not wrong.
        warnings.filterwarnings("ignore", message=".*batching rule.*")
        warnings.filterwarnings("ignore", message=".*torch.jit.script.*", category=FutureWarning)
        for at in range(0, positions.shape[1], at_once):
            tangents = torch.stack([_only_at(output, layer, p) for p in positions[:, at : at + at_once].unbind(1)])
            parts.append(torch.func.vmap(product)(tangents))
    return torch.cat(parts).movedim(0, 1)


def check_pooling(pooling: str) -> None:
    """Raise `NetworkError` unless it is one of `POOLINGS`."""
    if pooling not in POOLINGS:
        raise NetworkError(f"pooling = {pooling!r} is none of {', '.join(POOLINGS)}")


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention by its formula: the fused kernels have no forward-mode derivative."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _only_at(output: Tensor, layer: Layer, places: Tensor) -> Tensor:
    """The output with everything but one position of each image set to zero."""
    item = torch.arange(len(output), device=output.device)
    rows, columns = places[:, 0].to(output.device), places[:, 1].to(output.device)
    only = torch.zeros_like(output)
    maps, kept = layer.maps(output), layer.maps(only)
    kept[item, :, rows, columns] = maps[item, :, rows, columns]
    return only
