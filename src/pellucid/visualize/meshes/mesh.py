"""A surface of triangles with texture coordinates."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.visualize.objectives.places import fingerprint


@dataclass(frozen=True, eq=False, repr=False)
class Mesh:
    """A surface of triangles on which a texture lies.

    `positions` (V, 3) are points, x to the right, y up and z towards the eye; `faces` (F, 3) the numbers of each
    triangle's three points, from 0; `coordinates` (F, 3, 2) the texture coordinates (u, v) of these corners, u from the
    texture's left edge to its right and v from its lower edge to its upper, 1 apart; beyond them the texture goes on
    periodically. All are kept on the CPU in float64. Raises `ObjectiveError` for other shapes, points that are not
    there, and numbers that are not finite.
    """

    positions: Tensor
    faces: Tensor
    coordinates: Tensor

    def __post_init__(self) -> None:
        positions, coordinates = (part.detach().double().cpu() for part in (self.positions, self.coordinates))
        faces = self.faces.detach().long().cpu()
        count = len(faces)
        if positions.ndim != 2 or positions.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
            raise ObjectiveError(
                f"a mesh has positions (V, 3) and faces (F, 3), not {tuple(positions.shape)} and {tuple(faces.shape)}"
            )
        if tuple(coordinates.shape) != (count, 3, 2):
            raise ObjectiveError(
                f"{count} triangles have texture coordinates ({count}, 3, 2), not {tuple(coordinates.shape)}"
            )
        if not count:
            raise ObjectiveError("a mesh without a triangle shows nothing")
        if int(faces.min()) < 0 or int(faces.max()) >= len(positions):
            wrong = int(faces.min()) if int(faces.min()) < 0 else int(faces.max())
            raise ObjectiveError(f"a triangle has the point {wrong}; there are {len(positions)}, from 0")
        if not bool(positions.isfinite().all() and coordinates.isfinite().all()):
            raise ObjectiveError("positions and texture coordinates of a mesh must be finite numbers")
        for name, value in (("positions", positions), ("faces", faces), ("coordinates", coordinates)):
            object.__setattr__(self, name, value)
        if not float(self._reach) > 0:
            raise ObjectiveError("all points of the mesh's triangles are one and the same")

    def __repr__(self) -> str:
        parts = (self.positions, self.faces, self.coordinates)
        return f"Mesh({len(self.faces)} triangles, {' '.join(map(fingerprint, parts))})"

    @cached_property
    def corners(self) -> Tensor:
        """The triangles (F, 3, 3) about the middle of their bounding box, the farthest corner at a distance of 1."""
        return (self.positions[self.faces] - self._middle) / self._reach

    @property
    def _middle(self) -> Tensor:
        used = self.positions[self.faces].flatten(0, 1)
        return (used.amin(dim=0) + used.amax(dim=0)) / 2

    @property
    def _reach(self) -> Tensor:
        return torch.linalg.vector_norm(self.positions[self.faces] - self._middle, dim=2).max()
