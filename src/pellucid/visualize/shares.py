"""In which shares the pictures of a group stand between a few of them, its ends."""

import torch
from torch import Tensor

from pellucid.errors import ObjectiveError


def grid_shares(rows: int, columns: int) -> Tensor:
    """Bilinear shares of a grid's corners, row by row: (rows · columns, 4), above left, above right, below left, right.

    A grid of one row or one column is a line between two ends: (length, 2).
    """
    if min(rows, columns) < 1 or max(rows, columns) < 2:
        raise ObjectiveError(f"a grid of {rows} rows and {columns} columns has nothing between its corners")
    down, right = (torch.linspace(0, 1, length, dtype=torch.float64) for length in (rows, columns))
    lines = [torch.stack([1 - way, way], dim=1)[:, :, None] for way in (down, right) if len(way) > 1]
    if len(lines) == 1:
        return lines[0][:, :, 0]
    vertical, horizontal = (line[:, :, 0] for line in lines)
    return torch.einsum("ia,jb->ijab", vertical, horizontal).reshape(rows * columns, 4)


def pair_shares(ends: int, steps: int) -> Tensor:
    """Linear shares of every pair of several ends: (pictures, ends).

    First come the ends themselves, then for each pair (0, 1), (0, 2), ..., (1, 2), ... the `steps` pictures between.
    """
    if ends < 2 or steps < 1:
        raise ObjectiveError(f"{steps} pictures between each two of {ends} ends are none; give 1 and 2 or more")
    own = torch.eye(ends, dtype=torch.float64)
    rows = [own]
    for first in range(ends):
        for second in range(first + 1, ends):
            way = torch.arange(1, steps + 1, dtype=torch.float64)[:, None] / (steps + 1)
            rows.append((1 - way) * own[first] + way * own[second])
    return torch.cat(rows)


def ends_of(shares: Tensor) -> list[int]:
    """The pictures that are the ends: for each column the first row that has all of it.

    Raises `ObjectiveError` for shares that are not (pictures, ends), that do not add up to 1, or without such rows.
    """
    if shares.ndim != 2 or not len(shares) or not shares.shape[1]:
        raise ObjectiveError(f"shares are (pictures, ends), not of shape {tuple(shares.shape)}")
    if not bool(((shares >= 0) & (shares <= 1)).all()) or not torch.allclose(
        shares.sum(dim=1), shares.new_ones(len(shares)), atol=1e-6
    ):
        raise ObjectiveError("every picture's shares must be between 0 and 1 and add up to 1")
    whole = shares == 1
    if not bool(whole.any(dim=0).all()):
        missing = int((~whole.any(dim=0)).nonzero()[0])
        raise ObjectiveError(f"no picture has all of end {missing}; the ends must be among the pictures")
    return [int(whole[:, end].nonzero()[0]) for end in range(shares.shape[1])]
