"""Pictures whose parameters lie between those of a few."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from pellucid.errors import ObjectiveError
from pellucid.shapes import AnyTensor, Images
from pellucid.visualize.canvases.canvas import Canvas
from pellucid.visualize.canvases.constant import Constant
from pellucid.visualize.objectives.places import fingerprint
from pellucid.visualize.shares import ends_of


class Between(Canvas):
    """Groups of pictures, some of them ends, whose parameters are mixed from the ends' and their own.

    `shares` (K, E) says how much of each of E ends every one of a group's K pictures has; rows add up to 1, and each
    end is one of the pictures. With p the parameters, e_j the ends' places and `own` the part that a picture keeps for
    itself, picture k is that of `canvas` with (1 - `own`) · Σ_j shares_kj · p_{e_j} + `own` · p_k, the ends just with
    p_k. So the pictures go over into each other from end to end, the more evenly the smaller `own`, and a gradient
    anywhere moves all of them: `grid_shares(rows, columns)` are a grid between four corners, `pair_shares(ends, steps)`
    the ways between each two of several, as in Lucid's interpolation basis (Mordvintsev et al., Differentiable Image
    Parameterizations, Distill 2018, "Aligned Feature Visualization Interpolation"). It goes with the objective
    `between`. Parameters may be those of any canvas: spectra, weights, codes. Inverts if `canvas` does and `own` > 0.
    """

    def __init__(self, canvas: Canvas, shares: Tensor, *, own: float = 0.5) -> None:
        if canvas.together != 1:
            raise ObjectiveError(f"the pictures of {canvas!r} share something already; mix those of a plain canvas")
        if not 0 <= own <= 1:
            raise ObjectiveError(f"own = {own} must be between 0, nothing of its own, and 1, nothing in common")
        shares = shares.detach().double().cpu()
        self.canvas = canvas
        self.own = own
        self.together = len(shares)
        self._shares = fingerprint(shares)
        ends = ends_of(shares)
        mixing = torch.zeros(len(shares), len(shares), dtype=torch.float64)
        mixing[:, ends] = (1 - own) * shares
        mixing += own * torch.eye(len(shares), dtype=torch.float64)
        mixing[ends] = torch.eye(len(shares), dtype=torch.float64)[ends]
        self._mixing = Constant(mixing)
        self._parting = Constant(torch.linalg.inv(mixing)) if own else None

    def __repr__(self) -> str:
        return f"Between({self.canvas!r}, shares={self._shares}, own={self.own:g})"

    def start(
        self, size: tuple[int, int], channels: int, generators: Sequence[torch.Generator], dtype: torch.dtype
    ) -> AnyTensor:
        """Parameters of the canvas."""
        return self.canvas.start(size, channels, generators, dtype)

    def pictures(self, parameters: AnyTensor, size: tuple[int, int]) -> Images:
        """The pictures of the mixed parameters."""
        return self.canvas.pictures(self._mixed(self._mixing, parameters), size)

    def invert(self, images: Images) -> AnyTensor:
        """Parameters whose mixtures are those of the images."""
        if self._parting is None:
            raise ObjectiveError(f"{self!r} cannot start from images: pictures with nothing of their own are not free")
        return self._mixed(self._parting, self.canvas.invert(images))

    def seen(self, pictures: Images, generators: Sequence[torch.Generator]) -> Tensor:
        """As the canvas shows them."""
        return self.canvas.seen(pictures, generators)

    def optimizer(self, parameters: list[Tensor]) -> Optimizer:
        """That of the canvas."""
        return self.canvas.optimizer(parameters)

    def _mixed(self, matrix: Constant, parameters: Tensor) -> Tensor:
        if len(parameters) % self.together:
            raise ObjectiveError(f"{len(parameters)} pictures cannot be shared out in groups of {self.together}")
        groups = parameters.unflatten(0, (-1, self.together))
        return torch.einsum("kj,gj...->gk...", matrix.like(parameters), groups).flatten(0, 1)
