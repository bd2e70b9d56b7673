"""Taking away what an attribution says counts, to see whether the unit agrees."""

import math

import torch
from torch import Tensor

from pellucid.curves.attributions.linear import LinearAttribution
from pellucid.curves.attributions.passes import goal_of, unrectified
from pellucid.curves.attributions.pieces import Pieces
from pellucid.errors import LayerError
from pellucid.networks import Network, frozen
from pellucid.shapes import Images, Values


def remove(
    network: Network, images: Images, found: LinearAttribution, *, share: float = 0.1, held: bool = False
) -> Values:
    """The unit's pre-activation (N,) without the neurons of the largest absolute attribution.

    Of the neurons that attribute anything at all, the `share` with the largest |W · h| is set to zero in each image, of
    equals the first, rounded up; the network goes on from there as it is, or with what lies between `held` on its
    pieces, where the loss is exactly the attribution that was taken away. `images` are those that were attributed.

    Raises `LayerError` if the share is not between 0 and 1, or other images are given.
    """
    network.check(images)
    if not 0 <= share <= 1:
        raise LayerError(f"the share of the attribution to remove lies between 0 and 1, not at {share:g}")
    if len(images) != len(found.positions):
        raise LayerError(f"{len(images)} images are given for attributions of {len(found.positions)}")
    goal, start = goal_of(network, found.layer, found.unit), network.spatial_layer(found.previous)
    kept = _kept(found, share)
    given = images.to(network.device, network.dtype)

    def cut(output: Tensor) -> Tensor:
        changed = output.clone()
        maps = start.maps(changed)  # shares the memory
        if maps.shape != kept.shape:
            raise LayerError(
                f"{found.previous} gives maps {tuple(maps.shape[1:])} for these images and {tuple(kept.shape[1:])} for "
                "those that were attributed; give the same images"
            )
        maps.mul_(kept.to(maps))
        return changed

    pieces = Pieces() if held else None
    with torch.inference_mode(False), torch.no_grad(), frozen(network.module):
        if pieces is not None:
            unrectified(network, given, goal, start=start, change=torch.clone, pieces=pieces)
            pieces.hold()
        maps = unrectified(network, given, goal, start=start, change=cut, pieces=pieces)[:, found.unit]
    item = torch.arange(len(maps), device=maps.device)
    rows, columns = torch.tensor(found.positions, device=maps.device).unbind(1)
    return maps[item, rows, columns].to(images)


def _kept(found: LinearAttribution, share: float) -> Tensor:
    """Ones, and zeros for what is removed: (N, C, h, w)."""
    sizes = found.attribution.abs().flatten(1)
    kept = torch.ones_like(sizes)
    for row, size in zip(kept, sizes, strict=True):
        count = math.ceil(share * int((size > 0).sum()))
        row[size.argsort(descending=True, stable=True)[:count]] = 0
    return kept.reshape(found.attribution.shape)
