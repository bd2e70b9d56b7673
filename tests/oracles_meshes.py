"""Models in three dimensions, seen a second time: a ray for every pixel, slowly and plainly, in float64."""

import math

import numpy as np

Array = np.ndarray


def rays(azimuth: float, elevation: float, roll: float, distance: float, field: float, size: tuple[int, int]):
    """The eye, and for every pixel of a picture the direction of its ray (H, W, 3), in the model's axes."""
    a, e, r = (math.radians(angle) for angle in (azimuth, elevation, roll))
    back = np.array([math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)])
    right = np.array([math.cos(a), 0.0, -math.sin(a)])
    up = np.cross(back, right)
    height, width = size
    directions = np.zeros((height, width, 3))
    for row in range(height):
        for column in range(width):
            x = (column + 0.5 - width / 2) / (min(size) / 2) * math.tan(math.radians(field) / 2)
            y = (height / 2 - row - 0.5) / (min(size) / 2) * math.tan(math.radians(field) / 2)
            # What the eye sees is turned, so that a pixel looks where the opposite turn takes it.
            x, y = math.cos(r) * x + math.sin(r) * y, -math.sin(r) * x + math.cos(r) * y
            directions[row, column] = x * right + y * up - back
    return distance * back, directions


def in_unit_ball(positions: Array, faces: Array) -> Array:
    """The triangles (F, 3, 3) about the middle of their box, the farthest corner at a distance of 1."""
    corners = positions[faces]
    flat = corners.reshape(-1, 3)
    middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
    return (corners - middle) / max(math.dist(corner, middle) for corner in flat)


def cast(eye: Array, direction: Array, triangles: Array) -> tuple[float, int, float, float]:
    """The nearest triangle on a ray: its distance in lengths of the direction, its number, and where it is met.

    By the method of Möller and Trumbore: the corner's shares are (1 - b - c, b, c).
    """
    best = (math.inf, -1, 0.0, 0.0)
    for number, (first, second, third) in enumerate(triangles):
        along, across = second - first, third - first
        normal = np.cross(direction, across)
        determinant = float(along @ normal)
        if abs(determinant) < 1e-14:
            continue
        offset = eye - first
        b = float(offset @ normal) / determinant
        turned = np.cross(offset, along)
        c = float(direction @ turned) / determinant
        t = float(across @ turned) / determinant
        if b >= -1e-9 and c >= -1e-9 and b + c <= 1 + 1e-9 and 0 < t < best[0] - 1e-12:
            best = (t, number, b, c)
    return best


def box_depth(eye: Array, direction: Array, half: float) -> float:
    """How far away the box [-half, half]³ is on a ray, by its three slabs; infinity beside it."""
    enter, leave = -math.inf, math.inf
    for axis in range(3):
        if direction[axis] == 0:
            if abs(eye[axis]) > half:
                return math.inf
            continue
        ends = sorted(((-half - eye[axis]) / direction[axis], (half - eye[axis]) / direction[axis]))
        enter, leave = max(enter, ends[0]), min(leave, ends[1])
    return enter if enter <= leave else math.inf


def ball_depth(eye: Array, direction: Array) -> float:
    """How far away the unit ball is on a ray; infinity beside it."""
    a, b, c = direction @ direction, eye @ direction, eye @ eye - 1
    inside = b * b - a * c
    return float(-b - math.sqrt(inside)) / float(a) if inside >= 0 else math.inf


def texel(texture: Array, u: float, v: float) -> Array:
    """A texture (C, H, W) at (u, v), bilinearly between the four nearest pixels, which go on periodically."""
    _, height, width = texture.shape
    x, y = u * width - 0.5, (1 - v) * height - 0.5
    left, top = math.floor(x), math.floor(y)
    total = np.zeros(len(texture))
    for row in (top, top + 1):
        for column in (left, left + 1):
            weight = (1 - abs(x - column)) * (1 - abs(y - row))
            total += weight * texture[:, row % height, column % width]
    return total
