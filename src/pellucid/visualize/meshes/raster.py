"""Which point of a texture stands at each pixel of a view."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.errors import ObjectiveError
from pellucid.visualize.meshes.mesh import Mesh
from pellucid.visualize.meshes.view import View

_AT_ONCE = 1 << 16  # pairs of a triangle and a pixel
_EDGE = 1e-9  # how far outside of a triangle counts as inside: no pixel falls between two neighbours
_MARGIN = 1e-6  # of a pixel, around a triangle, for the same reason


@dataclass(frozen=True)
class Raster:
    """What stands at each pixel of a view, on the CPU.

    `coordinates` (H, W, 2) are the texture coordinates (u, v) in float64, `mask` (H, W) says where there is a model at
    all, `depth` (H, W) is its distance from the eye along the line of sight, infinite where there is none, and `faces`
    (H, W) the number of the triangle, -1 where there is none.
    """

    coordinates: Tensor
    mask: Tensor
    depth: Tensor
    faces: Tensor


def rasterize(mesh: Mesh, view: View, size: tuple[int, int]) -> Raster:
    """What stands at the pixels of a picture of a size (height, width): the nearest triangle, either side up.

    A point p = Σ b_i c_i of a triangle with the corners c_i, seen from the eye, lies on the ray t·d of a pixel where
    b / t = C⁻¹ d, C having the corners as columns. So b, and the texture coordinates Σ b_i (u_i, v_i), are those on the
    triangle, not on its picture: they are right in perspective. A pixel's ray goes through its centre. No gradient.
    """
    height, width = size
    if min(size) < 1:
        raise ObjectiveError(f"a view of {height}x{width} pixels shows nothing")
    corners = mesh.corners @ view.rotation.T
    corners = torch.cat([corners[..., :2], view.distance - corners[..., 2:]], dim=2)  # right, up, away from the eye
    planes = _planes(corners)
    depth = torch.full((height * width,), torch.inf, dtype=torch.float64)
    faces = torch.full((height * width,), -1)
    for face, pixel in _candidates(corners, view, size):
        parts = _parts(planes, face, pixel, view, size)
        total = parts.sum(dim=0)
        inside = (total > 0) & (parts.amin(dim=0) >= -_EDGE * total)
        face, pixel, near = face[inside], pixel[inside], 1 / total[inside]
        nearest = depth.scatter_reduce(0, pixel, near, "amin")
        first = (near == nearest[pixel]) & (nearest[pixel] < depth[pixel])
        # Of triangles at the same depth, as along an edge, the first one, in whatever order pairs come.
        chosen = torch.full_like(faces, len(mesh.faces)).scatter_reduce(0, pixel[first], face[first], "amin")
        faces = torch.where(chosen < len(mesh.faces), chosen, faces)
        depth = nearest
    mask = faces >= 0
    coordinates = torch.zeros(height * width, 2, dtype=torch.float64)
    hit = mask.nonzero()[:, 0]
    parts = _parts(planes, faces[hit], hit, view, size)
    corners_of = mesh.coordinates[faces[hit]]
    coordinates[hit] = (corners_of * (parts / parts.sum(dim=0)).T[:, :, None]).sum(dim=1)
    return Raster(
        coordinates.reshape(height, width, 2),
        mask.reshape(height, width),
        depth.reshape(height, width),
        faces.reshape(height, width),
    )


def _planes(corners: Tensor) -> Tensor:
    """C⁻¹ of every triangle (3, 3, F), row, column and triangle; zero where the eye sees only its edge."""
    first, second, third = corners.unbind(dim=1)
    around = ((second, third), (third, first), (first, second))
    rows = torch.stack([torch.linalg.cross(*pair).T for pair in around])
    volume = (first.T * rows[0]).sum(dim=0)
    return torch.where(volume.abs() > 1e-14, rows / volume, 0.0)


def _parts(planes: Tensor, faces: Tensor, pixels: Tensor, view: View, size: tuple[int, int]) -> Tensor:
    """b / t for pairs of a triangle and a pixel, by their numbers: (3, n)."""
    height, width = size
    scale = 1 / (min(size) * view.focus)
    right = (2 * (pixels % width) + 1 - width).double() * scale
    up = (height - 1 - 2 * pixels.div(width, rounding_mode="floor")).double() * scale
    own = planes[:, :, faces]
    return own[:, 0] * right + own[:, 1] * up + own[:, 2]


def _candidates(corners: Tensor, view: View, size: tuple[int, int]) -> Iterator[tuple[Tensor, Tensor]]:
    """Triangles and the numbers of the pixels in the rectangle around each, pair by pair, some at a time."""
    height, width = size
    half = min(size) * view.focus / 2
    columns = corners[..., 0] / corners[..., 2] * half + (width - 1) / 2
    rows = (height - 1) / 2 - corners[..., 1] / corners[..., 2] * half
    left, right = (columns.amin(dim=1) - _MARGIN).ceil().long(), (columns.amax(dim=1) + _MARGIN).floor().long()
    top, bottom = (rows.amin(dim=1) - _MARGIN).ceil().long(), (rows.amax(dim=1) + _MARGIN).floor().long()
    left, top = left.clamp_min(0), top.clamp_min(0)
    across = (right.clamp_max(width - 1) - left + 1).clamp_min(0)
    counts = across * (bottom.clamp_max(height - 1) - top + 1).clamp_min(0)
    ends = counts.cumsum(dim=0)
    for start in range(0, int(ends[-1]), _AT_ONCE):
        place = torch.arange(start, min(start + _AT_ONCE, int(ends[-1])))
        face = torch.searchsorted(ends, place, right=True)
        place = place - (ends[face] - counts[face])
        row = top[face] + place.div(across[face], rounding_mode="floor")
        yield face, row * width + left[face] + place % across[face]
