"""Photographs on which a patch worked, as pictures, with the answers before and after."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from pellucid.atlas.patching.compositing import CORNERS, pasted, patch_size, shrunk
from pellucid.atlas.patching.photographs import Photographs
from pellucid.atlas.patching.trials import Trials
from pellucid.networks import Network
from pellucid.pictures import Pixels, to_pixels

_PER_PATCH = 2  # examples of one patch


def choose_examples(trials: Trials, count: int) -> list[tuple[int, int, int, int]]:
    """The most telling trials of patches: (patch, size, corner, image), each of another image.

    First those in which an image that was taken for what it is becomes the target, then the others; each by how much
    the target's probability rose. At most two are of the same patch while there are others.
    """
    patches = trials.patches
    success = (trials.top[:patches] == trials.target) & trials.correct
    order = np.argsort(-(success + (trials.probability[:patches] - trials.bare_probability)), axis=None, kind="stable")
    chosen: list[tuple[int, int, int, int]] = []
    for most in (_PER_PATCH, count):
        for flat in order:
            if len(chosen) >= count:
                break
            patch, size, corner, image = (int(part) for part in np.unravel_index(flat, success.shape))
            fits = sum(one[0] == patch for one in chosen) < most and all(one[3] != image for one in chosen)
            if fits:
                chosen.append((patch, size, corner, image))
    return chosen


def show_example(
    network: Network, photographs: Photographs, trials: Trials, patch: Image.Image, at: tuple[int, int, int, int]
) -> tuple[dict[str, Any], Pixels]:
    """What a page says of one trial (patch, size, corner, image), and the picture without and with it: (2, H, W, 3)."""
    index, size, corner, image = at
    number = int(photographs.chosen[trials.place[image]])
    pixels, _ = photographs.views(network, [number])
    small = shrunk(patch, patch_size(trials.sizes[size], network.size))
    both = torch.cat([pixels, pasted(pixels, small, trials.corners[corner])])
    before, after = first_classes(network, both, 6)
    said = {
        "name": photographs.source.name(number),
        "patch": trials.names[index],
        "size": trials.sizes[size],
        "corner": CORNERS[trials.corners[corner]],
        "before": before,
        "after": after,
    }
    return said, to_pixels(both.float().cpu())


def taken_for(network: Network, picture: Image.Image, count: int) -> list[list[Any]]:
    """The first classes of a picture alone, squashed to the network's size: [class, probability] each."""
    return first_classes(network, shrunk(picture, network.size)[None].to(network.device, network.dtype), count)[0]


def first_classes(network: Network, pixels: Tensor, count: int) -> list[list[list[Any]]]:
    """The first classes of each image: [class, probability] each, the most probable first."""
    with torch.no_grad():
        shares: NDArray = network(pixels).float().softmax(dim=1).cpu().numpy()
    order = np.argsort(-shares, axis=1, kind="stable")[:, :count]
    return [
        [[int(label), round(float(row[label]), 6)] for label in best] for row, best in zip(shares, order, strict=True)
    ]
