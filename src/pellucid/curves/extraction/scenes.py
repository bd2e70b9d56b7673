"""Scenes: curves in a texture, with the truth of where they lie."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.curves.stimuli import Curve, SCurve, Style, Texture, draw
from pellucid.curves.stimuli.raster import direction
from pellucid.errors import PellucidError

Stroke = Curve | SCurve
Points = NDArray[np.float64]
Size = tuple[int, int]
_TRIES = 1000
_ON = math.sqrt(0.5)  # px: pixels whose square the line can cross


@dataclass(frozen=True, eq=False)
class Scene:
    """An image (1, channels, H, W) with strokes, each with the place (y, x) of its apex or middle in pixels."""

    image: Tensor
    strokes: tuple[tuple[Stroke, tuple[float, float]], ...]

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return self.image.shape[2], self.image.shape[3]

    def distances(self, points: Points) -> NDArray[np.float64]:
        """How far places (M, 2), as (y, x) in pixels, lie from the middle of each stroke: (strokes, M)."""
        return np.stack([_distances(stroke, points - np.array(centre)) for stroke, centre in self.strokes])

    def paths(self, count: int = 200) -> list[Points]:
        """Places (count, 2), as (y, x), evenly along the middle of each stroke."""
        return [_path(stroke, count) + np.array(centre) for stroke, centre in self.strokes]

    def truths(self) -> NDArray[np.bool_]:
        """The pixels that the middle of each stroke crosses, or nearly: (strokes, H, W)."""
        pixels = np.moveaxis(np.indices(self.size), 0, -1).reshape(-1, 2).astype(np.float64)
        return (self.distances(pixels) <= _ON).reshape(len(self.strokes), *self.size)

    @property
    def truth(self) -> NDArray[np.bool_]:
        """The same of all strokes, (H, W)."""
        return np.logical_or.reduce(self.truths())


def curve_scene(seed: int, size: Size = (128, 128), *, style: Style | None = None, channels: int = 3) -> Scene:
    """One arc of 60 to 140 degrees, of a radius of .27 to .7 of the picture's shorter side, near the middle.

    It is at most 1.1 sides long, so that a part may lie outside of the picture. `style` is black on white by default.
    """
    rng, side = np.random.default_rng(seed), min(size)
    radius = float(rng.uniform(0.27, 0.7) * side)
    arc = min(float(rng.uniform(60, 140)), math.degrees(1.1 * side / radius))
    return _scene(
        [(Curve(float(rng.uniform(0, 360)), radius, arc), _near(rng, size, 0.16))], size, style, seed, channels
    )


def s_scene(seed: int, size: Size = (128, 128), *, style: Style | None = None, channels: int = 3) -> Scene:
    """One S curve, of either hand, with radii of .17 to .3 of the shorter side and halves of 60 to 110 degrees."""
    rng, side = np.random.default_rng(seed), min(size)
    radius = float(rng.uniform(0.17, 0.3) * side)
    arc = min(float(rng.uniform(60, 110)), math.degrees(0.45 * side / radius))
    bend = "clockwise" if rng.integers(2) else "anticlockwise"
    curve = SCurve(float(rng.uniform(0, 360)), radius, arc, bend)
    return _scene([(curve, _near(rng, size, 0.05))], size, style, seed, channels)


def two_curve_scene(
    seed: int, size: Size = (128, 128), *, apart: float = 90.0, style: Style | None = None, channels: int = 3
) -> Scene:
    """Two arcs, all inside the picture and .125 sides apart at least, whose orientations differ by `apart` degrees.

    Arcs have radii of .22 to .55 of the shorter side and 60 to 110 degrees, and are at most .63 sides long. Lines are
    darker than what they lie on.
    """
    if not 0 <= apart < 180:
        raise PellucidError(f"apart = {apart:g} must be from 0 to below 180 degrees")
    rng, side = np.random.default_rng(seed), min(size)

    def arc() -> tuple[Stroke, tuple[float, float]]:
        radius = float(rng.uniform(0.22, 0.55) * side)
        degrees = min(float(rng.uniform(60, 110)), math.degrees(0.63 * side / radius))
        return Curve(float(rng.uniform(0, 360)), radius, degrees), _near(rng, size, 0.31)

    for _ in range(_TRIES):
        strokes = [arc(), arc()]
        if _fit(strokes, size, apart):
            return _scene(strokes, size, style, seed, channels)
    raise PellucidError(f"no two arcs {apart:g} degrees apart fit into {size[0]}x{size[1]} px; make the picture larger")


def in_texture(texture: Texture, contrast: float = 0.5) -> Style:
    """A line darker by `contrast` than the grey .6 that the texture lies on, with the texture on both sides of it."""
    if not 0 < contrast <= 0.6:
        raise PellucidError(f"contrast = {contrast:g} must be above 0 and at most .6, that of black on the grey .6")
    return Style(foreground=0.6 - contrast, background=0.6, inside=texture, outside=texture)


def _near(rng: np.random.Generator, size: Size, reach: float) -> tuple[float, float]:
    """A place (y, x) at most `reach` times the shorter side from the middle, along each axis."""
    off = rng.uniform(-reach, reach, 2) * min(size)
    return float(size[0] / 2 + off[0]), float(size[1] / 2 + off[1])


def _scene(
    strokes: list[tuple[Stroke, tuple[float, float]]], size: Size, style: Style | None, seed: int, channels: int
) -> Scene:
    drawn = [
        draw(one, size, centre=centre, style=style, seed=seed, channels=channels, dtype=torch.float32)
        for one, centre in strokes
    ]
    # The darker of both: where one has no line, it is the texture that they share.
    return Scene(torch.stack(drawn).amin(dim=0), tuple(strokes))


def _fit(strokes: list[tuple[Stroke, tuple[float, float]]], size: Size, apart: float) -> bool:
    (first, at), (second, other) = strokes
    paths = [_path(first, 60) + np.array(at), _path(second, 60) + np.array(other)]
    inside = all(((path >= 2) & (path <= np.array(size) - 3)).all() for path in paths)
    turned = abs((first.orientation - second.orientation + 180) % 360 - 180)
    gap = np.linalg.norm(paths[0][:, None] - paths[1][None], axis=-1).min()
    return bool(inside and turned >= apart and gap >= 0.125 * min(size))


def _distances(stroke: Stroke, points: Points) -> NDArray[np.float64]:
    given = {name: torch.tensor(value, dtype=torch.float64) for name, value in stroke.parameters().items()}
    x, y = (torch.from_numpy(np.ascontiguousarray(points[:, axis])) for axis in (1, 0))
    return stroke.distances(given, x, y).line.abs().numpy()


def _path(stroke: Stroke, count: int) -> Points:
    if isinstance(stroke, SCurve):
        return np.array([(y, x) for x, y in stroke.path(count)])
    x, y = direction(stroke.orientation)
    angles = np.radians(stroke.orientation + 180 + stroke.arc * (np.arange(count) / max(count - 1, 1) - 0.5))
    return stroke.radius * np.stack([y + np.sin(angles), x + np.cos(angles)], axis=1)
