"""Items of a harvest: one view of one image, as a single number."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = TypeVar("Numbers", int, np.int64, NDArray[np.int64])

_VIEW_BITS = 16
MOST_VIEWS = 1 << _VIEW_BITS
"""An image has fewer views than this."""


def item_of(image: Numbers, view: Numbers) -> Numbers:
    """The item that is a view of an image, both counted from 0: image · 2^16 + view."""
    return (image << _VIEW_BITS) | view


def image_of(item: Numbers) -> Numbers:
    """The image of an item, by its number in the source; of -1, which stands for no item, -1."""
    return item >> _VIEW_BITS


def view_of(item: Numbers) -> Numbers:
    """The view of an item, by its number in `ViewPlan.boxes` of the image."""
    return item & (MOST_VIEWS - 1)
