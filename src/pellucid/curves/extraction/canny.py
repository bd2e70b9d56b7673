"""Canny's edges, the baseline that curve extraction is held against."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import PellucidError

SIGMAS = (0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
HIGHS = (0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.993, 0.996, 0.998)
LOWS = (0.85, 0.95, 0.99, 1.0)


class CannySetting(NamedTuple):
    """The Gaussian's deviation in px, and the two thresholds as shares of pixels whose gradient is less."""

    sigma: float
    low: float
    high: float


def canny_edges(image: Tensor, sigma: float, low: float, high: float) -> NDArray[np.bool_]:
    """Canny's edges (H, W) of an image (channels, H, W) or (1, channels, H, W), of the mean of its colours.

    `sigma` px; edges begin where the gradient is above that of the share `high` of all pixels, and go on where it is
    above that of the share `low` (Canny 1986, as scikit-image has it). Raises `PellucidError` for several images,
    thresholds out of order, or without scikit-image.
    """
    images = image[None] if image.ndim == 3 else image
    if images.ndim != 4 or len(images) != 1:
        raise PellucidError(f"edges are of one image (channels, H, W), not of {tuple(image.shape)}")
    if not (sigma > 0 and 0 <= low <= high <= 1):
        raise PellucidError(
            f"Canny's edges need sigma > 0 and shares 0 <= low <= high <= 1, not sigma = {sigma:g}, low = {low:g}, "
            f"high = {high:g}"
        )
    try:
        from skimage.feature import canny
    except ImportError as error:
        raise PellucidError("Canny's edges need scikit-image; install it: pip install 'pellucid[curves]'") from error
    grey = images[0].mean(dim=0).double().cpu().numpy()
    return canny(grey, sigma=sigma, low_threshold=low, high_threshold=high, use_quantiles=True)


def canny_settings() -> Iterator[CannySetting]:
    """The 264 settings that the best is looked for among: 6 sigmas, 11 high thresholds, 4 low ones for each."""
    for sigma, high, low in product(SIGMAS, HIGHS, LOWS):
        yield CannySetting(sigma, high * low, high)
