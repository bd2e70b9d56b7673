"""Kernels that look for a stroke, an arc or a line, in maps of oriented units; each weight is a formula.

Angles are in degrees, clockwise from 3 o'clock, with y downwards. An arc is known by its outward normal (0 is ")", 90
is "U"), a line by its normal modulo 180 (0 is vertical). Every kernel is for one stroke through the middle of its
window, and a weight is the product of two questions: how far is this cell from the stroke, and how well does the unit
that is heard there fit the stroke's direction at that place?
"""

from dataclasses import dataclass

import torch
from torch import Tensor

SURROUND = 0.1  # off the stroke, units of its direction inhibit by this share
SHARPNESS = 2.4  # exponent of the profile across the stroke: flatter on top than a Gaussian's 2


@dataclass(frozen=True)
class Strokes:
    """Strokes through the middle of a window: one for each unit, as maps (units, size, size) in float64.

    `distance` is that of each cell from the stroke, in cells; `normal` the direction of the stroke's normal at the
    nearest point, in degrees.
    """

    distance: Tensor
    normal: Tensor

    @classmethod
    def lines(cls, size: int, normals: Tensor) -> "Strokes":
        """Straight lines with these normals."""
        x, y, across_x, across_y = _window(size, normals)
        return cls(x * across_x + y * across_y, normals[:, None, None].expand(-1, size, size))

    @classmethod
    def arcs(cls, size: int, normals: Tensor, radius: float) -> "Strokes":
        """Arcs of circles of this radius, in cells, whose outward normals in the middle of the window are given."""
        x, y, out_x, out_y = _window(size, normals)
        from_center_x, from_center_y = x + radius * out_x, y + radius * out_y
        return cls(
            torch.hypot(from_center_x, from_center_y) - radius,
            torch.rad2deg(torch.atan2(from_center_y, from_center_x)),
        )

    def on(self, width: float) -> Tensor:
        """How much a cell lies on the stroke, (units, 1, size, size): exp(-|d / width|^2.4)."""
        return torch.exp(-((self.distance.abs() / width) ** SHARPNESS))[:, None]

    def turned(self, heard: Tensor, period: float) -> Tensor:
        """By how many degrees units with these directions are turned from the stroke, (units, heard, size, size)."""
        return _wrapped(heard[:, None, None] - self.normal[:, None], period)


def hearing_lines(
    strokes: Strokes, heard: Tensor, *, width: float, tuning: float, oblique: float, lobe: float
) -> Tensor:
    """Weights (units, heard, size, size) with which strokes hear line units of the normals `heard`.

    Excitation falls off as a Gaussian of `tuning` degrees around the stroke's direction; lines turned by `lobe` degrees
    to either side inhibit, by `oblique`, with a Gaussian of 13 degrees. `width` is in cells.
    """
    turned, on = strokes.turned(heard, 180), strokes.on(width)
    return _excitation(turned, on, tuning) - oblique * _bell(turned.abs() - lobe, 13) * on


def hearing_curves(
    strokes: Strokes, heard: Tensor, *, width: float, tuning: float, opposite: float, spread: float
) -> Tensor:
    """Weights (units, heard, size, size) with which arcs hear curve units of the outward normals `heard`.

    Excitation falls off as a Gaussian of `tuning` degrees; curves that bend the other way inhibit by `opposite`.
    """
    turned, on = strokes.turned(heard, 360), strokes.on(width)
    return _excitation(turned, on, tuning) - opposite * _bell(_wrapped(turned - 180, 360), spread) * on


def scaled(weights: Tensor, gain: float) -> Tensor:
    """Weights of which the positive ones of each unit sum to `gain`."""
    return weights * gain / weights.clamp(min=0).sum(dim=(1, 2, 3), keepdim=True)


def gabors(size: int, normals: Tensor, phases: Tensor, *, wavelength: float, deviation: float) -> Tensor:
    """Gabor filters (normals * phases, 1, size, size) without mean, whose absolute weights sum to 1.

    `wavelength` and `deviation`, that of the Gaussian envelope, are in pixels, phases in degrees. The mean is taken out
    in the envelope's own form, so that the filters still fade towards their borders.
    """
    x, y, across_x, across_y = _window(size, normals)
    envelope = _bell(torch.hypot(x, y), deviation)
    wave = 2 * torch.pi * (x * across_x + y * across_y) / wavelength
    filters = envelope * torch.cos(wave[:, None] + torch.deg2rad(phases)[:, None, None])
    filters = filters - envelope * filters.sum(dim=(2, 3), keepdim=True) / envelope.sum()
    filters = filters / filters.abs().sum(dim=(2, 3), keepdim=True)
    return filters.flatten(0, 1)[:, None]


def _excitation(turned: Tensor, on: Tensor, tuning: float) -> Tensor:
    return _bell(turned, tuning) * ((1 + SURROUND) * on - SURROUND)


def _bell(x: Tensor, deviation: float) -> Tensor:
    return torch.exp(-((x / deviation) ** 2) / 2)


def _wrapped(angle: Tensor, period: float) -> Tensor:
    """The same angle between minus half a period and half a period."""
    return (angle + period / 2) % period - period / 2


def _window(size: int, normals: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Coordinates x and y of a window's cells from its middle, and the normals' own x and y."""
    along = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    y, x = torch.meshgrid(along, along, indexing="ij")
    turn = torch.deg2rad(normals.double())[:, None, None]
    return x, y, turn.cos(), turn.sin()
