"""Stimuli laid out in rows and columns: the columns turn them once round, the rows bend them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pellucid.curves.stimuli import Angle, Curve, Line, Stimulus
from pellucid.errors import PellucidError

ORIENTATIONS = tuple(range(0, 360, 5))
RADII = (0.6, 2.6)
"""The tightest and the flattest radius by default, in effective diameters of what the unit sees."""
OPENINGS = (180.0, 30.0)
"""The flattest and the sharpest angle by default, in degrees."""
ROWS = 16
_FEWEST = 4  # columns that go round

Numbers = NDArray[np.float64]


class Sweep(ABC):
    """Stimuli of one kind, in rows by a parameter and in columns by the `angles` they are turned to; abstract.

    Angles are `orientations` in degrees, in image coordinates (y down), clockwise from 3 o'clock, and go evenly once
    round `period`. Turned on by `turn` degrees they are what tuning curves are read by.
    """

    kind: ClassVar[str]
    row_name: ClassVar[str]
    row_unit: ClassVar[str]
    angle_name: ClassVar[str]
    period: ClassVar[float]
    turn: ClassVar[float]

    @property
    @abstractmethod
    def rows(self) -> Numbers:
        """What the rows stand for (R,), from flat to tight."""

    @property
    @abstractmethod
    def angles(self) -> Numbers:
        """The orientations of the columns (C,)."""

    @abstractmethod
    def stimulus(self, row: float, angle: float) -> Stimulus:
        """The stimulus of a row's value and an orientation."""

    def icon(self, row: float, angle: float, scale: float) -> Stimulus:
        """The same with all lengths but the line's thickness multiplied by `scale`."""
        return self.stimulus(row, angle)

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns."""
        return len(self.rows), len(self.angles)

    @property
    def step(self) -> float:
        """Degrees from one column to the next."""
        return self.period / len(self.angles)


@dataclass(frozen=True, eq=False)
class CurveSweep(Sweep):
    """Curves of radii (R,) in px, from flat to tight, at orientations of their centres of curvature (C,).

    Raises `PellucidError` for radii that are not above 0 px, or are there twice, and orientations that do not go evenly
    once round.
    """

    radii: Numbers
    orientations: Numbers
    kind: ClassVar[str] = "curve"
    row_name: ClassVar[str] = "radius"
    row_unit: ClassVar[str] = "px"
    angle_name: ClassVar[str] = "direction of the centre of curvature (degrees)"
    period: ClassVar[float] = 360.0
    turn: ClassVar[float] = 180.0  # to the outward normal

    def __post_init__(self) -> None:
        _check_round(self.orientations, self.period)
        _check_rows(self.radii, "radius", "px above 0", np.inf)

    @classmethod
    def about(
        cls,
        diameter: float,
        radii: Sequence[float] | None = None,
        orientations: Sequence[float] = ORIENTATIONS,
        *,
        count: int = ROWS,
    ) -> "CurveSweep":
        """Curves for a unit that sees `diameter` px: by default `count` radii, evenly from 2.6 to 0.6 diameters."""
        given = np.linspace(*RADII, count) * diameter if radii is None else radii
        return cls(_falling(given), np.asarray(orientations, np.float64))

    @property
    def rows(self) -> Numbers:
        """The radii in px."""
        return self.radii

    @property
    def angles(self) -> Numbers:
        """The directions of the centres of curvature."""
        return self.orientations

    def stimulus(self, row: float, angle: float) -> Stimulus:
        """The curve of a radius and an orientation."""
        return Curve(float(angle), float(row))

    def icon(self, row: float, angle: float, scale: float) -> Stimulus:
        """The same, smaller."""
        return Curve(float(angle), float(row) * scale)


@dataclass(frozen=True, eq=False)
class AngleSweep(Sweep):
    """Angles of openings (R,) in degrees, from 180 down, at orientations of the middles of their openings (C,).

    Their corners are rounded with the radius `rounding` in px, 0 for not at all. The tangent of an angle's corner is
    that of a curve of the same orientation. Raises `PellucidError` as `CurveSweep` does.
    """

    openings: Numbers
    orientations: Numbers
    rounding: float = 0.0
    kind: ClassVar[str] = "angle"
    row_name: ClassVar[str] = "opening"
    row_unit: ClassVar[str] = "°"
    angle_name: ClassVar[str] = "direction of the middle of the opening (degrees)"
    period: ClassVar[float] = 360.0
    turn: ClassVar[float] = 180.0

    def __post_init__(self) -> None:
        _check_round(self.orientations, self.period)
        _check_rows(self.openings, "opening", "degrees, above 0 and at most 180", 180)
        if not 0 <= self.rounding < np.inf:
            raise PellucidError(f"corners are rounded with a radius of 0 px or more, not {self.rounding:g}")

    @classmethod
    def of(
        cls,
        openings: Sequence[float] | None = None,
        orientations: Sequence[float] = ORIENTATIONS,
        *,
        rounding: float = 0.0,
        count: int = ROWS,
    ) -> "AngleSweep":
        """Angles, by default of `count` openings, evenly from 180 to 30 degrees."""
        given = np.linspace(*OPENINGS, count) if openings is None else openings
        return cls(_falling(given), np.asarray(orientations, np.float64), rounding)

    @property
    def rows(self) -> Numbers:
        """The openings in degrees."""
        return self.openings

    @property
    def angles(self) -> Numbers:
        """The directions of the middles of the openings."""
        return self.orientations

    def stimulus(self, row: float, angle: float) -> Stimulus:
        """The angle of an opening and an orientation."""
        return Angle(float(angle), float(row), self.rounding)

    def icon(self, row: float, angle: float, scale: float) -> Stimulus:
        """The same, smaller."""
        return Angle(float(angle), float(row), self.rounding * scale)


@dataclass(frozen=True, eq=False)
class LineSweep(Sweep):
    """Straight lines in one row, by their directions (C,), which go evenly once round 180 degrees."""

    orientations: Numbers
    kind: ClassVar[str] = "line"
    row_name: ClassVar[str] = "line"
    row_unit: ClassVar[str] = ""
    angle_name: ClassVar[str] = "direction (degrees)"
    period: ClassVar[float] = 180.0
    turn: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _check_round(self.orientations, self.period)

    @property
    def rows(self) -> Numbers:
        """One row, which stands for nothing."""
        return np.zeros(1)

    @property
    def angles(self) -> Numbers:
        """The directions of the lines."""
        return self.orientations

    def stimulus(self, row: float, angle: float) -> Stimulus:
        """The line of a direction."""
        return Line(float(angle))


def _falling(values: Sequence[float] | Numbers) -> Numbers:
    return np.sort(np.asarray(values, np.float64))[::-1]


def _check_round(angles: Numbers, period: float) -> None:
    count = len(angles)
    if count < _FEWEST or not np.allclose(np.diff(angles), period / count, rtol=0, atol=1e-6):
        raise PellucidError(
            f"the {count} orientations of a heatmap must go round {period:g} degrees in even steps, {_FEWEST} at "
            "least, as do 0, 5, ... without the closing one"
        )


def _check_rows(values: Numbers, name: str, law: str, most: float) -> None:
    if not len(values):
        raise PellucidError(f"a heatmap has one {name} at least")
    wrong = [value for value in values.tolist() if not (0 < value <= most and np.isfinite(value))]
    if wrong:
        raise PellucidError(f"the {name} of a stimulus is a number of {law}, not {wrong[0]:g}")
    if len(np.unique(values)) < len(values):
        raise PellucidError(f"a {name} is given twice; each is one row of a heatmap")
