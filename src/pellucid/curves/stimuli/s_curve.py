"""S curves: two arcs of opposite curvature, joined smoothly."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pellucid.curves.stimuli.raster import direction
from pellucid.curves.stimuli.stimulus import Distances, Outline, Parameters
from pellucid.curves.stimuli.strokes import Curve
from pellucid.errors import PellucidError

BENDS = ("clockwise", "anticlockwise")


@dataclass(frozen=True)
class SCurve(Outline):
    """Two arcs of one radius that bend opposite ways and meet, with one tangent, in the picture's centre.

    `orientation`, in degrees, image coordinates (y down), clockwise from 3 o'clock, is the direction of the tangent in
    the centre, where the curve turns over; the line is the same 180 degrees on. Whoever goes in that direction turns
    `bend` wise, "clockwise" or "anticlockwise": the two are mirror images. `radius` in px, `arc` of each half in
    degrees, up to 180, `width` is half the thickness of the line in px.

    The inside lies in the direction `orientation + 90` of the centre. Beyond its ends the border goes straight on.
    """

    orientation: float
    radius: float
    arc: float = 90.0
    bend: str = "clockwise"
    width: float = 1.0
    kind: ClassVar[str] = "s-curve"

    def __post_init__(self) -> None:
        self.check_angles()
        self.require("must be a number of px above 0", "radius", open_=True, high=1e9)
        self.require("must be above 0 and at most 180 degrees", "arc", high=180.0, open_=True)
        self.require("must be a number of px, 0 or above", "width", high=1e9)
        if self.bend not in BENDS:
            raise PellucidError(f"s-curve: bend = {self.bend!r} is neither clockwise nor anticlockwise")

    def parameters(self) -> dict[str, float]:
        """Of the half ahead: where its middle and its end lie, their directions, its curvature and half its length."""
        turn = 1.0 if self.bend == "clockwise" else -1.0
        apex, end = (self._at(self.arc * share) for share in (0.5, 1))
        x, y = direction(self.orientation + turn * (self.arc / 2 + 90))
        end_x, end_y = direction(self.orientation + turn * self.arc)
        return {
            "x": x, "y": y, "curvature": 1 / self.radius, "half": math.radians(self.arc) / 2 * self.radius,
            "width": self.width, "turn": turn, "apex_x": apex[0], "apex_y": apex[1],
            "end_x": end[0], "end_y": end[1], "ahead_x": end_x, "ahead_y": end_y,
        }  # fmt: skip

    def path(self, count: int) -> list[tuple[float, float]]:
        """Places (x, y) from the centre, evenly along the line from the end behind to the end ahead."""
        angles = [self.arc * (2 * k / max(count - 1, 1) - 1) for k in range(count)]
        return [self._at(angle) if angle >= 0 else _opposite(self._at(-angle)) for angle in angles]

    def _at(self, degrees: float) -> tuple[float, float]:
        """The place (x, y) on the half ahead after a turn by so many degrees."""
        turn = 1.0 if self.bend == "clockwise" else -1.0
        (ahead_x, ahead_y), angle = direction(self.orientation), math.radians(degrees)
        along, aside = self.radius * math.sin(angle), turn * self.radius * 2 * math.sin(angle / 2) ** 2
        return along * ahead_x - aside * ahead_y, along * ahead_y + aside * ahead_x

    @staticmethod
    def distances(given: Parameters, x: Tensor, y: Tensor) -> Distances:
        """Distances to the border and to the two arcs.

        Seen from the opposite place, the half behind is the half ahead.
        """
        ahead, behind = _half(given, x, y), _half(given, -x, -y)
        line = torch.minimum(ahead[0].abs(), behind[0].abs())
        side = _nearest(_nearest(*ahead), -_nearest(*behind))
        return Distances(side, line, given["width"])


def _half(given: Parameters, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Distances to the half ahead and to the ray that it ends in, above 0 on the inside, clockwise of them."""
    arc = Curve.distances(given, x - given["apex_x"], y - given["apex_y"])
    # The inside of the circle lies clockwise of an arc that bends clockwise.
    bent = torch.copysign(arc.line.abs(), arc.side * given["turn"])
    right, down = x - given["end_x"], y - given["end_y"]
    along = right * given["ahead_x"] + down * given["ahead_y"]
    across = down * given["ahead_x"] - right * given["ahead_y"]
    return bent, torch.copysign(torch.hypot(along.clamp(max=0), across), across)


def _nearest(first: Tensor, second: Tensor) -> Tensor:
    """The distance that is less, with its sign; where a curve goes smoothly on, the nearest piece knows the side."""
    return torch.where(second.abs() < first.abs(), second, first)


def _opposite(place: tuple[float, float]) -> tuple[float, float]:
    return -place[0], -place[1]
