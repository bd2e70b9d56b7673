"""Angles: two arms from a corner, which may be rounded."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pellucid.curves.stimuli.raster import direction
from pellucid.curves.stimuli.stimulus import Distances, Outline, Parameters


@dataclass(frozen=True)
class Angle(Outline):
    """Two straight arms that meet in the picture's centre, in a corner or in an arc.

    `orientation`, in degrees, image coordinates (y down), clockwise from 3 o'clock, is the direction of the middle of
    the opening, where the centre of curvature of a rounded corner lies; `opening` is the angle between the arms, 180
    for a straight line. `rounding` is the radius in px of the arc that is tangent to both arms; its apex is the
    picture's centre, whatever the radius. Each arm is `arm` px long beyond the arc, `width` is half the thickness of
    the line. The inside is the wedge.

    For an opening of 90 degrees this is Lucid's `rounded_corner` of the same radius. For other openings Lucid's corner
    is a piece of an ellipse; here it is always circular.
    """

    orientation: float
    opening: float
    rounding: float = 0.0
    arm: float = math.inf
    width: float = 1.0
    kind: ClassVar[str] = "angle"

    def __post_init__(self) -> None:
        self.check_angles()
        self.require("must be above 0 and at most 180 degrees", "opening", high=180.0, open_=True)
        self.require("must be a number of px, 0 or above", "rounding", "width", high=1e9)
        self.require("must be above 0 px", "arm", open_=True)

    def parameters(self) -> dict[str, float]:
        """The directions of the opening's middle and, in its frame, of one arm; radius, length and half the width."""
        x, y = direction(self.orientation)
        inward, across = direction(self.opening / 2)
        return {
            "x": x, "y": y, "inward": inward, "across": across,
            "rounding": self.rounding, "arm": self.arm, "width": self.width,
        }  # fmt: skip

    @staticmethod
    def distances(given: Parameters, x: Tensor, y: Tensor) -> Distances:
        """Distances to the rounded wedge.

        It is a smaller wedge, whose corner is the arc's centre, and all within `rounding` of it.
        """
        n = x * given["x"] + y * given["y"] - given["rounding"]
        t = (y * given["x"] - x * given["y"]).abs()
        along = n * given["inward"] + t * given["across"]
        within = n * given["across"] - t * given["inward"]
        side = given["rounding"] + torch.where(along >= 0, within, -torch.hypot(n, t))
        beyond = torch.hypot(along - given["arm"], within + given["rounding"])
        return Distances(side, torch.where(along > given["arm"], beyond, side), given["width"])
