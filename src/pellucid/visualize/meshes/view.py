"""Where a model is looked at from."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.errors import ObjectiveError


@dataclass(frozen=True)
class View:
    """An eye that looks at the middle of a model.

    It stands `azimuth` degrees to the right of the front (+z) and `elevation` degrees above it, at a `distance` in
    radii of the model; what it sees is turned by `roll` degrees, counter-clockwise, and the picture's shorter side
    spans `field` degrees. Raises `ObjectiveError` for an eye that is not outside of the model, and a field that is not
    between 0 and 180.
    """

    azimuth: float = 0.0
    elevation: float = 0.0
    roll: float = 0.0
    distance: float = 3.0
    field: float = 40.0

    def __post_init__(self) -> None:
        if not all(math.isfinite(angle) for angle in (self.azimuth, self.elevation, self.roll)):
            raise ObjectiveError(f"{self} has an angle that is no finite number of degrees")
        _check(self.distance, self.field)

    @property
    def rotation(self) -> Tensor:
        """From the model to the eye's axes, to the right, up and back: (3, 3)."""
        (c, s), (d, t), (e, r) = (
            (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
            for angle in (self.azimuth, self.elevation, self.roll)
        )
        around = torch.tensor([[c, 0.0, -s], [0.0, 1.0, 0.0], [s, 0.0, c]], dtype=torch.float64)
        over = torch.tensor([[1.0, 0.0, 0.0], [0.0, d, -t], [0.0, t, d]], dtype=torch.float64)
        turned = torch.tensor([[e, -r, 0.0], [r, e, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
        return turned @ over @ around

    @property
    def focus(self) -> float:
        """The distance of a picture whose shorter side is 2."""
        return 1 / math.tan(math.radians(self.field) / 2)


@dataclass(frozen=True)
class RandomViews:
    """Views from anywhere, each range (low, high): directions are even over the sphere between the limits.

    `azimuths`, `elevations` and `rolls` are in degrees and `distances` in radii of the model, as in `View`.
    """

    azimuths: tuple[float, float] = (-180.0, 180.0)
    elevations: tuple[float, float] = (-90.0, 90.0)
    rolls: tuple[float, float] = (0.0, 0.0)
    distances: tuple[float, float] = (2.5, 4.0)
    field: float = 40.0

    def __post_init__(self) -> None:
        for name in ("azimuths", "elevations", "rolls", "distances"):
            low, high = getattr(self, name)
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise ObjectiveError(f"{name} = {(low, high)} must be two finite numbers, the lower one first")
        if self.elevations[0] < -90 or self.elevations[1] > 90:
            raise ObjectiveError(f"elevations = {self.elevations} must be between -90 and 90 degrees")
        _check(self.distances[0], self.field)

    def draw(self, generator: torch.Generator) -> View:
        """A view, drawn from the generator alone."""
        share = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
        heights = [math.sin(math.radians(limit)) for limit in self.elevations]
        height = heights[0] + share[1] * (heights[1] - heights[0])
        return View(
            _between(self.azimuths, share[0]),
            math.degrees(math.asin(max(-1.0, min(1.0, height)))),
            _between(self.rolls, share[2]),
            _between(self.distances, share[3]),
            self.field,
        )


def turntable(frames: int, *, elevation: float = 20.0, distance: float = 3.0, field: float = 40.0) -> tuple[View, ...]:
    """Views from all around, one turn in so many frames."""
    if frames < 1:
        raise ObjectiveError(f"frames = {frames} must be at least 1")
    return tuple(
        View(360.0 * frame / frames, elevation=elevation, distance=distance, field=field) for frame in range(frames)
    )


def _between(limits: tuple[float, float], share: float) -> float:
    return limits[0] + share * (limits[1] - limits[0])


def _check(distance: float, field: float) -> None:
    if not (math.isfinite(distance) and distance > 1):
        raise ObjectiveError(
            f"distance = {distance} must be above 1, the radius of the model: the eye is outside of it"
        )
    if not 0 < field < 180:
        raise ObjectiveError(f"field = {field} must be between 0 and 180 degrees")
