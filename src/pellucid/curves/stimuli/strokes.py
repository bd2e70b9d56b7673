"""Curves, lines, and combs: a stroke of one curvature through the centre, with ticks or without."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pellucid.curves.stimuli.raster import direction
from pellucid.curves.stimuli.stimulus import Distances, Outline, Parameters
from pellucid.errors import PellucidError

SIDES = ("inside", "outside", "both")


@dataclass(frozen=True)
class Curve(Outline):
    """A circle, or an arc of it, whose apex is the picture's centre.

    `orientation`, in degrees, image coordinates (y down), clockwise from 3 o'clock, is the direction of the centre of
    curvature from the apex; the outward normal is 180 degrees on. `radius` in px, `inf` for a straight line; `arc` in
    degrees, the apex in its middle; `width` is half the thickness of the line in px. The inside is the disc, of an arc
    too.
    """

    orientation: float
    radius: float
    arc: float = 360.0
    width: float = 1.0
    kind: ClassVar[str] = "curve"

    def __post_init__(self) -> None:
        self.check_angles()
        self.require("must be above 0 px", "radius", open_=True)
        self.require("must be above 0 and at most 360 degrees", "arc", high=360.0, open_=True)
        self.require("must be a number of px, 0 or above", "width", high=1e9)

    def parameters(self) -> dict[str, float]:
        """The direction of the centre of curvature, the curvature 1/radius, half the arc's length, half the width."""
        return _stroke(self.orientation, self.radius, self.arc, self.width)

    @staticmethod
    def distances(given: Parameters, x: Tensor, y: Tensor) -> Distances:
        """Distances to the circle and to the arc."""
        n, t = _frame(given, x, y)
        side = _side(given, n, t)
        return Distances(side, _line(given, side, n, t), given["width"])


@dataclass(frozen=True)
class Line(Outline):
    """A straight line through the picture's centre.

    `orientation`, in degrees, image coordinates (y down), clockwise from 3 o'clock, is its direction, which is the same
    180 degrees on; only the inside, the half plane in the direction `orientation + 90`, changes sides then. `width` is
    half its thickness and `length` its whole length in px.
    """

    orientation: float
    width: float = 1.0
    length: float = math.inf
    kind: ClassVar[str] = "line"

    def __post_init__(self) -> None:
        self.check_angles()
        self.require("must be a number of px, 0 or above", "width", high=1e9)
        self.require("must be above 0 px", "length", open_=True)

    def parameters(self) -> dict[str, float]:
        """Those of a curve of infinite radius."""
        return _stroke(self.orientation + 90, math.inf, 360.0, self.width) | {"half": self.length / 2}

    @staticmethod
    def distances(given: Parameters, x: Tensor, y: Tensor) -> Distances:
        """Distances to the line and its ends."""
        n, t = _frame(given, x, y)
        side = _side(given, n, t)
        return Distances(side, _line(given, side, n, t), given["width"])


@dataclass(frozen=True)
class Comb(Outline):
    """A curve with ticks across it, as the teeth of a comb.

    The curve is that of `Curve`, straight for an infinite radius; `width=0` leaves the ticks alone. Ticks stand
    `spacing` px apart along the curve, the first at the apex, as far as the arc goes; they are `length` px long,
    measured from the middle of the line, on the `side` of the centre of curvature ("inside"), away from it ("outside")
    or "both", and `tick_width` is half their thickness. Ends of lines and ticks are round.
    """

    orientation: float
    radius: float
    spacing: float
    length: float
    side: str = "outside"
    arc: float = 360.0
    width: float = 1.0
    tick_width: float = 1.0
    kind: ClassVar[str] = "comb"

    def __post_init__(self) -> None:
        self.check_angles()
        self.require("must be above 0 px", "radius", "spacing", open_=True)
        self.require("must be above 0 and at most 360 degrees", "arc", high=360.0, open_=True)
        self.require("must be a number of px, 0 or above", "width", "tick_width", "length", high=1e9)
        if self.side not in SIDES:
            raise PellucidError(f"comb: side = {self.side!r} is neither inside, outside nor both")
        if self.side != "outside" and self.length > self.radius:
            raise PellucidError(
                f"comb: ticks of {self.length:g} px inside a radius of {self.radius:g} px cross its centre; make them "
                "shorter"
            )

    def parameters(self) -> dict[str, float]:
        """Those of the curve, and where the ticks are: every `spacing`, `last` on each side, from `low` to `high`."""
        curve = _stroke(self.orientation, self.radius, self.arc, self.width)
        reach = min(curve["half"], math.pi * self.radius)
        low = 0.0 if self.side == "inside" else -self.length
        high = 0.0 if self.side == "outside" else self.length
        last = math.floor(reach / self.spacing + 1e-9) if math.isfinite(reach) else math.inf
        return curve | {"spacing": self.spacing, "last": last, "low": low, "high": high, "tick": self.tick_width}

    @staticmethod
    def distances(given: Parameters, x: Tensor, y: Tensor) -> Distances:
        """Distances to the circle, the arc, and the nearest tick."""
        n, t = _frame(given, x, y)
        side, along = _side(given, n, t), _along(given, n, t)
        number = torch.minimum(torch.maximum(torch.round(along / given["spacing"]), -given["last"]), given["last"])
        across, inward = _turned(side, along - number * given["spacing"], given["curvature"])
        beyond = torch.maximum(given["low"] - inward, inward - given["high"]).clamp(min=0)
        ticks = torch.hypot(across, beyond)
        return Distances(side, _line(given, side, n, t), given["width"], ticks, given["tick"])


def _stroke(orientation: float, radius: float, arc: float, width: float) -> dict[str, float]:
    x, y = direction(orientation)
    half = math.inf if arc == 360 else math.radians(arc) / 2 * radius
    return {"x": x, "y": y, "curvature": 1 / radius, "half": half, "width": width}


def _frame(given: Parameters, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Places from the apex: towards the centre of curvature and, a quarter turn clockwise of it, along the tangent."""
    return x * given["x"] + y * given["y"], y * given["x"] - x * given["y"]


def _side(given: Parameters, n: Tensor, t: Tensor) -> Tensor:
    """How far places lie inside the circle, px.

    With curvature k this is 1/k - √((1/k - n)² + t²), written so that no digits are lost where k is small, and as n
    where k is 0.
    """
    k = given["curvature"]
    return (2 * n - k * (n * n + t * t)) / (1 + torch.hypot(1 - k * n, k * t))


def _along(given: Parameters, n: Tensor, t: Tensor) -> Tensor:
    """How far places lie along the circle from the apex, clockwise, px."""
    k = given["curvature"]
    return torch.where(k > 0, torch.atan2(k * t, 1 - k * n) / torch.where(k > 0, k, 1), t)


def _line(given: Parameters, side: Tensor, n: Tensor, t: Tensor) -> Tensor:
    """The distance to the middle of the line, round at its ends."""
    if bool(torch.isinf(given["half"]).all()):
        return side
    beyond = (_along(given, n, t).abs() - given["half"]).clamp(min=0)
    return torch.hypot(*_turned(side, beyond, given["curvature"]))


def _turned(side: Tensor, along: Tensor, curvature: Tensor) -> tuple[Tensor, Tensor]:
    """A place in the frame of a point of the circle that it lies `along` px further than: across and inward, px.

    With the angle a = k·along these are (1/k - side) sin a and side·cos a + (1 - cos a)/k.
    """
    a = along * curvature
    across = (1 - curvature * side) * along * torch.sinc(a / math.pi)
    return across, side * torch.cos(a) + a * along / 2 * torch.sinc(a / (2 * math.pi)) ** 2
