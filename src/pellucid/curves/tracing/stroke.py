"""A drawn line whose picture is differentiable in its points and its width."""

import torch
from torch import Tensor

from pellucid.errors import PellucidError

SOFT = 1.0
"""px from the line's edge, within which it fades on either side."""


def stroke_ink(line: Tensor, size: tuple[int, int], width: Tensor | float = 1.0, soft: float = SOFT) -> Tensor:
    """How much of each pixel a line through points (M, 2), as (y, x), covers: (H, W) in [0, 1].

    It is 1 in the line's middle, ½ at `width` px from it, which is half the line's thickness, and falls off linearly
    `soft` px on either side of that. Gradients flow to the points and the width.
    """
    if line.ndim != 2 or len(line) < 2 or line.shape[1] != 2:
        raise PellucidError(f"a line goes through points (M, 2), two or more, not {tuple(line.shape)}")
    if not soft > 0:
        raise PellucidError(f"soft = {soft:g} px must be above 0: a hard edge has no gradient")
    rows, columns = (torch.arange(length, device=line.device).to(line) for length in size)
    pixels = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=-1).flatten(0, 1)
    with torch.no_grad():
        longest = (line[1:] - line[:-1]).norm(dim=1).max()
        reach = width + soft + longest / 2 + 0.1
        near = (torch.cdist(pixels, line).amin(dim=1) <= reach).nonzero()[:, 0]
    covered = ((width - stroke_distance(line, pixels[near])) / (2 * soft) + 0.5).clamp(0, 1)
    return line.new_zeros(len(pixels)).index_put((near,), covered).unflatten(0, size)


def stroke_distance(line: Tensor, places: Tensor) -> Tensor:
    """How far places (P, 2) lie from the straight pieces through points (M, 2): (P,).

    Gradients flow to the two points of the nearest piece, which is all that the distance depends on.
    """
    with torch.no_grad():
        nearest = _squared(places[:, None], line[None, :-1], line[None, 1:]).argmin(dim=1)
    squared = _squared(places, line[:-1][nearest], line[1:][nearest])
    # The root has no slope at 0, where a place lies on the line.
    return (squared + 1e-6).sqrt()


def _squared(places: Tensor, start: Tensor, end: Tensor) -> Tensor:
    along = end - start
    share = ((places - start) * along).sum(dim=-1) / along.square().sum(dim=-1).clamp(min=1e-12)
    return (places - start - share.clamp(0, 1)[..., None] * along).square().sum(dim=-1)
