"""Surfaces that need no file: a square, a cube, a sphere, a torus."""

from collections.abc import Callable

import torch
from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.visualize.meshes.mesh import Mesh


def square() -> Mesh:
    """A flat square that looks along z: seen from in front it shows the texture as it is."""
    return _sheet(1, 1, lambda u, v: torch.stack([2 * u - 1, 2 * v - 1, torch.zeros_like(u)], dim=-1))


def cube() -> Mesh:
    """A cube; each of its sides has a sixth of the texture, three of them side by side above the other three.

    Above are the front (+z), the right (+x) and the back (-z), below the left (-x), the top (+y) and the bottom (-y).
    """
    front = square().positions[square().faces] + torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    unit = square().coordinates
    sides, coordinates = [], []
    for index, turn in enumerate(_TURNS):
        sides.append(front @ torch.tensor(turn, dtype=torch.float64).T)
        corner = torch.tensor([index % 3, 1 - index // 3], dtype=torch.float64)
        coordinates.append((unit + corner) / torch.tensor([3.0, 2.0], dtype=torch.float64))
    triangles = torch.cat(sides)
    faces = torch.arange(3 * len(triangles)).reshape(-1, 3)
    return Mesh(triangles.flatten(0, 1), faces, torch.cat(coordinates))


def sphere(rows: int = 24, columns: int = 48) -> Mesh:
    """A sphere with its poles up and down; u goes around it, 0.5 in front, and v from the south pole to the north."""
    _enough(rows, columns, 2)

    def place(u: Tensor, v: Tensor) -> Tensor:
        longitude, latitude = 2 * torch.pi * (u - 0.5), torch.pi * (v - 0.5)
        around = latitude.cos()
        return torch.stack([longitude.sin() * around, latitude.sin(), longitude.cos() * around], dim=-1)

    return _sheet(rows, columns, place)


def torus(rows: int = 24, columns: int = 48, *, thickness: float = 0.4) -> Mesh:
    """A ring that lies flat, its tube's radius `thickness` of the ring's; u goes around the ring, v around the tube."""
    _enough(rows, columns, 3)
    if not 0 < thickness < 1:
        raise ObjectiveError(f"thickness = {thickness} must be between 0 and 1: the tube's radius by the ring's")

    def place(u: Tensor, v: Tensor) -> Tensor:
        ring, tube = 2 * torch.pi * (u - 0.5), 2 * torch.pi * (v - 0.5)
        out = 1 + thickness * tube.cos()
        return torch.stack([ring.sin() * out, thickness * tube.sin(), ring.cos() * out], dim=-1)

    return _sheet(rows, columns, place)


# What turns the front of a cube to each of its sides.
_TURNS = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),
    ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
    ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
)


def _sheet(rows: int, columns: int, place: Callable[[Tensor, Tensor], Tensor]) -> Mesh:
    """A grid of (u, v), each of its cells two triangles, bent to where `place` puts it."""
    v, u = torch.meshgrid(
        torch.linspace(0, 1, rows + 1, dtype=torch.float64),
        torch.linspace(0, 1, columns + 1, dtype=torch.float64),
        indexing="ij",
    )
    positions = place(u, v).flatten(0, 1)
    numbers = torch.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    low, right, up, both = numbers[:-1, :-1], numbers[:-1, 1:], numbers[1:, :-1], numbers[1:, 1:]
    cells = torch.stack([torch.stack([low, right, both], dim=-1), torch.stack([low, both, up], dim=-1)], dim=2)
    faces = cells.reshape(-1, 3)
    first, second, third = positions[faces].unbind(dim=1)
    # At a pole one of the two triangles has no area.
    solid = torch.linalg.vector_norm(torch.linalg.cross(second - first, third - first), dim=1) > 1e-12
    faces = faces[solid]
    coordinates = torch.stack([u.flatten(), v.flatten()], dim=1)[faces]
    return Mesh(positions, faces, coordinates)


def _enough(rows: int, columns: int, least: int) -> None:
    if rows < least or columns < 3:
        raise ObjectiveError(f"{rows} rows and {columns} columns enclose nothing; give at least {least} and 3")
