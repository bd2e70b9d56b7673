"""Stimuli a second time: sample by sample, in plain geometry, nothing clever."""

import cmath
import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pellucid.curves import Angle, Circle, Comb, Curve, Line, Stimulus

Point = tuple[float, float]  # (x, y) from the centre, y down
Picture = NDArray[np.float64]


def picture(
    stimulus: Stimulus, size: tuple[int, int], centre: tuple[float, float], samples: int, *, fill: bool = False
) -> Picture:
    """Black line on white, or black inside on white: the mean over samples² places of each pixel, (H, W)."""
    drawn = np.zeros(size)
    for row, column in np.ndindex(*size):
        places = samples_of(column - centre[1], row - centre[0], samples)
        drawn[row, column] = 1 - sum(blackness(stimulus, place, fill, samples) for place in places) / samples**2
    return drawn


def samples_of(x: float, y: float, samples: int) -> Iterator[Point]:
    """Evenly spaced places in the square of side 1 around (x, y)."""
    for i in range(samples):
        for j in range(samples):
            yield x - 0.5 + (j + 0.5) / samples, y - 0.5 + (i + 0.5) / samples


def blackness(stimulus: Stimulus, place: Point, fill: bool, samples: int) -> float:
    """How much a place is on the line or the ticks; filled, how much in exactly one of inside and ticks."""
    tick = 0.0
    if isinstance(stimulus, Comb):
        nearest = min(to_segment(place, *ends) for ends in tick_segments(stimulus))
        tick = soft_band(nearest, stimulus.tick_width, samples)
    if fill:
        sign = 1 if is_inside(stimulus, place) else -1
        inside = soft_step(sign * to_line(without_ends(stimulus), place) * samples)
        return inside * (1 - tick) + tick * (1 - inside)
    width: float = stimulus.width  # pyright: ignore[reportAttributeAccessIssue]
    return max(tick, soft_band(to_line(stimulus, place), width, samples))


def soft_step(t: float) -> float:
    """The integral of the triangle 1 - |t| from -1 to t."""
    if t <= -1:
        return 0.0
    if t >= 1:
        return 1.0
    return (1 + t) ** 2 / 2 if t < 0 else 1 - (1 - t) ** 2 / 2


def soft_band(distance: float, half: float, samples: int) -> float:
    """A band of half thickness `half` under the triangle."""
    return soft_step((distance + half) * samples) - soft_step((distance - half) * samples)


def without_ends(stimulus: Stimulus) -> Stimulus:
    """The same shape with the whole border between its sides drawn."""
    whole = {"arc": 360.0, "length": math.inf, "arm": math.inf}
    names = {field.name for field in fields(stimulus)}  # pyright: ignore[reportArgumentType]
    if isinstance(stimulus, Comb):
        names -= {"length"}
    return replace(stimulus, **{name: value for name, value in whole.items() if name in names})  # pyright: ignore


def is_inside(stimulus: Stimulus, place: Point) -> bool:
    """Whether a place lies on the side of the centre of curvature."""
    match stimulus:
        case Circle():
            return math.hypot(*place) < stimulus.radius
        case Line():
            x, y = towards(stimulus.orientation + 90)
            return place[0] * x + place[1] * y > 0
        case Curve() | Comb():
            middle = middle_of(stimulus)
            if middle is None:
                x, y = towards(stimulus.orientation)
                return place[0] * x + place[1] * y > 0
            return math.dist(place, middle) < stimulus.radius
        case Angle():
            corner, arms = corner_of(stimulus)
            from_corner = complex(place[0] - corner[0], place[1] - corner[1])
            if abs(turn(from_corner, stimulus.orientation)) >= stimulus.opening / 2:
                return False
            middle = rounding_middle(stimulus)
            # Between the corner and the two points where the arc begins, only the arc's disc is inside.
            before = all(
                dot((place[0] - middle[0], place[1] - middle[1]), (end[0] - start[0], end[1] - start[1])) < 0
                for start, end in arms
            )
            return math.dist(place, middle) < stimulus.rounding if before else True
    raise NotImplementedError(stimulus)


def to_line(stimulus: Stimulus, place: Point) -> float:
    """The distance to the line that is drawn."""
    match stimulus:
        case Circle():
            return abs(math.hypot(*place) - stimulus.radius)
        case Line():
            x, y = towards(stimulus.orientation)
            half = min(stimulus.length / 2, 1e4)
            return to_segment(place, (-half * x, -half * y), (half * x, half * y))
        case Curve() | Comb():
            middle = middle_of(stimulus)
            if middle is None:
                x, y = towards(stimulus.orientation + 90)
                return to_segment(place, (-1e4 * x, -1e4 * y), (1e4 * x, 1e4 * y))
            return to_arc(place, middle, stimulus.radius, stimulus.orientation + 180, stimulus.arc / 2)
        case Angle():
            _, arms = corner_of(stimulus)
            straight = min(to_segment(place, *arm) for arm in arms)
            middle = rounding_middle(stimulus)
            bend = 90 - stimulus.opening / 2
            return min(straight, to_arc(place, middle, stimulus.rounding, stimulus.orientation + 180, bend))
    raise NotImplementedError(stimulus)


def to_arc(place: Point, middle: Point, radius: float, apex: float, half: float) -> float:
    """The distance to the arc around `middle` that reaches `half` degrees to both sides of the direction `apex`."""
    around = complex(place[0] - middle[0], place[1] - middle[1])
    if half >= 180 or abs(turn(around, apex)) <= half:
        return abs(abs(around) - radius)
    ends = [towards(apex + sign * half) for sign in (-1, 1)]
    return min(math.dist(place, (middle[0] + radius * x, middle[1] + radius * y)) for x, y in ends)


