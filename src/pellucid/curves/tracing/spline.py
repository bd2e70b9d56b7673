"""Splines: smooth lines through control points, and points spread evenly along a line."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.errors import PellucidError

PIECES = 6
"""Straight pieces between two control points."""


def catmull_rom(knots: Tensor, pieces: int = PIECES) -> Tensor:
    """Points (M, 2) on the uniform Catmull-Rom spline through control points (K, 2), which are among them.

    Between the points p₁ and p₂ with the neighbours p₀ and p₃ it is
    ½(2p₁ + (p₂ - p₀)t + (2p₀ - 5p₁ + 4p₂ - p₃)t² + (3p₁ - p₀ - 3p₂ + p₃)t³) for t from 0 to 1, in `pieces` steps;
    beyond the ends the line through the last two is continued (Catmull and Rom 1974). Gradients flow to the control
    points. Raises `PellucidError` for fewer than two.
    """
    if knots.ndim != 2 or len(knots) < 2 or knots.shape[1] != 2:
        raise PellucidError(f"a spline has control points (K, 2), two or more, not {tuple(knots.shape)}")
    if pieces < 1:
        raise PellucidError(f"pieces = {pieces} between two control points must be 1 or more")
    longer = torch.cat([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    before, start, end, after = (longer[at : len(longer) - 3 + at, None] for at in range(4))
    t = (torch.arange(pieces, device=knots.device) / pieces).to(knots)[None, :, None]
    bent = 2 * before - 5 * start + 4 * end - after
    turned = 3 * start - before - 3 * end + after
    points = 0.5 * (2 * start + (end - before) * t + bent * t**2 + turned * t**3)
    return torch.cat([points.flatten(0, 1), knots[-1:]])


def length_of(line: NDArray[np.float64]) -> float:
    """The length in px of a line through points (M, 2)."""
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def evenly(line: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Points (count, 2) spread evenly along the straight pieces through points (M, 2), from end to end."""
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()])
    at = np.linspace(0, along[-1], count)
    return np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=1)
