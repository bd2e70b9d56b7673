"""Sinusoidal gratings."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from pellucid.curves.stimuli.raster import Raster, direction
from pellucid.curves.stimuli.stimulus import Coverage, Parameters, Stimulus


@dataclass(frozen=True)
class Grating(Stimulus):
    """Sinusoidal bars, always filled: from the style's foreground, where the wave is highest, to its background.

    `orientation`, in degrees, image coordinates (y down), clockwise from 3 o'clock, is the direction of the bars, as of
    a line; the wave runs in the direction `orientation + 90`. `wavelength` is its period in px. `phase` in degrees: a
    foreground bar is centred on the picture's centre for 0, an edge for ±90, and 360 moves the wave by one period
    against its direction. A pixel holds the mean of the wave over its square, so short waves are faint, not false.
    """

    orientation: float
    wavelength: float
    phase: float = 0.0
    kind: ClassVar[str] = "grating"
    filled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.check_angles()
        self.require("must be a number of px above 0", "wavelength", open_=True, high=1e9)

    def parameters(self) -> dict[str, float]:
        """The wave's direction over its length, and its phase in turns."""
        x, y = direction(self.orientation + 90)
        return {"x": x / self.wavelength, "y": y / self.wavelength, "phase": self.phase % 360 / 360}

    @classmethod
    def cover(cls, given: Parameters, raster: Raster, fill: bool) -> Coverage:
        """The mean of ½ + ½ cos over each pixel, which is the cosine at its middle times sinc(fx) sinc(fy)."""
        fx, fy, phase = (given[name][:, None, None] for name in ("x", "y", "phase"))
        turns = raster.x * fx + raster.y[:, None] * fy + phase
        wave = torch.cos(2 * math.pi * turns) * (torch.sinc(fx) * torch.sinc(fy))
        inside = (1 + wave) / 2
        return Coverage(torch.zeros_like(inside), inside)