def tick_segments(comb: Comb) -> Iterator[tuple[Point, Point]]:
    """Both ends of every tick."""
    low = 0 if comb.side == "inside" else -comb.length
    high = 0 if comb.side == "outside" else comb.length
    if math.isinf(comb.radius):
        (nx, ny), (tx, ty) = towards(comb.orientation), towards(comb.orientation + 90)
        for k in range(-10, 11):
            s = k * comb.spacing
            yield (s * tx + low * nx, s * ty + low * ny), (s * tx + high * nx, s * ty + high * ny)
        return
    middle = middle_of(comb)
    assert middle is not None
    last = int(math.radians(comb.arc) / 2 * comb.radius / comb.spacing)
    for k in range(-last, last + 1):
        x, y = towards(comb.orientation + 180 + math.degrees(k * comb.spacing / comb.radius))
        yield (
            (middle[0] + (comb.radius - low) * x, middle[1] + (comb.radius - low) * y),
            (middle[0] + (comb.radius - high) * x, middle[1] + (comb.radius - high) * y),
        )


def middle_of(curve: Curve | Comb) -> Point | None:
    """The centre of curvature, None of a straight line."""
    if math.isinf(curve.radius):
        return None
    x, y = towards(curve.orientation)
    return curve.radius * x, curve.radius * y


def rounding_middle(angle: Angle) -> Point:
    """The centre of the rounded corner's arc."""
    x, y = towards(angle.orientation)
    return angle.rounding * x, angle.rounding * y


def corner_of(angle: Angle) -> tuple[Point, list[tuple[Point, Point]]]:
    """Where the arms would meet, and each arm from where the arc ends."""
    half = math.radians(angle.opening / 2)
    x, y = towards(angle.orientation)
    back = angle.rounding / math.sin(half) - angle.rounding
    corner = -back * x, -back * y
    start = angle.rounding / math.tan(half)
    arms = []
    for sign in (-1, 1):
        ax, ay = towards(angle.orientation + sign * angle.opening / 2)
        end = start + min(angle.arm, 1e4)
        arms.append(((corner[0] + start * ax, corner[1] + start * ay), (corner[0] + end * ax, corner[1] + end * ay)))
    return corner, arms


def to_segment(place: Point, start: Point, end: Point) -> float:
    """The distance to a straight piece."""
    along = end[0] - start[0], end[1] - start[1]
    length = dot(along, along)
    share = 0.0 if length == 0 else dot((place[0] - start[0], place[1] - start[1]), along) / length
    share = min(1.0, max(0.0, share))
    return math.dist(place, (start[0] + share * along[0], start[1] + share * along[1]))


def lucid_corner(place: Point, orientation: float, radius: float, opening: float = 90.0) -> float:
    """The implicit function of Lucid's rounded corner; negative on the side away from the centre of curvature.

    Half-plane coordinates of the two arms, each moved by r(1 - 1/√2), under Olah's rounded minimum (2011).
    """
    first, second = math.radians(orientation + 90 - opening / 2), math.radians(orientation + 90 + opening / 2 + 180)
    a, b = (place[0] * math.cos(t) + place[1] * math.sin(t) + radius * (1 - math.sqrt(0.5)) for t in (first, second))
    if radius == 0 or abs(a - b) >= radius:
        return min(a, b)
    return b + radius * math.sin(math.pi / 4 + math.asin((a - b) / (radius * math.sqrt(2)))) - radius


def grating(
    size: tuple[int, int], centre: tuple[float, float], orientation: float, wavelength: float, phase: float
) -> Picture:
    """White minus the foreground's share: the wave's mean over each pixel, by 40² samples."""
    x, y = towards(orientation + 90)

    def wave(place: Point) -> float:
        return 0.5 + 0.5 * math.cos(2 * math.pi * (place[0] * x + place[1] * y) / wavelength + math.radians(phase))

    return 1 - mean_over_pixels(wave, size, centre, 40)


def mean_over_pixels(
    value: Callable[[Point], float], size: tuple[int, int], centre: tuple[float, float], samples: int
) -> Picture:
    """The mean of a function over each pixel."""
    drawn = np.zeros(size)
    for row, column in np.ndindex(*size):
        places = samples_of(column - centre[1], row - centre[0], samples)
        drawn[row, column] = math.fsum(map(value, places)) / samples**2
    return drawn


def spectral_slope(field: Picture) -> float:
    """The slope of log amplitude over log frequency, from the mean power in rings of frequency (H, W)."""
    height, width = field.shape
    power = np.abs(np.fft.fft2(field)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    edges = np.geomspace(3 / min(height, width), 0.5, 12)
    means, middles = [], []
    for low, high in pairwise(edges):
        ring = (radius >= low) & (radius < high)
        means.append(math.log(power[ring].mean()) / 2)
        middles.append(np.log(radius[ring]).mean())
    return float(np.polyfit(middles, means, 1)[0])


def towards(degrees: float) -> Point:
    """The unit vector of an angle, clockwise from 3 o'clock with y down."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def turn(vector: complex, degrees: float) -> float:
    """The angle of a vector from a direction, in degrees from -180 to 180."""
    return math.degrees(cmath.phase(vector * cmath.exp(-1j * math.radians(degrees)))) if vector else 0.0


def dot(a: Point, b: Point) -> float:
    """The scalar product."""
    return a[0] * b[0] + a[1] * b[1]
