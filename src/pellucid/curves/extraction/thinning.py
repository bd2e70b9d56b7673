"""Ridges: what is left of a smooth map where it is higher than on both sides."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pellucid.errors import PellucidError

Map = NDArray[np.float64]


def ridges(strength: Map) -> Map:
    """The strength (H, W) on its ridges, a pixel or two wide, and 0 elsewhere.

    Across a ridge the second derivative is least: in that direction, an eigenvector of the Hessian, a pixel stays if it
    is not below the values 1 px away on either side, between which is interpolated, and the curvature is negative
    (Steger, An Unbiased Detector of Curvilinear Structures, 1998, without the sub-pixel part).
    """
    down, right = np.gradient(strength)
    down_down, down_right = np.gradient(down)
    right_right = np.gradient(right, axis=1)
    turn = 0.5 * np.arctan2(2 * down_right, right_right - down_down)
    first = _curvature(down_down, down_right, right_right, turn)
    second = _curvature(down_down, down_right, right_right, turn + np.pi / 2)
    across = np.where(first < second, turn, turn + np.pi / 2)
    rows, columns = np.indices(strength.shape)
    sides = [
        ndimage.map_coordinates(
            strength, [rows + sign * np.sin(across), columns + sign * np.cos(across)], order=1, mode="nearest"
        )
        for sign in (1, -1)
    ]
    stays = (strength >= sides[0]) & (strength >= sides[1]) & (np.minimum(first, second) < 0)
    return np.where(stays, strength, 0.0)


def _curvature(down_down: Map, down_right: Map, right_right: Map, angle: Map) -> Map:
    """The second derivative in a direction, clockwise from 3 o'clock."""
    x, y = np.cos(angle), np.sin(angle)
    return right_right * x * x + 2 * down_right * x * y + down_down * y * y


def linked(strength: Map, share: float) -> Map:
    """The strength (H, W) with Canny's hysteresis at every threshold at once.

    At least t in the result is what is at least `share` · t, and joined through such pixels, diagonals too, to one that
    is at least t: the greyscale reconstruction of the strength under strength / `share` (Vincent 1993). 1 changes
    nothing. Raises `PellucidError` for a share that is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise PellucidError(f"linking = {share:g} must be above 0 and at most 1, the share of a line's strength")
    roof, found = strength / share, strength
    while True:
        grown = np.minimum(ndimage.grey_dilation(found, size=(3, 3), mode="nearest"), roof)
        if np.array_equal(grown, found):
            return found
        found = grown
