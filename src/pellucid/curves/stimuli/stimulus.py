"""What every stimulus has: parameters, and how much of each pixel is its line and its inside."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import torch
from torch import Tensor

from pellucid.curves.stimuli.raster import Raster
from pellucid.errors import PellucidError

Parameters = Mapping[str, Tensor]
_DIAGONAL = 0.72  # px, more than half a pixel's: nothing further away crosses the pixel
_SAMPLES = 1 << 22  # that are computed together


@dataclass(frozen=True)
class Coverage:
    """Shares of each pixel, (N, H, W) in [0, 1]: the drawn line (`ink`), and the `inside` that no line covers."""

    ink: Tensor
    inside: Tensor


@dataclass(frozen=True)
class Distances:
    """Distances in px at some places: to the border between the two sides, to the line's middle, to the ticks' middles.

    `side` is positive inside, the others have any sign. `width` and `tick` are half the thickness of line and ticks. No
    distance changes by more than 1 from one place to another 1 px away.
    """

    side: Tensor
    line: Tensor
    width: Tensor
    ticks: Tensor | None = None
    tick: Tensor | None = None

    def near(self, fill: bool, reach: float) -> Tensor:
        """Where an edge lies within `reach` px."""
        near = self.side.abs() < reach
        if not fill:
            near |= (self.line.abs() - self.width).abs() < reach
        if self.ticks is not None and self.tick is not None:
            near |= (self.ticks.abs() - self.tick).abs() < reach
        return near

    def members(self, fill: bool, blur: float) -> tuple[Tensor, Tensor]:
        """How much of the places lies on the line, and how much inside but not on it, with edges `blur` px soft.

        Filled, there is no line; ticks then stand out of the inside, or are notches in it.
        """
        inside = _step(self.side / blur)
        ticks = None if self.ticks is None or self.tick is None else _band(self.ticks, self.tick, blur)
        if fill:
            return torch.zeros_like(inside), inside if ticks is None else inside + ticks - 2 * inside * ticks
        line = _band(self.line, self.width, blur)
        ink = line if ticks is None else torch.maximum(line, ticks)
        return ink, inside * (1 - ink)


def _step(x: Tensor) -> Tensor:
    """From 0 at -1 to 1 at 1: the integral of a triangle.

    A sharp edge would be counted in whole rows of samples, more or fewer of them at some angles, 45 degrees above all:
    long lines would be thicker at those. Softened by a triangle that reaches to the next samples, lines 2 px thick are
    equally dark at all angles within 0.2 %.
    """
    x = x.clamp(-1, 1)
    return 0.5 + x - x * x.abs() / 2


def _band(distance: Tensor, half: Tensor, blur: float) -> Tensor:
    """What lies within `half` px: the difference of two steps, so that its area is right however thin it is."""
    return _step((half - distance) / blur) - _step((-half - distance) / blur)


class Stimulus(ABC):
    """A shape with a border between an inside and an outside; abstract.

    Its fields are its parameters: angles in degrees, image coordinates (y down), clockwise from 3 o'clock; lengths in
    px. `filled` says of shapes that have no line that they are always drawn filled.
    """

    kind: ClassVar[str]
    filled: ClassVar[bool] = False

    @abstractmethod
    def parameters(self) -> dict[str, float]:
        """The numbers that the formulas take, as `cover` reads them."""

    @classmethod
    @abstractmethod
    def cover(cls, given: Parameters, raster: Raster, fill: bool) -> Coverage:
        """The shares of pixels that N stimuli of this kind cover; each parameter is (N,)."""

    def require(self, law: str, *names: str, low: float = 0.0, high: float = math.inf, open_: bool = False) -> None:
        """Refuse fields that are not from `low` to `high`, or, if `open_`, not above `low`."""
        for name in names:
            value = getattr(self, name)
            if not (low < value <= high or (value == low and not open_)):
                raise PellucidError(f"{self.kind}: {name} = {value:g} {law}")

    def check_angles(self) -> None:
        """Refuse an orientation that is no number."""
        for field in fields(self):  # pyright: ignore[reportArgumentType]
            if field.name in ("orientation", "phase") and not math.isfinite(getattr(self, field.name)):
                raise PellucidError(
                    f"{self.kind}: {field.name} = {getattr(self, field.name)} must be a number of degrees"
                )


class Outline(Stimulus):
    """A stimulus that is known by its distances; abstract.

    The middle of a pixel tells whether an edge may cross it. Only those pixels are sampled.
    """

    @staticmethod
    @abstractmethod
    def distances(given: Parameters, x: Tensor, y: Tensor) -> Distances:
        """Distances at places (x, y) from the centre; parameters, x and y are broadcast together."""

    @classmethod
    def cover(cls, given: Parameters, raster: Raster, fill: bool) -> Coverage:
        """The shares of pixels that N stimuli of this kind cover; each parameter is (N,)."""
        x, y, blur = raster.x, raster.y, 1 / raster.supersampling
        whole = cls.distances({name: value[:, None, None] for name, value in given.items()}, x, y[:, None])
        ink, inside = whole.members(fill, blur)
        item, row, column = whole.near(fill, _DIAGONAL + blur).nonzero(as_tuple=True)
        down, right = raster.offsets
        together = max(1, _SAMPLES // len(down))
        for at in range(0, len(item), together):
            i, r, c = (indices[at : at + together] for indices in (item, row, column))
            own = {name: value[i, None] for name, value in given.items()}
            samples = cls.distances(own, x[c, None] + right, y[r, None] + down).members(fill, blur)
            ink[i, r, c], inside[i, r, c] = (member.mean(1) for member in samples)
        return Coverage(ink, inside)
