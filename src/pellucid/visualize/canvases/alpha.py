"""Pictures with an opacity."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from pellucid.errors import ObjectiveError
from pellucid.shapes import AnyTensor, Images
from pellucid.visualize.canvases.additive import Additive
from pellucid.visualize.canvases.backgrounds import backgrounds
from pellucid.visualize.canvases.canvas import Canvas


class Alpha(Canvas):
    """One channel more, the opacity: the network sees the picture on another random background at every step.

    What does not matter to the objective gains nothing from being opaque (Differentiable Image Parameterizations,
    Distill 2018, "Semi-Transparent Patterns"). `canvas` gets a channel more, the last, which the canvas's bounds make
    the opacity a; colours are correlated without it. `pictures` are (N, C+1, H, W). The network is shown
    a·picture + (1-a)·background.

    A background is noise whose coefficient at frequency f is scaled by 1/max(f, 1/max(W, H))^1.5, divided by its root
    mean square over all channels, times `contrast`, with the canvas's colours and a sigmoid. Inverts if `canvas` does,
    from images (N, C+1, H, W).
    """

    def __init__(self, canvas: Canvas, *, contrast: float = 2.0) -> None:
        if not isinstance(canvas, Additive):
            raise ObjectiveError(
                f"{canvas!r} has no channel for an opacity; use Pixels, Fourier, Pyramid, CPPN or Shared ones"
            )
        self.canvas = canvas
        self.contrast = contrast
        self.together = canvas.together

    def __repr__(self) -> str:
        return f"Alpha({self.canvas!r}, contrast={self.contrast:g})"

    def start(
        self, size: tuple[int, int], channels: int, generators: Sequence[torch.Generator], dtype: torch.dtype
    ) -> AnyTensor:
        """Parameters of the canvas for a channel more, the opacity near one half."""
        return self.canvas.start(size, channels + 1, generators, dtype)

    def pictures(self, parameters: AnyTensor, size: tuple[int, int]) -> Images:
        """Colours and opacity (N, C+1, H, W)."""
        values = self.canvas.values(parameters, size)
        return torch.cat([self.canvas.finish(values[:, :-1]), self.canvas.finish.bound(values[:, -1:])], dim=1)

    def invert(self, images: Images) -> AnyTensor:
        """Parameters of images (N, C+1, H, W), the opacity last."""
        finish = self.canvas.finish
        return self.canvas.parameters(torch.cat([finish.undo(images[:, :-1]), finish.unbound(images[:, -1:])], dim=1))

    def seen(self, pictures: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """The pictures (N, C+1, H, W) on random backgrounds: (N, C, H, W)."""
        colours, opacity = pictures[:, :-1], pictures[:, -1:]
        return opacity * colours + (1 - opacity) * self.backgrounds(colours, generators)

    def backgrounds(self, like: Images, generators: Sequence[torch.Generator]) -> Images:
        """Smooth colour noise of the form of the given pictures, item i from generator i alone."""
        return backgrounds(like, generators, self.canvas.finish.colours, self.contrast)

    def optimizer(self, parameters: list[Tensor]) -> Optimizer:
        """That of the canvas."""
        return self.canvas.optimizer(parameters)
