"""Splitting a unit's pre-activation into what each neuron of an earlier layer gives it, and a constant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.attribution.target import check_batch
from pellucid.curves.attributions.linear import LinearAttribution, Place, Places
from pellucid.curves.attributions.passes import bypassed, depends, goal_of, previous_layer, unrectified
from pellucid.curves.attributions.pieces import Pieces
from pellucid.errors import LayerError
from pellucid.networks import Layer, Network, frozen
from pellucid.shapes import Images


def linear_attribution(
    network: Network,
    layer: str,
    unit: int,
    images: Images,
    *,
    previous: str | None = None,
    position: Places | None = None,
    size: tuple[int, int] | None = None,
    batch: int = 16,
) -> LinearAttribution:
    """Split a unit's pre-activation into what each neuron of an earlier layer gives it, and a constant.

    Curve Detectors (Cammarata et al., Distill 2020) attribute in this way, A = W · h, the weights at the unit times the
    earlier layer's activations. The pre-activation is what the unit's rectifier is given; a layer that does not rectify
    is taken as it is. Between the two layers may lie further convolutions, sums, batch normalization, rectifiers made
    of straight lines and max-pooling: these are held on the pieces that each image puts them on, which makes the way an
    affine map. W is its gradient, and the constant its value where the earlier layer gives zeros, from a pass of its
    own: that the two add up to the pre-activation is a test of the whole. Where something between is not piecewise
    linear (SiLU, softmax, gates, a division) they do not; what is left over is the `remainder`, and `exact` is False.

    `images` (N, C, H, W) in [0, 1], resized to `size` (height, width) if that is given. `previous` is by default
    the nearest rectified layer that everything passes (`previous_layer`). `position` is a row and column of the unit's
    map, or one for each image, "center" or "max", by default "max": where the unit is most active in the image.

    Raises `LayerError` for a layer without a map, a unit or a position that there is not, and an earlier layer that the
    unit does not depend on.
    """
    network.check(images)
    check_batch(batch)
    goal = goal_of(network, layer, unit)
    if size is not None:
        images = F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)
    shape = (images.shape[2], images.shape[3])
    start = network.spatial_layer(previous or previous_layer(network, layer, unit, size=shape))
    if start.name == goal.name or not depends(network, goal, unit, start, shape):
        raise LayerError(
            f"{layer}:{unit} does not depend on {start.name}; choose a layer before it, or none for "
            f"{previous_layer(network, layer, unit, size=shape)}"
        )
    given = images.to(network.device, network.dtype)
    places = _given(position, len(images))
    with torch.inference_mode(False), frozen(network.module):
        parts = [
            _attribute(network, part.detach().clone(), goal, unit, start, places[at * batch : (at + 1) * batch])
            for at, part in enumerate(given.split(batch))
        ]
    found = [torch.cat([getattr(part, name) for part in parts]).to(images) for name in _TENSORS]
    return LinearAttribution(
        network.name, layer, unit, start.name, tuple(place for part in parts for place in part.positions), *found,
        through=max((part.through for part in parts), key=len), bypassed=bypassed(network, goal, unit, start, shape),
    )  # fmt: skip


_TENSORS = ("activations", "weights", "constant", "preactivation")
_Wanted = Place | Literal["max", "center"]


@dataclass(frozen=True)
class _Part:
    """A batch of images."""

    positions: list[Place]
    activations: Tensor
    weights: Tensor
    constant: Tensor
    preactivation: Tensor
    through: tuple[str, ...]


def _attribute(
    network: Network, images: Tensor, goal: Layer, unit: int, start: Layer, places: Sequence[_Wanted]
) -> _Part:
    pieces, leaf = Pieces(), images

    def cut(output: Tensor) -> Tensor:
        nonlocal leaf
        leaf = output.detach().clone().requires_grad_()
        return leaf.clone()  # an in-place successor may not write into a leaf

    with torch.enable_grad():
        maps = unrectified(network, images, goal, start=start, change=cut, pieces=pieces)[:, unit]
        positions = [_place(goal, network, one, place) for one, place in zip(maps.detach(), places, strict=True)]
        item = torch.arange(len(maps), device=maps.device)
        rows, columns = torch.tensor(positions, device=maps.device).unbind(1)
        values = maps[item, rows, columns]
        noted = [piece for piece in pieces.noted if piece.output is not None and piece.output.requires_grad]
        ways = [piece.output for piece in noted if piece.output is not None]
        weights, *flows = torch.autograd.grad(values.sum(), [leaf, *ways], allow_unused=True)
    assert weights is not None
    with torch.no_grad():
        empty = unrectified(network, images, goal, start=start, change=torch.zeros_like, pieces=pieces.hold())
    through = tuple(
        piece.name for piece, flow in zip(noted, flows, strict=True) if flow is not None and bool(flow.any())
    )
    constant = empty[item, unit, rows, columns]
    return _Part(
        positions, start.maps(leaf.detach()), start.maps(weights), constant, values.detach(), through
    )  # fmt: skip


def _given(position: Places | None, count: int) -> list[_Wanted]:
    """A wish for each image."""
    if position is None or isinstance(position, str):
        if position not in (None, "max", "center"):
            raise LayerError(f"position {position!r} is neither a row and column nor 'max' or 'center'")
        return [position or "max"] * count
    if len(position) == 2 and all(isinstance(one, int) for one in position):
        return [(int(position[0]), int(position[1]))] * count  # pyright: ignore[reportArgumentType]
    if len(position) != count:
        raise LayerError(f"{len(position)} positions are given for {count} images; give one for each, or one for all")
    return [(int(row), int(column)) for row, column in position]  # pyright: ignore[reportGeneralTypeIssues]


def _place(goal: Layer, network: Network, values: Tensor, wanted: _Wanted) -> Place:
    height, width = values.shape
    if wanted == "center":
        return height // 2, width // 2
    if wanted == "max":
        return divmod(int(values.argmax()), width)
    row, column = int(wanted[0]), int(wanted[1])
    if not (0 <= row < height and 0 <= column < width):
        raise LayerError(
            f"layer {goal.name!r} of {network.name} has {height}x{width} positions for such images, none at "
            f"({row}, {column})"
        )
    return row, column
