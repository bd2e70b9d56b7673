"""Curve extraction: the pixels that a family of curve detectors answers to, thinned to lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from pellucid.curves.extraction.attribution import (
    chosen_units,
    firing,
    read_out_attribution,
    rectified_maps,
    single_image,
)
from pellucid.curves.extraction.thinning import linked, ridges
from pellucid.errors import PellucidError
from pellucid.networks import Network

Map = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Extraction:
    """What a family of units sees of the lines in an image.

    `edges` (H, W) in [0, 1] is the strength of the lines, linked, 0 beside them and 1 at the strongest. `strength`
    (H, W) is the same before it was thinned. `attribution` (H, W) is what each pixel adds to the family's activation,
    signed. `response` (h, w) is the greatest activation of any unit at each position of the layer.
    """

    layer: str
    units: tuple[int, ...]
    edges: Map
    strength: Map
    attribution: Map
    response: Map


def extract_curves(
    network: Network,
    image: Tensor,
    layer: str,
    units: Sequence[int] | None = None,
    *,
    threshold: float = 0.2,
    smoothing: float = 1.5,
    linking: float = 0.5,
    steps: int = 8,
    blur: float = 8.0,
    smooth: float | None = None,
) -> Extraction:
    """Extract the curves of an image by attribution to the pixels from units of a layer, by default all of them.

    `image` (channels, H, W) in [0, 1]. Explained is the sum of the activations that are at least `threshold` times the
    greatest, which leaves out what noise drives; by `read_out_attribution`, whose `steps`, `blur` in px and `smooth`
    are meant. What speaks against the units is cut off, the rest smoothed by a Gaussian of `smoothing` px, which joins
    the two flanks of a line, and thinned to its ridges. These are linked as Canny links edges: a weak piece is as
    strong as the piece that it continues, up to 1 / `linking` times its own strength.

    After the curve extraction of Cammarata et al., Curve Detectors (Distill 2020), which renders attributions through a
    feature visualization; here they are attributions alone. Raises `ObjectiveError` if none of the units fires.
    """
    image = single_image(network, image)
    if not smoothing > 0:
        raise PellucidError(f"smoothing = {smoothing:g} px must be above 0, or the two flanks of a line are two lines")
    wanted = chosen_units(network, layer, units)
    maps = rectified_maps(network, image, layer)
    mask = firing(maps, wanted, threshold)
    found = read_out_attribution(network, image, layer, mask, steps=steps, blur=blur, smooth=smooth)
    attribution = found.double().cpu().numpy()
    strength = smoothed(attribution, smoothing)
    response = maps[0, list(wanted)].amax(dim=0).double().cpu().numpy()
    return Extraction(
        layer, wanted, unit_height(linked(ridges(strength), linking)), unit_height(strength), attribution, response
    )


def smoothed(attribution: Map, smoothing: float) -> Map:
    """What speaks for the units, smoothed by a Gaussian of so many px."""
    return ndimage.gaussian_filter(np.maximum(attribution, 0), smoothing, mode="nearest")


def unit_height(values: Map) -> Map:
    """The same with a greatest value of 1, unless all are 0."""
    top = values.max()
    return values / top if top > 0 else values
