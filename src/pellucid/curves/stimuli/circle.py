"""Rings and dots around the centre, and nothing at all."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pellucid.curves.stimuli.raster import Raster
from pellucid.curves.stimuli.stimulus import Coverage, Distances, Outline, Parameters, Stimulus


@dataclass(frozen=True)
class Circle(Outline):
    """A circle around the picture's centre: a ring, or filled, a dot.

    `radius` in px; `width` is half the thickness of the line in px. The inside is the disc.
    """

    radius: float
    width: float = 1.0
    kind: ClassVar[str] = "circle"

    def __post_init__(self) -> None:
        self.require("must be a number of px above 0", "radius", open_=True, high=1e9)
        self.require("must be a number of px, 0 or above", "width", high=1e9)

    def parameters(self) -> dict[str, float]:
        """The radius and half the width."""
        return {"radius": self.radius, "width": self.width}

    @staticmethod
    def distances(given: Parameters, x: Tensor, y: Tensor) -> Distances:
        """Distances to the circle."""
        side = given["radius"] - torch.hypot(x, y)
        return Distances(side, side, given["width"])


@dataclass(frozen=True)
class Blank(Stimulus):
    """No shape: the picture is the outside of its style, such as one colour or noise."""

    kind: ClassVar[str] = "blank"
    filled: ClassVar[bool] = True

    def parameters(self) -> dict[str, float]:
        """There is nothing to tell them apart."""
        return {"nothing": 0.0}

    @classmethod
    def cover(cls, given: Parameters, raster: Raster, fill: bool) -> Coverage:
        """Nothing is covered."""
        nothing = given["nothing"][:, None, None].expand(-1, *raster.size)
        return Coverage(nothing, nothing)
