"""Where in an image each factor lies: its attribution to the pixels, and the region where it is the strongest."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from pellucid.curves.composition.composition import Composition
from pellucid.curves.extraction import read_out_attribution
from pellucid.curves.extraction.attribution import single_image
from pellucid.curves.extraction.extraction import smoothed
from pellucid.curves.extraction.scores import distance_to
from pellucid.errors import PellucidError
from pellucid.networks import Network

Masks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Regions:
    """The factors of a composition in one image, in pixels.

    `strengths` (K, H, W) is what each pixel adds to a factor, smoothed, what speaks against it cut off. `masks`
    (K, H, W) is where that is at least a threshold times the factor's greatest, and greater than of any other factor.
    """

    strengths: NDArray[np.float64]
    masks: Masks


class Split(NamedTuple):
    """How well regions agree with true ones: of each true region its factor, and their intersection over union."""

    factors: tuple[int, ...]
    ious: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the true regions."""
        return float(np.mean(self.ious))


def factor_regions(
    network: Network,
    image: Tensor,
    composition: Composition,
    *,
    number: int = 0,
    threshold: float = 0.15,
    firing: float = 0.3,
    smoothing: float = 2.0,
    steps: int = 8,
    blur: float = 8.0,
) -> Regions:
    """Attribute each factor of an image to its pixels.

    `number` is the image's among those that were composed. Explained is Σ max(h, 0) · v over the positions where the
    factor is at least `firing` times its greatest in that image, v its direction, as by `read_out_attribution`.
    `threshold` is that of the masks.
    """
    factors = composition.factors
    image = single_image(network, image)
    if not 0 <= number < len(factors.maps):
        raise PellucidError(f"there is no image {number} in the composition, which is of {len(factors.maps)}")
    if not 0 < threshold <= 1:
        raise PellucidError(f"threshold = {threshold:g} must be a share of a factor's greatest strength, above 0")
    strengths = []
    for direction, where in zip(factors.directions, factors.maps[number], strict=True):
        there = (where >= firing * where.max()) & (where > 0)
        weights = (direction[:, None, None] * there)[None].to(network.device, network.dtype)
        if not weights.any():
            strengths.append(np.zeros(image.shape[2:]))
            continue
        found = read_out_attribution(network, image, factors.layer, weights, steps=steps, blur=blur)
        strengths.append(smoothed(found.double().cpu().numpy(), smoothing))
    each = np.stack(strengths)
    tops = each.max(axis=(1, 2), keepdims=True)
    masks = (each >= threshold * tops) & (each > 0) & (each.argmax(axis=0) == np.arange(len(each))[:, None, None])
    return Regions(each, masks)


def split_of(regions: Masks, truths: Masks, *, tolerance: float = 3.0) -> Split:
    """Match regions (K, H, W) with true lines (T, H, W), and measure the intersection over union of each pair.

    A line stands for all pixels at most `tolerance` px away from it. Each line is given a factor of its own, so that
    the sum over lines is greatest; a line that no factor is left for has 0, and the factor -1.
    """
    if regions.ndim != 3 or truths.ndim != 3 or regions.shape[1:] != truths.shape[1:]:
        raise PellucidError(f"regions and true lines are (K, H, W) of one size, not {regions.shape}, {truths.shape}")
    bands = np.stack([distance_to(line) <= tolerance for line in truths])
    table = np.array([[_iou(region, band) for region in regions] for band in bands])
    lines, chosen = linear_sum_assignment(-table)
    of = dict(zip(lines.tolist(), chosen.tolist(), strict=True))
    factors = tuple(of.get(line, -1) for line in range(len(bands)))
    return Split(factors, tuple(float(table[line, k]) if k >= 0 else 0.0 for line, k in enumerate(factors)))


def _iou(first: Masks, second: Masks) -> float:
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else 0.0
