"""Curves with ticks at any tilt: perpendicular as in a comb, parallel, or each at its own."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from pellucid.curves.stimuli import Curve
from pellucid.curves.stimuli.raster import direction
from pellucid.curves.stimuli.stimulus import Distances, Outline, Parameters
from pellucid.errors import PellucidError

MOST = 12
"""Ticks on either side of the apex."""
Tilt = Literal["perpendicular", "parallel", "random"]
TILTS: tuple[Tilt, ...] = ("perpendicular", "parallel", "random")
Side = Literal["inside", "outside"]
SIDES: tuple[Side, ...] = ("inside", "outside")


@dataclass(frozen=True)
class TickedCurve(Outline):
    """A curve beside which ticks stand: the same ticks in the same places, whichever way they are tilted.

    `orientation`, in degrees, image coordinates (y down), clockwise from 3 o'clock, is the direction of the centre of
    curvature from the apex; `radius` in px. The middles of the ticks, of `length` px, lie length / 2 px from the line
    on its `side`, "inside" where the centre of curvature is or "outside", `spacing` px apart along the curve, at most
    12 each way from the apex; all are moved along it by `phase` times the spacing. "perpendicular" ticks start at the
    line, as those of `Comb`; "parallel" ones run along it; of "random" ones each has a tilt of its own, evenly from all
    directions, drawn from `seed`. `width` and `tick_width` are half the thickness of line and ticks in px.
    """

    orientation: float
    radius: float
    spacing: float
    length: float
    side: str = "outside"
    tilt: str = "perpendicular"
    phase: float = 0.0
    seed: int = 0
    width: float = 1.0
    tick_width: float = 1.0
    kind: ClassVar[str] = "ticked curve"

    def __post_init__(self) -> None:
        self.check_angles()
        self.require("must be a number of px above 0", "radius", "spacing", open_=True, high=1e9)
        self.require("must be a number of px, 0 or above", "length", "width", "tick_width", high=1e9)
        if self.side not in SIDES or self.tilt not in TILTS:
            raise PellucidError(
                f"ticked curve: side = {self.side!r} must be one of {', '.join(SIDES)}, tilt = {self.tilt!r} one of "
                f"{', '.join(TILTS)}"
            )
        if self.side == "inside" and self.length > self.radius:
            raise PellucidError(
                f"ticked curve: ticks of {self.length:g} px inside a radius of {self.radius:g} px cross its centre; "
                "make them shorter"
            )

    def parameters(self) -> dict[str, float]:
        """Those of the curve, where ticks are, and the cosine and sine of the tilt of each."""
        x, y = direction(self.orientation)
        aside = self.length / 2 if self.side == "inside" else -self.length / 2
        tilts = self._tilts()
        turned = {f"cos{k}": math.cos(tilt) for k, tilt in enumerate(tilts)}
        turned |= {f"sin{k}": math.sin(tilt) for k, tilt in enumerate(tilts)}
        return turned | {
            "x": x, "y": y, "curvature": 1 / self.radius, "half": math.inf, "width": self.width, "radius": self.radius,
            "spacing": self.spacing, "phase": self.phase * self.spacing, "aside": aside, "reach": self.length / 2,
            "tick": self.tick_width,
        }  # fmt: skip

    def _tilts(self) -> list[float]:
        """Radians from perpendicular, of every tick."""
        match self.tilt:
            case "perpendicular":
                return [0.0] * (2 * MOST + 1)
            case "parallel":
                return [math.pi / 2] * (2 * MOST + 1)
            case _:
                return np.random.default_rng(self.seed).uniform(0, math.pi, 2 * MOST + 1).tolist()

    @staticmethod
    def distances(given: Parameters, x: Tensor, y: Tensor) -> Distances:
        """Distances to the circle, and to the nearest tick."""
        curve = Curve.distances(given, x, y)
        radius = given["radius"]
        # From the centre of curvature: outward, and along the tangent a quarter turn clockwise of inward.
        out = radius - (x * given["x"] + y * given["y"])
        aside = y * given["x"] - x * given["y"]
        nearest: Tensor | None = None
        for k in range(-MOST, MOST + 1):
            angle = (k * given["spacing"] + given["phase"]) / radius
            across = aside * torch.cos(angle) - out * torch.sin(angle)
            inward = radius - out * torch.cos(angle) - aside * torch.sin(angle) - given["aside"]
            cos, sin = given[f"cos{k + MOST}"], given[f"sin{k + MOST}"]
            along, off = inward * cos + across * sin, across * cos - inward * sin
            away = torch.hypot(off, (along.abs() - given["reach"]).clamp(min=0))
            # A tick beyond the other end of the circle would come round to the apex again.
            away = torch.where(angle.abs() <= math.pi, away, math.inf)
            nearest = away if nearest is None else torch.minimum(nearest, away)
        return Distances(curve.side, curve.line, given["width"], nearest, given["tick"])
