"""Passes to a unit's layer with another one changed on the way, and which layers lie on all ways to a unit."""

from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor

from pellucid.curves.attributions.pieces import Pieces
from pellucid.curves.attributions.unrectified import Unrectified
from pellucid.errors import LayerError
from pellucid.networks import Layer, Network, frozen
from pellucid.networks.capture import capture, hooked

Size = tuple[int, int]


def unrectified(
    network: Network,
    images: Tensor,
    goal: Layer,
    *,
    start: Layer | None = None,
    change: Callable[[Tensor], Tensor] | None = None,
    pieces: Pieces | None = None,
) -> Tensor:
    """What a layer gives for images before it is rectified: maps (N, C, h, w).

    The output of an earlier layer, `start`, is replaced by what `change` makes of it; from there on `pieces` are noted
    or held. The module is taken as it is: hold it `frozen`. Of layers that are called several times the last call
    counts.
    """
    watch, calls = Unrectified(), 0

    def cut(_module: object, _args: object, output: Tensor) -> Tensor | None:
        nonlocal calls
        calls += 1
        if start is None or change is None or calls != start.calls:
            return None
        changed = change(output)
        watch.stand_for(changed, output)
        if pieces is not None:
            pieces.begin()
        return changed

    with ExitStack() as stack:
        if start is not None:
            stack.enter_context(hooked(network.module, {start.name: cut}))
        if pieces is not None:
            stack.enter_context(pieces)
        stack.enter_context(watch)  # inside, so that it meets rectifiers by their names when they are held
        found = capture(
            network.module,
            lambda: network.module(network.preprocess(images)),
            {goal.name: goal.calls},
            keep=lambda _, output: goal.maps(watch.of(output)),
        )
    return found[goal.name]


def previous_layer(network: Network, layer: str, unit: int, *, size: Size | None = None) -> str:
    """The layer that a unit is attributed to if nothing else is said.

    It is the last of the layers that finish before the unit's, that have maps, whose output comes straight out of
    rectifiers (also of several, joined), and through which everything must pass that the unit sees of a picture: no
    skip connection leads around it. That is tested: a picture of nothing but NaN makes the unit NaN, unless the layer's
    output is replaced by zeros and no other way leads to the unit. A concatenation's unit depends on its own branch
    alone, so its previous layer may be that branch's bottleneck. `size` is the picture's height and width, by default
    the network's.

    Raises `LayerError` if there is no such layer.
    """
    goal = goal_of(network, layer, unit)
    for candidate in reversed(_rectified(network, goal, size)):
        if not bypassed(network, goal, unit, candidate, size):
            return candidate.name
    raise LayerError(
        f"no rectified layer lies on all ways from the picture to {layer}:{unit} of {network.name}; say which layer it "
        "is to be attributed to: previous='NAME', or --previous NAME"
    )


def goal_of(network: Network, layer: str, unit: int) -> Layer:
    """The layer of a unit that has a map. Raises `LayerError` if it has none, or no such unit."""
    goal = network.spatial_layer(layer)
    if not 0 <= unit < goal.channels:
        raise LayerError(f"{layer} has {goal.channels} units, 0 to {goal.channels - 1}; there is no unit {unit}")
    return goal


def bypassed(network: Network, goal: Layer, unit: int, start: Layer, size: Size | None) -> bool:
    """Whether something of the picture reaches a unit on a way around a layer."""
    nothing = torch.full_like(network.blank(1, size), torch.nan)
    with frozen(network.module), torch.no_grad():
        reached = unrectified(network, nothing, goal, start=start, change=torch.zeros_like)
    return bool(reached[:, unit].isnan().any())


def depends(network: Network, goal: Layer, unit: int, start: Layer, size: Size | None) -> bool:
    """Whether anything that a layer gives reaches a unit."""
    with frozen(network.module), torch.no_grad():
        reached = unrectified(
            network, network.blank(1, size), goal, start=start, change=lambda output: torch.full_like(output, torch.nan)
        )
    return bool(reached[:, unit].isnan().any())


def _rectified(network: Network, goal: Layer, size: Size | None) -> list[Layer]:
    """The spatial layers that finish before the goal and come out of rectifiers, in this order."""
    layers = [layer for layer in network.layers() if layer.spatial]
    before = layers[: layers.index(goal)]
    watch, found, calls = Unrectified(), dict[str, bool](), dict.fromkeys((layer.name for layer in before), 0)

    def look(layer: Layer) -> Callable[..., None]:
        def hook(_module: object, _args: object, output: Tensor) -> None:
            calls[layer.name] += 1
            if calls[layer.name] == layer.calls:
                found[layer.name] = watch.known(output)

        return hook

    blank = network.blank(1, size)
    with (
        frozen(network.module),
        torch.no_grad(),
        hooked(network.module, {layer.name: look(layer) for layer in before}),
        watch,
    ):
        capture(network.module, lambda: network.module(network.preprocess(blank)), {goal.name: goal.calls})
    return [layer for layer in before if found.get(layer.name)]
