"""A texture read at given places."""

import torch
import torch.nn.functional as F
from torch import Tensor

from pellucid.shapes import Images, Views


def sample(textures: Images, coordinates: Tensor) -> Views:
    """Textures (N, C, h, w) at texture coordinates (N, H, W, 2), bilinearly between the centres of pixels.

    (u, v) run from the lower left corner, 1 from edge to edge, and the texture goes on periodically beyond. Gradients
    go to the textures alone.
    """
    height, width = textures.shape[2:]
    # The fraction first and in the coordinates' own precision: far away from 0 nothing would be left of it.
    u, v = (coordinates.detach() - coordinates.detach().floor()).unbind(dim=-1)
    # A border of one pixel from the other side; -1 and 1 are then the edges of the wider texture.
    grid = torch.stack([2 * (u * width + 1) / (width + 2) - 1, 2 * ((1 - v) * height + 1) / (height + 2) - 1], dim=-1)
    bordered = F.pad(textures, (1, 1, 1, 1), mode="circular")
    return F.grid_sample(bordered, grid.to(textures), mode="bilinear", padding_mode="border", align_corners=False)
